/* SPDX-License-Identifier: Apache-2.0 */
/* Tests forms against parsed policies. */
#include "oss/policy/policy.h"

#include "base/limits.h"
#include "oss/policy/policy_internal.h"
#include "oss/text/json_text.h"

enum err policy_refuse(
	struct refusal *why, struct arena *arena, enum err e, const char *ec, const char *fmt, ...)
{
	SCOPED_STRBUF(text, LIMIT_ERROR_BODY_BYTES);
	va_list ap;
	va_start(ap, fmt);
	strbuf_vaddf(&text, fmt, ap);
	va_end(ap);
	why->ec = ec;
	if (!strbuf_broken(&text))
		why->message = arena_copy(arena, strbuf_slice(&text));
	return e;
}

bool policy_expired(const struct policy *p, int64_t now_ms)
{
	return now_ms > p->expiration_ms;
}

int64_t policy_expiration_ms(const struct policy *p)
{
	return p->expiration_ms;
}

static bool is_one_of(struct slice value, const struct condition *c)
{
	for (size_t i = 0; i < c->value_count; i++)
		if (slice_eq(value, c->values[i]))
			return true;
	return false;
}

static bool holds(const struct condition *c, struct slice value)
{
	switch (c->kind) {
	case CONDITION_EQ:
		return slice_eq(value, c->values[0]);
	case CONDITION_STARTS_WITH:
		return slice_starts(value, c->values[0]);
	case CONDITION_IN:
		return is_one_of(value, c);
	case CONDITION_NOT_IN:
		return !is_one_of(value, c);
	}
	return false;
}

static const char *operator_of(enum condition_kind kind)
{
	switch (kind) {
	case CONDITION_EQ:
		return "eq";
	case CONDITION_STARTS_WITH:
		return "starts-with";
	case CONDITION_IN:
		return "in";
	case CONDITION_NOT_IN:
		return "not-in";
	}
	return "";
}

/* As OSS shows a condition: ["starts-with", "$key", "user/"], also one that was an object. */
static void show(const struct condition *c, struct strbuf *out)
{
	bool list = c->kind == CONDITION_IN || c->kind == CONDITION_NOT_IN;
	SCOPED_STRBUF(name, LIMIT_ERROR_BODY_BYTES);
	strbuf_addc(&name, '$');
	strbuf_add_slice(&name, c->name);
	strbuf_addf(out, "[\"%s\", ", operator_of(c->kind));
	json_add_string(out, strbuf_slice(&name));
	strbuf_adds(out, list ? ", [" : ", ");
	for (size_t i = 0; i < c->value_count; i++) {
		if (i > 0)
			strbuf_adds(out, ", ");
		json_add_string(out, c->values[i]);
	}
	strbuf_adds(out, list ? "]]" : "]");
	out->broken |= strbuf_broken(&name);
}

static enum err refuse_condition(
	const struct condition *c, struct arena *arena, struct refusal *why)
{
	SCOPED_STRBUF(text, LIMIT_ERROR_BODY_BYTES);
	show(c, &text);
	if (strbuf_broken(&text))
		return ERR_POLICY_CONDITION;
	return policy_refuse(why, arena, ERR_POLICY_CONDITION, NULL,
		"Invalid according to Policy: Policy Condition failed: %s", text.ptr);
}

enum err policy_check(const struct policy *p, const struct form_fields *fields, struct arena *arena,
	struct refusal *why)
{
	for (size_t i = 0; i < p->condition_count; i++) {
		const struct condition *c = &p->conditions[i];
		if (!holds(c, form_field(fields, c->name)))
			return refuse_condition(c, arena, why);
	}
	return ERR_OK;
}

enum err policy_check_excluded(const struct policy *p, struct slice name, struct slice value,
	struct arena *arena, struct refusal *why)
{
	for (size_t i = 0; i < p->condition_count; i++) {
		const struct condition *c = &p->conditions[i];
		if (c->kind == CONDITION_NOT_IN && slice_eq_nocase(c->name, name) &&
			!holds(c, value))
			return refuse_condition(c, arena, why);
	}
	return ERR_OK;
}

bool policy_pins(const struct policy *p, struct slice name)
{
	for (size_t i = 0; i < p->condition_count; i++)
		if (p->conditions[i].kind == CONDITION_EQ &&
			slice_eq_nocase(p->conditions[i].name, name))
			return true;
	return false;
}

enum err policy_check_v4(
	const struct policy *p, bool has_security_token, struct arena *arena, struct refusal *why)
{
	static const struct slice names[] = {SLICE_LIT("x-oss-signature-version"),
		SLICE_LIT("x-oss-credential"), SLICE_LIT("x-oss-date"),
		SLICE_LIT("x-oss-security-token")};
	size_t needed = ARRAY_LEN(names) - (has_security_token ? 0 : 1);
	for (size_t i = 0; i < needed; i++)
		if (!policy_pins(p, names[i]))
			return policy_refuse(why, arena, ERR_INVALID_POLICY, NULL,
				"Invalid Policy: Policy missing the condition on %.*s.",
				SLICE_FMT(names[i]));
	return ERR_OK;
}

struct policy_size policy_size(const struct policy *p)
{
	return p->size;
}

enum err policy_check_size(struct policy_size range, uint64_t bytes, bool complete)
{
	if (bytes > range.max)
		return ERR_ENTITY_TOO_LARGE;
	if (complete && bytes < range.min)
		return ERR_ENTITY_TOO_SMALL;
	return ERR_OK;
}
