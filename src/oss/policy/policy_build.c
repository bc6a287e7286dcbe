/* SPDX-License-Identifier: Apache-2.0 */
#include "oss/policy/policy_build.h"

#include "base/encode.h"
#include "base/limits.h"
#include "oss/sign/form_auth.h"
#include "oss/sign/sign_v4.h"
#include "oss/text/iso8601.h"
#include "oss/text/json_text.h"

#define USUAL_BYTES KIB(2)
#define BASE64_BYTES(len) (((len) + 2) / 3 * 4)

/* A policy while its text is written. */
struct writer {
	struct strbuf text;
	bool valid;   /* every text so far is one that JSON can carry */
	bool starved; /* there was no memory for one */
};

static void check_text(struct writer *w, struct slice text)
{
	if (!utf8_valid(text) || slice_find(text, '\0') < text.len)
		w->valid = false;
}

static void add_text(struct writer *w, struct slice text)
{
	check_text(w, text);
	json_comma(&w->text);
	json_add_string(&w->text, text);
}

/* Appends `["operator"`. */
static void begin(struct writer *w, const char *operator)
{
	json_comma(&w->text);
	strbuf_addc(&w->text, '[');
	add_text(w, slice_str(operator));
}

/* Appends `"$name"`. */
static void add_name(struct writer *w, struct slice name)
{
	SCOPED_STRBUF(dollar, LIMIT_FIELD_NAME_BYTES + 1);
	strbuf_addc(&dollar, '$');
	strbuf_add_slice(&dollar, name);
	if (strbuf_starved(&dollar))
		w->starved = true;
	else if (strbuf_broken(&dollar))
		w->valid = false;
	add_text(w, strbuf_slice(&dollar));
}

/*
 * A text that a field is compared with. `\$` in it would be read as `$` (spec: PostObject section
 * 5.4), so a condition that needs these two characters cannot be written.
 */
static void check_value(struct writer *w, struct slice value)
{
	struct slice rest = value;
	while ((rest = slice_from(rest, slice_find(rest, '\\'))).len) {
		rest = slice_from(rest, 1);
		if (slice_starts(rest, S("$")))
			w->valid = false;
	}
	check_text(w, value);
}

static void add_value(struct writer *w, struct slice value)
{
	check_value(w, value);
	json_comma(&w->text);
	json_add_string(&w->text, value);
}

/* ["operator","$name","value"] */
static void add_match(struct writer *w, const char *operator, struct slice name, struct slice value)
{
	begin(w, operator);
	add_name(w, name);
	add_value(w, value);
	strbuf_addc(&w->text, ']');
}

/* {"name":"value"}: how the documentation's samples write most exact conditions. */
static void add_exact(struct writer *w, struct slice name, struct slice value)
{
	json_comma(&w->text);
	strbuf_addc(&w->text, '{');
	add_text(w, name);
	strbuf_addc(&w->text, ':');
	check_value(w, value);
	json_add_string(&w->text, value);
	strbuf_addc(&w->text, '}');
}

/* ["operator","$name",["value",...]] */
static void add_list(struct writer *w, const char *operator, struct slice name,
	const struct slice *values, size_t count)
{
	begin(w, operator);
	add_name(w, name);
	strbuf_adds(&w->text, ",[");
	for (size_t i = 0; i < count; i++)
		add_value(w, values[i]);
	strbuf_adds(&w->text, "]]");
}

/* `own` are the fields that the signature asks for. */
static void write_policy(struct writer *w, const struct policy_spec *spec,
	const struct policy_field *own, size_t own_count)
{
	strbuf_addc(&w->text, '{');
	json_member(&w->text, "expiration");
	strbuf_addc(&w->text, '"');
	iso8601_add(&w->text, spec->expires_ms);
	strbuf_addc(&w->text, '"');
	json_member(&w->text, "conditions");
	strbuf_addc(&w->text, '[');
	if (spec->bucket.len > 0)
		add_exact(w, S("bucket"), spec->bucket);
	if (spec->key.len > 0)
		add_match(w, "eq", S("key"), spec->key);
	else
		add_match(w, "starts-with", S("key"), spec->key_prefix);
	begin(w, "content-length-range");
	strbuf_addc(&w->text, ',');
	strbuf_add_u64(&w->text, spec->min_bytes);
	strbuf_addc(&w->text, ',');
	strbuf_add_u64(&w->text, spec->max_bytes);
	strbuf_addc(&w->text, ']');
	if (spec->content_type_count > 0)
		add_list(w, "in", S("content-type"), spec->content_types, spec->content_type_count);
	for (size_t i = 0; i < own_count; i++)
		add_exact(w, own[i].name, own[i].value);
	for (size_t i = 0; i < spec->bound_count; i++)
		add_exact(w, spec->bound[i].name, spec->bound[i].value);
	for (size_t i = 0; i < spec->excluded_count; i++)
		add_list(w, "not-in", spec->excluded[i].name, spec->excluded[i].values,
			spec->excluded[i].value_count);
	strbuf_adds(&w->text, "]}");
}

