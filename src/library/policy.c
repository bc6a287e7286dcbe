/* SPDX-License-Identifier: Apache-2.0 */
/* Checks the arguments of postern_policy_sign(), and makes the fields of the form. */
#include "library/internal.h"
#include "oss/policy/policy_build.h"

/* The policy as the rest knows it. */
struct plan {
	struct policy_spec spec;
	struct slice types[LIBRARY_LIST_MAX];
	struct policy_field bound[LIBRARY_LIST_MAX];
};

/* The latest second that a date can be written of. */
#define LATEST INT64_C(253402300799)

/* Fields that the form has anyhow. */
static bool is_own(struct slice name)
{
	static const struct slice own[] = {SLICE_LIT("key"), SLICE_LIT("bucket"),
		SLICE_LIT("policy"), SLICE_LIT("OSSAccessKeyId"), SLICE_LIT("Signature"),
		SLICE_LIT("file"), SLICE_LIT("x-oss-signature"),
		SLICE_LIT("x-oss-signature-version"), SLICE_LIT("x-oss-credential"),
		SLICE_LIT("x-oss-date"), SLICE_LIT("x-oss-security-token")};
	for (size_t i = 0; i < ARRAY_LEN(own); i++)
		if (slice_eq_nocase(name, own[i]))
			return true;
	return name.len == 0;
}

static bool read_policy(const struct postern_policy *p, struct plan *ret)
{
	if (!HAS_MEMBERS(p, bound_count) || p->content_type_count > LIBRARY_LIST_MAX ||
		p->bound_count > LIBRARY_LIST_MAX || (p->content_type_count && !p->content_types) ||
		(p->bound_count && !p->bound) || p->now < 0 || p->now > LATEST || p->expires < 0 ||
		p->expires > LATEST)
		return false;
	/* A member that was forgotten must not permit everything. */
	bool has_key = slice_str(p->key).len > 0, has_prefix = slice_str(p->key_prefix).len > 0;
	if (slice_str(p->bucket).len == 0 || has_key == has_prefix || p->expires <= p->now)
		return false;
	for (size_t i = 0; i < p->bound_count; i++)
		if (is_own(slice_str(p->bound[i].name)))
			return false;
	for (size_t i = 0; i < p->content_type_count; i++)
		ret->types[i] = slice_str(p->content_types[i]);
	for (size_t i = 0; i < p->bound_count; i++)
		ret->bound[i] = (struct policy_field){
			slice_str(p->bound[i].name), slice_str(p->bound[i].value)};
	ret->spec = (struct policy_spec){
		.now_ms = p->now * 1000,
		.expires_ms = p->expires * 1000,
		.bucket = slice_str(p->bucket),
		.key_prefix = slice_str(p->key_prefix),
		.key = slice_str(p->key),
		.min_bytes = p->min_bytes,
		.max_bytes = p->max_bytes,
		.content_types = ret->types,
		.content_type_count = p->content_type_count,
		.bound = ret->bound,
		.bound_count = p->bound_count,
	};
	return true;
}

static int result_of_err(enum err e)
{
	return e == ERR_OK                 ? POSTERN_OK
	       : e == ERR_INVALID_ARGUMENT ? POSTERN_INVALID
					   : POSTERN_NO_MEMORY;
}

static const char *keep(struct strbuf *text, struct slice value)
{
	const char *begin = text->ptr + text->len;
	strbuf_add_slice(text, value);
	/* The NUL between this and the next belongs to the text. */
	strbuf_addc(text, '\0');
	return begin;
}

static int hand_over(const struct policy_form *form, char *buffer, size_t buffer_size,
	struct postern_field *fields, size_t *field_count)
{
	struct strbuf text = text_into(buffer, buffer_size);
	if (form->field_count > *field_count)
		return POSTERN_TOO_SMALL;
	for (size_t i = 0; i < form->field_count; i++) {
		fields[i].name = keep(&text, form->fields[i].name);
		fields[i].value = keep(&text, form->fields[i].value);
	}
	if (!strbuf_broken(&text))
		*field_count = form->field_count;
	return result_of(&text);
}

int postern_policy_sign(const struct postern_policy *policy, const struct postern_signer *signer,
	char *buffer, size_t buffer_size, struct postern_field *fields, size_t *field_count)
{
	struct plan plan;
	struct arena arena;
	struct policy_form form;
	if (!is_signer(signer) || !read_policy(policy, &plan) || !buffer || buffer_size == 0 ||
		!fields || !field_count)
		return POSTERN_INVALID;
	const struct policy_signer who = {
		.access_key_id = slice_str(signer->access_key_id),
		.secret = slice_str(signer->access_key_secret),
		.security_token = slice_str(signer->security_token),
		.region = slice_str(signer->region),
	};
	arena_init(&arena, NULL, 0, LIBRARY_MEMORY_MAX);
	enum err e = signer->version == 1 ? policy_form_v1(&plan.spec, &who, &arena, &form)
					  : policy_form_v4(&plan.spec, &who, &arena, &form);
	int result =
		e ? result_of_err(e) : hand_over(&form, buffer, buffer_size, fields, field_count);
	arena_reset(&arena);
	return result;
}
