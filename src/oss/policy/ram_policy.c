/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The compact form is a row of statements. Each is a byte, 'A' or 'D', and two lists of patterns,
 * actions and resources: each list a count, each pattern its length and its bytes. Counts and
 * lengths are two bytes, the higher one first.
 */
#include "oss/policy/ram_policy.h"

#include <jansson.h>

#include "base/limits.h"
#include "oss/text/json_load.h"
#include "oss/text/wildcard.h"

#define RESOURCE_PREFIX "acs:oss:"

enum {
	ALLOW = 'A',
	DENY = 'D',
};

struct reader {
	struct slice account;
	struct strbuf *out;
	struct strbuf *reason;
};

/* ---- Reading -----------------------------------------------------------------------------------
 */

static void scoped_json(json_t **json)
{
	json_decref(*json);
}

static enum err PRINTF_LIKE(2, 3) refuse(struct reader *r, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	strbuf_vaddf(r->reason, fmt, ap);
	va_end(ap);
	return ERR_INVALID_POLICY;
}

static void add_number(struct strbuf *out, size_t number)
{
	strbuf_addc(out, (char)(number >> 8));
	strbuf_addc(out, (char)number);
}

static void add_pattern(struct reader *r, struct slice pattern)
{
	add_number(r->out, pattern.len);
	strbuf_add_slice(r->out, pattern);
}

/* `*`, or a name of OSS's actions, which may have wildcards. */
static enum err read_action(struct reader *r, struct slice text)
{
	struct slice name = slice_from(text, strlen("oss:"));
	bool fits = slice_eq(text, S("*")) || (slice_starts(text, S("oss:")) && name.len > 0);
	for (size_t i = 0; fits && i < name.len; i++) {
		char c = ascii_lower(name.ptr[i]);
		fits = (c >= 'a' && c <= 'z') || ascii_digit(c) || c == '*' || c == '?';
	}
	if (!fits)
		return refuse(r, "`%.*s` is no action of OSS, such as oss:GetObject or oss:*.",
			SLICE_FMT(slice_head(text, 128)));
	add_pattern(r, text);
	return ERR_OK;
}

/* acs:oss:REGION:ACCOUNT:NAME; only the name is kept, for the others have one meaning here. */
static enum err read_resource(struct reader *r, struct slice text)
{
	struct slice rest = slice_from(text, strlen(RESOURCE_PREFIX));
	struct slice region, account;
	if (slice_eq(text, S("*"))) {
		add_pattern(r, text);
		return ERR_OK;
	}
	if (!slice_starts(text, S(RESOURCE_PREFIX)) || !slice_cut(&rest, ':', &region) ||
		!slice_cut(&rest, ':', &account) || rest.len == 0)
		return refuse(r,
			"`%.*s` is no resource of OSS, such as acs:oss:*:*:bucket/prefix*.",
			SLICE_FMT(slice_head(text, 128)));
	if (!slice_eq(region, S("*")))
		return refuse(r, "The region of a resource must be `*`.");
	if (!slice_eq(account, S("*")) && !slice_eq(account, r->account))
		return refuse(r, "The account of a resource must be `*` or the role's.");
	if (slice_find_slice(rest, S("${")) < rest.len)
		return refuse(r, "Variables in a resource are not implemented.");
	add_pattern(r, rest);
	return ERR_OK;
}

/* A text or a list of texts. */
static enum err read_patterns(struct reader *r, const char *member, const json_t *value,
	enum err (*read_one)(struct reader *r, struct slice text))
{
	size_t count = json_is_array(value) ? json_array_size(value) : 1;
	enum err e = count ? ERR_OK : refuse(r, "%s is an empty list.", member);
	add_number(r->out, count);
	for (size_t i = 0; e == ERR_OK && i < count; i++) {
		const json_t *one = json_is_array(value) ? json_array_get(value, i) : value;
		if (json_is_string(one))
			e = read_one(r, slice_of(json_string_value(one), json_string_length(one)));
		else
			e = refuse(r, "%s must be a text or a list of texts.", member);
	}
	return e;
}

/* Whether the object has the members that are asked for, and no others. */
static enum err check_members(
	struct reader *r, const char *what, json_t *object, const char *const *names, size_t count)
{
	if (!json_is_object(object))
		return refuse(r, "%s must be an object.", what);
	for (size_t i = 0; i < count; i++)
		if (!json_object_get(object, names[i]))
			return refuse(r, "%s has no %s.", what, names[i]);
	for (void *at = json_object_iter(object); at; at = json_object_iter_next(object, at)) {
		const char *key = json_object_iter_key(at);
		bool known = false;
		for (size_t i = 0; i < count; i++)
			known = known || strcmp(key, names[i]) == 0;
		if (!known)
			return refuse(
				r, "%s has a member `%.64s`, which is not implemented.", what, key);
	}
	return ERR_OK;
}