/* The base64 text of the policy, in the arena. */
static enum err make_policy(const struct policy_spec *spec, const struct policy_field *own,
	size_t own_count, struct arena *arena, struct slice *ret)
{
	if (spec->min_bytes > spec->max_bytes || spec->max_bytes > INT64_MAX ||
		(spec->key.len > 0 && spec->key_prefix.len > 0))
		return ERR_INVALID_ARGUMENT;
	struct writer w = {.text = STRBUF_INIT(LIMIT_POLICY_BYTES), .valid = true};
	SCOPED_STRBUF(base64, 2 * LIMIT_POLICY_BYTES);
	strbuf_reserve(&w.text, USUAL_BYTES);
	write_policy(&w, spec, own, own_count);
	strbuf_reserve(&base64, BASE64_BYTES(w.text.len));
	base64_encode(&base64, strbuf_slice(&w.text));
	bool whole = w.valid && !strbuf_broken(&w.text);
	bool starved = w.starved || strbuf_starved(&w.text);
	strbuf_release(&w.text);
	if (starved)
		return ERR_UNAVAILABLE;
	if (!whole)
		return ERR_INVALID_ARGUMENT;
	*ret = arena_copy(arena, strbuf_slice(&base64));
	return ret->ptr && !strbuf_broken(&base64) ? ERR_OK : ERR_UNAVAILABLE;
}

static void add_field(struct policy_form *form, struct slice name, struct slice value)
{
	form->fields[form->field_count++] = (struct policy_field){name, value};
}

/* What the signature needs at most: version, credential, date, token, policy, signature, key. */
#define OWN_FIELDS 7

/* The form with room for its fields, of which the key is there if it is known. */
static enum err begin_form(
	const struct policy_spec *spec, struct arena *arena, struct policy_form *form)
{
	size_t most = OWN_FIELDS + spec->bound_count + spec->free_count;
	*form = (struct policy_form){0};
	form->fields = arena_alloc(arena, most * sizeof(*form->fields));
	if (!form->fields)
		return ERR_UNAVAILABLE;
	if (spec->key.len > 0)
		add_field(form, S("key"), spec->key);
	return ERR_OK;
}

static void end_form(const struct policy_spec *spec, struct policy_form *form)
{
	for (size_t i = 0; i < spec->bound_count; i++)
		add_field(form, spec->bound[i].name, spec->bound[i].value);
	for (size_t i = 0; i < spec->free_count; i++)
		add_field(form, spec->free[i].name, spec->free[i].value);
}

static enum err keep(struct arena *arena, const struct strbuf *text, struct slice *ret)
{
	*ret = arena_copy(arena, strbuf_slice(text));
	return ret->ptr && !strbuf_broken(text) ? ERR_OK : ERR_UNAVAILABLE;
}

enum err policy_form_v1(const struct policy_spec *spec, const struct policy_signer *signer,
	struct arena *arena, struct policy_form *ret)
{
	struct policy_form form;
	struct policy_field token = {S("x-oss-security-token"), signer->security_token};
	size_t own_count = signer->security_token.len > 0 ? 1 : 0;
	SCOPED_STRBUF(signature, 64);
	enum err e = begin_form(spec, arena, &form);
	if (!e)
		e = make_policy(spec, &token, own_count, arena, &form.policy);
	if (e)
		return e;
	if (signer->keyed)
		form_sign_keyed(form.policy, signer->keyed, &signature);
	else
		form_sign_v1(form.policy, signer->secret, &signature);
	e = keep(arena, &signature, &form.signature);
	if (e)
		return e;
	add_field(&form, S("OSSAccessKeyId"), signer->access_key_id);
	add_field(&form, S("policy"), form.policy);
	add_field(&form, S("Signature"), form.signature);
	if (own_count > 0)
		add_field(&form, token.name, token.value);
	end_form(spec, &form);
	*ret = form;
	return ERR_OK;
}

/* Makes the date and the credential of `form`, and *ret_credential from them. */
static enum err make_credential(const struct policy_spec *spec, const struct policy_signer *signer,
	struct arena *arena, struct policy_form *form, struct credential *ret_credential)
{
	SCOPED_STRBUF(date, 32);
	SCOPED_STRBUF(credential, LIMIT_FIELD_NAME_BYTES);
	iso8601_add_basic(&date, spec->now_ms);
	enum err e = keep(arena, &date, &form->date);
	if (e)
		return e;
	struct credential c = {.access_key_id = signer->access_key_id,
		.day = slice_head(form->date, 8),
		.region = signer->region,
		.product = S("oss")};
	credential_add(&c, &credential);
	e = keep(arena, &credential, &form->credential);
	if (e)
		return e;
	/* A slash in the id or the region would make another credential of it. */
	return credential_parse(form->credential, ret_credential) == CREDENTIAL_OK
		       ? ERR_OK
		       : ERR_INVALID_ARGUMENT;
}

enum err policy_form_v4(const struct policy_spec *spec, const struct policy_signer *signer,
	struct arena *arena, struct policy_form *ret)
{
	struct policy_form form;
	struct credential credential;
	SCOPED_STRBUF(signature, 128);
	enum err e = begin_form(spec, arena, &form);
	if (!e)
		e = make_credential(spec, signer, arena, &form, &credential);
	if (e)
		return e;
	const struct policy_field own[] = {
		{S("x-oss-signature-version"), S(SIGN_V4_ALGORITHM)},
		{S("x-oss-credential"), form.credential},
		{S("x-oss-date"), form.date},
		{S("x-oss-security-token"), signer->security_token},
	};
	size_t own_count = ARRAY_LEN(own) - (signer->security_token.len > 0 ? 0 : 1);
	e = make_policy(spec, own, own_count, arena, &form.policy);
	if (e)
		return e;
	form_sign_v4(form.policy, &credential, signer->secret, signer->cache, &signature);
	e = keep(arena, &signature, &form.signature);
	if (e)
		return e;
	for (size_t i = 0; i < own_count; i++)
		add_field(&form, own[i].name, own[i].value);
	add_field(&form, S("policy"), form.policy);
	add_field(&form, S("x-oss-signature"), form.signature);
	end_form(spec, &form);
	*ret = form;
	return ERR_OK;
}
