/* SPDX-License-Identifier: Apache-2.0 */
#include "ops/object/post_fields.h"

#include "base/limits.h"

/* What LIMIT_FORM_PREDATA_BYTES can hold, with the rest of the last block of each size. */
#define FIELDS_BYTES (2 * LIMIT_FORM_PREDATA_BYTES)
/* Of the buffer for a value, from one to the next. */
#define KEPT_VALUE_BYTES KIB(16)

enum {
	FIRST_SORTED = 32
};

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

static int order_of(struct slice a, struct slice b)
{
	if (a.len != b.len)
		return a.len < b.len ? -1 : 1;
	for (size_t i = 0; i < a.len; i++) {
		char x = ascii_lower(a.ptr[i]), y = ascii_lower(b.ptr[i]);
		if (x != y)
			return x < y ? -1 : 1;
	}
	return 0;
}

/* The field of that name, or where it belongs among the sorted ones. */
static struct post_field *look_for(const struct post_fields *f, struct slice name, size_t *ret_at)
{
	size_t low = 0, high = f->sorted_count;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int order = order_of(f->sorted[middle]->name, name);
		if (order == 0)
			return f->sorted[middle];
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	*ret_at = low;
	return NULL;
}

/* Makes room for one more sorted field. */
static bool make_room(struct post_fields *f)
{
	if (f->sorted_count < f->sorted_size)
		return true;
	size_t size = f->sorted_size ? 2 * f->sorted_size : FIRST_SORTED;
	struct post_field **more = arena_alloc(&f->arena, size * sizeof(struct post_field *));
	if (!more)
		return false;
	if (f->sorted_count)
		memcpy(more, f->sorted, f->sorted_count * sizeof(struct post_field *));
	f->sorted = more;
	f->sorted_size = size;
	return true;
}

static void sort_in(struct post_fields *f, struct post_field *field)
{
	size_t at;
	field->is_first = !look_for(f, field->name, &at);
	if (!field->is_first)
		return;
	memmove(&f->sorted[at + 1], &f->sorted[at],
		(f->sorted_count - at) * sizeof(struct post_field *));
	f->sorted[at] = field;
	f->sorted_count++;
}

enum err post_fields_begin(struct post_fields *f, struct slice name)
{
	if (f->count >= LIMIT_FORM_FIELDS)
		return ERR_POST_PREDATA_TOO_LONG;
	struct post_field *field = arena_zalloc(&f->arena, sizeof(*field));
	if (!field)
		return ERR_UNAVAILABLE;
	field->name = arena_copy(&f->arena, name);
	if (!field->name.ptr || !make_room(f))
		return ERR_UNAVAILABLE;
	sort_in(f, field);
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
	size_t at;
	const struct post_field *field = look_for(f, name, &at);
	if (field)
		*ret = field->value;
	return field != NULL;
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

bool post_fields_is_first(const struct post_field *field)
{
	return field->is_first;
}

const struct post_field *post_fields_next(const struct post_fields *f, const struct post_field *at)
{
	return at ? at->next : f->first;
}