static enum err read_statement(struct reader *r, json_t *statement)
{
	static const char *const names[] = {"Effect", "Action", "Resource"};
	enum err e = check_members(r, "A statement", statement, names, ARRAY_LEN(names));
	if (e != ERR_OK)
		return e;
	struct slice effect = slice_str(json_string_value(json_object_get(statement, "Effect")));
	bool allow = slice_eq(effect, S("Allow"));
	if (!allow && !slice_eq(effect, S("Deny")))
		return refuse(r, "Effect must be Allow or Deny.");
	strbuf_addc(r->out, allow ? ALLOW : DENY);
	e = read_patterns(r, "Action", json_object_get(statement, "Action"), read_action);
	if (e == ERR_OK)
		e = read_patterns(
			r, "Resource", json_object_get(statement, "Resource"), read_resource);
	return e;
}

static enum err read_policy(struct reader *r, json_t *policy)
{
	static const char *const names[] = {"Version", "Statement"};
	enum err e = check_members(r, "The policy", policy, names, ARRAY_LEN(names));
	if (e != ERR_OK)
		return e;
	struct slice version = slice_str(json_string_value(json_object_get(policy, "Version")));
	const json_t *statements = json_object_get(policy, "Statement");
	if (!slice_eq(version, S("1")))
		return refuse(r, "Version must be \"1\".");
	if (!json_is_array(statements) || json_array_size(statements) == 0)
		return refuse(r, "Statement must be a list of statements.");
	for (size_t i = 0; e == ERR_OK && i < json_array_size(statements); i++)
		e = read_statement(r, json_array_get(statements, i));
	return e;
}

enum err ram_policy_parse(
	struct slice json, struct slice account, struct strbuf *compact, struct strbuf *reason)
{
	struct reader r = {account, compact, reason};
	json_error_t error;
	bool no_memory;
	size_t before = compact->len;
	if (json.len > LIMIT_RAM_POLICY_BYTES)
		return refuse(&r, "The policy is longer than %d bytes.", LIMIT_RAM_POLICY_BYTES);
	CLEANUP(scoped_json)
	json_t *policy = json_load_text(json, JSON_REJECT_DUPLICATES, &error, &no_memory);
	if (no_memory)
		return ERR_UNAVAILABLE;
	if (!policy)
		return refuse(&r, "The policy is no JSON: %.100s.", error.text);
	enum err e = read_policy(&r, policy);
	if (e == ERR_OK && strbuf_broken(compact))
		e = ERR_UNAVAILABLE;
	if (e != ERR_OK)
		strbuf_truncate(compact, before);
	return e;
}

/* ---- Deciding ----------------------------------------------------------------------------------
 */

static bool take_number(struct slice *rest, size_t *ret)
{
	if (rest->len < 2)
		return false;
	*ret = (size_t)((unsigned char)rest->ptr[0] << 8 | (unsigned char)rest->ptr[1]);
	*rest = slice_from(*rest, 2);
	return true;
}

/* Takes a list off; *ret_matches says whether one of its patterns describes `text`. */
static bool take_patterns(struct slice *rest, struct slice text, bool *ret_matches)
{
	size_t count, len;
	*ret_matches = false;
	if (!take_number(rest, &count))
		return false;
	for (; count > 0; count--) {
		if (!take_number(rest, &len) || rest->len < len)
			return false;
		if (!*ret_matches)
			*ret_matches = wildcard_match(slice_head(*rest, len), text);
		*rest = slice_from(*rest, len);
	}
	return true;
}

bool ram_policy_allows(struct slice compact, struct slice action, struct slice resource)
{
	bool allowed = false;
	while (compact.len > 0) {
		char effect = compact.ptr[0];
		bool is_action, is_resource;
		compact = slice_from(compact, 1);
		if ((effect != ALLOW && effect != DENY) ||
			!take_patterns(&compact, action, &is_action) ||
			!take_patterns(&compact, resource, &is_resource))
			return false;
		if (is_action && is_resource && effect == DENY)
			return false;
		allowed = allowed || (is_action && is_resource);
	}
	return allowed;
}
