/* SPDX-License-Identifier: Apache-2.0 */
#include "ops/object/post_fields.h"

#include "base/limits.h"

/* What LIMIT_FORM_PREDATA_BYTES can hold, with the rest of the last block of each size. */
#define FIELDS_BYTES (2 * LIMIT_FORM_PREDATA_BYTES)
/* Of the buffer for a value, from one to the next. */
#define KEPT_VALUE_BYTES KIB(16)

void post_fields_init(struct post_fields *f, struct budget_account *account)
{
	*f = (struct post_fields){.first = NULL};
	arena_init_counted(&f->arena, NULL, 0, FIELDS_BYTES, account, true);
	strbuf_init_counted(&f->value, LIMIT_FIELD_VALUE_BYTES, account);
}

void post_fields_release(struct post_fields *f)
{
	strbuf_release(&f->value);
	arena_reset(&f->arena);
}

/* FNV-1a. */
static uint32_t hash_of(struct slice name)
{
	uint32_t hash = 2166136261U;
	for (size_t i = 0; i < name.len; i++)
		hash = (hash ^ (unsigned char)ascii_lower(name.ptr[i])) * 16777619U;
	return hash;
}

enum err post_fields_begin(struct post_fields *f, struct slice name)
{
	if (f->count >= LIMIT_FORM_FIELDS)
		return ERR_POST_PREDATA_TOO_LONG;
	struct post_field *field = arena_zalloc(&f->arena, sizeof(*field));
	if (!field)
		return ERR_UNAVAILABLE;
	field->name = arena_copy(&f->arena, name);
	if (!field->name.ptr)
		return ERR_UNAVAILABLE;
	field->name_hash = hash_of(name);
	if (f->last)
		f->last->next = field;
	else
		f->first = field;
	f->last = field;
	f->count++;
	return ERR_OK;
}

enum err post_fields_add(struct post_fields *f, struct slice bytes)
{
	strbuf_add_slice(&f->value, bytes);
	if (strbuf_starved(&f->value))
		return ERR_UNAVAILABLE;
	return strbuf_broken(&f->value) ? ERR_FIELD_TOO_LONG : ERR_OK;
}

bool post_fields_end(struct post_fields *f)
{
	f->last->value = arena_copy(&f->arena, strbuf_slice(&f->value));
	if (f->value.size > KEPT_VALUE_BYTES)
		strbuf_release(&f->value);
	strbuf_clear(&f->value);
	return f->last->value.ptr != NULL;
}

struct slice post_fields_current(const struct post_fields *f)
{
	return f->last ? f->last->name : S("");
}

bool post_fields_find(struct post_fields *f, struct slice name, struct slice *ret)
{
	for (const struct post_field *field = f->first; field; field = field->next) {
		if (slice_eq_nocase(field->name, name)) {
			*ret = field->value;
			return true;
		}
	}
	return false;
}

struct slice post_fields_get(struct post_fields *f, struct slice name)
{
	struct slice value = {NULL, 0};
	(void)post_fields_find(f, name, &value);
	return value;
}

struct slice post_fields_custom(void *ctx, struct slice name)
{
	return post_fields_get(ctx, name);
}

static bool find(void *context, struct slice name, struct slice *ret)
{
	return post_fields_find(context, name, ret);
}

struct form_fields post_fields_as_form(struct post_fields *f)
{
	return (struct form_fields){.find = find, .context = f};
}

bool post_fields_is_first(const struct post_fields *f, const struct post_field *field)
{
	const struct post_field *first = f->first;
	while (first != field && (first->name_hash != field->name_hash ||
					 !slice_eq_nocase(first->name, field->name)))
		first = first->next;
	return first == field;
}

const struct post_field *post_fields_next(const struct post_fields *f, const struct post_field *at)
{
	return at ? at->next : f->first;
}
