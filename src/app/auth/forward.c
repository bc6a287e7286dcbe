/* SPDX-License-Identifier: Apache-2.0 */
#include "app/auth/forward.h"

#include <jansson.h>
#include <stdio.h>

#include "app/text/media_type.h"
#include "oss/text/json_load.h"
#include "oss/text/json_text.h"

static void scoped_json(json_t **value)
{
	json_decref(*value);
}

/* ---- The question -----------------------------------------------------------------------------
 */

enum {
	CONNECTION_WORDS_MAX = 32
};

/* Whether a Connection header names it as one that ends with us. */
static bool is_named(const struct request_head *head, struct slice name)
{
	for (size_t i = 0; i < head->header_count; i++) {
		struct slice rest = head->headers[i].value, word;
		if (!slice_eq_nocase(head->headers[i].name, S("Connection")))
			continue;
		/* A client that names more is not one that means it. */
		for (int words = 0; words < CONNECTION_WORDS_MAX && slice_next_word(&rest, &word);
			words++)
			if (slice_eq_nocase(word, name))
				return true;
	}
	return false;
}

static bool passes(const struct request_head *head, struct slice name, bool with_cookies)
{
	static const struct slice ours[] = {SLICE_LIT("Connection"), SLICE_LIT("Keep-Alive"),
		SLICE_LIT("Proxy-Authenticate"), SLICE_LIT("Proxy-Authorization"),
		SLICE_LIT("Proxy-Connection"), SLICE_LIT("TE"), SLICE_LIT("Trailer"),
		SLICE_LIT("Transfer-Encoding"), SLICE_LIT("Upgrade"), SLICE_LIT("Expect"),
		SLICE_LIT("Content-Length"), SLICE_LIT("Content-Type"),
		SLICE_LIT("Content-Encoding"), SLICE_LIT("Host"), SLICE_LIT("Accept-Encoding"),
		SLICE_LIT("Range"), SLICE_LIT("If-Match"), SLICE_LIT("If-None-Match"),
		SLICE_LIT("If-Modified-Since"), SLICE_LIT("If-Unmodified-Since"),
		SLICE_LIT("If-Range"), SLICE_LIT("X-Original-Method"), SLICE_LIT("X-Original-URI")};
	for (size_t i = 0; i < ARRAY_LEN(ours); i++)
		if (slice_eq_nocase(name, ours[i]))
			return false;
	if (!with_cookies && slice_eq_nocase(name, S("Cookie")))
		return false;
	return !is_named(head, name);
}

/* A name alone, with `;`, is how the sender writes an empty header. */
static const char *line_of(struct arena *arena, struct slice name, struct slice value)
{
	SCOPED_STRBUF(line, LIMIT_HEAD_BYTES);
	strbuf_add_slice(&line, name);
	strbuf_adds(&line, value.len > 0 ? ": " : ";");
	strbuf_add_slice(&line, value);
	return strbuf_broken(&line) ? NULL : arena_copy(arena, strbuf_slice(&line)).ptr;
}

bool forward_lines(const struct request_head *head, bool with_cookies, struct arena *arena,
	const char *ret[LIMIT_HEADERS + FORWARD_LINES_MORE], size_t *ret_count)
{
	size_t count = 0;
	for (size_t i = 0; i < head->header_count; i++) {
		const struct http_header *header = &head->headers[i];
		if (!passes(head, header->name, with_cookies))
			continue;
		ret[count] = line_of(arena, header->name, header->value);
		if (!ret[count++])
			return false;
	}
	ret[count] = line_of(arena, S("X-Original-Method"), head->method_text);
	ret[count + 1] = line_of(arena, S("X-Original-URI"), head->target);
	*ret_count = count + FORWARD_LINES_MORE;
	return ret[count] && ret[count + 1];
}

/* ---- The answer -------------------------------------------------------------------------------
 */

static struct slice text_of(const json_t *value)
{
	return json_is_string(value) ? slice_of(json_string_value(value), json_string_length(value))
				     : S("");
}

/* Text or an integer; nothing if the member is missing. */
static const char *read_text_of(
	const json_t *value, size_t max, struct arena *arena, struct slice *ret)
{
	char digits[32];
	struct slice text = text_of(value);
	if (value && !json_is_string(value) && !json_is_integer(value))
		return "a member that should be text is not";
	if (json_is_integer(value)) {
		int len = snprintf(
			digits, sizeof(digits), "%lld", (long long)json_integer_value(value));
		text = slice_of(digits, (size_t)len);
	}
	if (text.len > max)
		return "a text is too long";
	*ret = arena_copy(arena, text);
	return ret->ptr ? NULL : "there is no memory";
}

static const char *read_text(const json_t *value, struct arena *arena, struct slice *ret)
{
	return read_text_of(value, LIMIT_CLAIM_BYTES, arena, ret);
}

/* The lesser of what is configured and what the member says. */
static const char *read_number(const json_t *value, int64_t most, int64_t *ret)
{
	*ret = most;
	if (!value)
		return NULL;
	if (!json_is_integer(value) || json_integer_value(value) < 1)
		return "max_size or expire_seconds is no number above 0";
	if (json_integer_value(value) < most)
		*ret = json_integer_value(value);
	return NULL;
}

static const char *add_type(
	const json_t *value, struct slice *types, struct arena *arena, struct caller *ret)
{
	struct slice type = text_of(value);
	if (slice_find(type, '/') == type.len || slice_find(type, '*') < type.len)
		return "one of types is no MIME type";
	types[ret->type_count] = media_type_lower(arena, type);
	return types[ret->type_count++].ptr ? NULL : "there is no memory";
}

static const char *read_types(const json_t *list, struct arena *arena, struct caller *ret)
{
	size_t i;
	json_t *value;
	if (!list)
		return NULL;
	if (!json_is_array(list) || json_array_size(list) > SETTINGS_WORDS_MAX)
		return "types is no list, or a long one";
	struct slice *types = arena_alloc(arena, SETTINGS_WORDS_MAX * sizeof(*types));
	if (!types)
		return "there is no memory";
	ret->types = types;
	json_array_foreach(list, i, value)
	{
		const char *fault = add_type(value, types, arena, ret);
		if (fault)
			return fault;
	}
	return ret->type_count > 0 ? NULL : "types is empty";
}

/* In a header of the object's answers, and so printable ASCII. */
static bool is_value(struct slice text)
{
	for (size_t i = 0; i < text.len; i++)
		if (text.ptr[i] < 0x20 || text.ptr[i] >= 0x7f)
			return false;
	return text.len > 0;
}

static const char *add_metadata(const char *name, const json_t *value,
	struct profile_metadata *list, struct arena *arena, struct caller *ret)
{
	struct profile_metadata *one = &list[ret->metadata_count];
	SCOPED_STRBUF(header, LIMIT_FIELD_NAME_BYTES);
	const char *fault = read_text(value, arena, &one->value);
	if (fault)
		return fault;
	if (!profile_metadata_name(slice_str(name)) || !is_value(one->value))
		return "a name or a value of metadata cannot be one of x-oss-meta-";
	strbuf_adds(&header, "x-oss-meta-");
	strbuf_adds(&header, name);
	if (strbuf_broken(&header))
		return strbuf_starved(&header) ? "there is no memory"
					       : "a name of metadata is too long";
	one->name = arena_copy(arena, strbuf_slice(&header));
	ret->metadata_count++;
	return one->name.ptr ? NULL : "there is no memory";
}

static const char *read_metadata(json_t *object, struct arena *arena, struct caller *ret)
{
	const char *name;
	json_t *value;
	if (!object)
		return NULL;
	if (!json_is_object(object) || json_object_size(object) > LIMIT_PROFILE_METADATA)
		return "metadata is no object, or a large one";
	struct profile_metadata *list = arena_alloc(arena, LIMIT_PROFILE_METADATA * sizeof(*list));
	if (!list)
		return "there is no memory";
	ret->metadata = list;
	json_object_foreach(object, name, value)
	{
		const char *fault = add_metadata(name, value, list, arena, ret);
		if (fault)
			return fault;
	}
	return NULL;
}

/* What can stand behind `x:` in OSS. */
static bool is_variable(struct slice name)
{
	for (size_t i = 0; i < name.len; i++) {
		char c = name.ptr[i];
		if (!(c >= 'a' && c <= 'z') && !ascii_digit(c) && c != '-' && c != '_')
			return false;
	}
	return name.len > 0;
}

static const char *add_variable(
	const char *name, const json_t *value, struct arena *arena, struct strbuf *json)
{
	struct slice text;
	const char *fault = read_text_of(value, LIMIT_VARIABLES_BYTES, arena, &text);
	if (fault)
		return fault;
	if (!is_variable(slice_str(name)))
		return "a name in variables has other than small letters, digits, `-` and `_`";
	json_member_string(json, name, text);
	return NULL;
}

/* They are kept as JSON, because they come back so. */
static const char *read_variables(json_t *object, struct arena *arena, struct caller *ret)
{
	SCOPED_STRBUF(json, 8 * LIMIT_FORWARD_ANSWER_BYTES);
	const char *name, *fault = NULL;
	json_t *value;
	if (!object)
		return NULL;
	if (!json_is_object(object) || json_object_size(object) > LIMIT_VARIABLES)
		return "variables is no object, or has more than 16 members";
	if (json_object_size(object) == 0)
		return NULL;
	strbuf_addc(&json, '{');
	json_object_foreach(object, name, value)
	{
		fault = add_variable(name, value, arena, &json);
		if (fault)
			return fault;
	}
	strbuf_addc(&json, '}');
	if (json.len > LIMIT_VARIABLES_BYTES)
		return "variables are more than 1 KiB of JSON";
	ret->variables = arena_copy(arena, strbuf_slice(&json));
	return ret->variables.ptr && !strbuf_broken(&json) ? NULL : "there is no memory";
}

static const char *read_members(
	const struct rules *rules, const json_t *answer, struct arena *arena, struct caller *ret)
{
	const struct jwt_rules *jwt = &rules->jwt_rules;
	const char *fault = read_text(json_object_get(answer, "sub"), arena, &ret->subject);
	for (size_t i = 0; i < jwt->claim_count && !fault; i++)
		fault = read_text(
			json_object_get(answer, jwt->claims[i].ptr), arena, &ret->values[i]);
	if (!fault)
		fault = read_text(json_object_get(answer, "prefix"), arena, &ret->prefix);
	if (!fault)
		fault = read_number(json_object_get(answer, "max_size"), INT64_MAX, &ret->max_size);
	if (!fault)
		fault = read_number(json_object_get(answer, "expire_seconds"),
			rules->expire_seconds, &ret->expire_seconds);
	if (!fault)
		fault = read_number(json_object_get(answer, "expire_seconds"),
			rules->multipart_expire_seconds, &ret->multipart_seconds);
	if (!fault)
		fault = read_types(json_object_get(answer, "types"), arena, ret);
	if (!fault)
		fault = read_metadata(json_object_get(answer, "metadata"), arena, ret);
	if (!fault)
		fault = read_variables(json_object_get(answer, "variables"), arena, ret);
	if (!fault && !key_prefix_is_safe(ret->prefix))
		fault = "prefix could leave its folder";
	return fault;
}

/* It would not be clear what is meant, or could not come back as it is. */
static const char *why_unreadable(const json_error_t *error)
{
	enum json_error_code code = json_error_code(error);
	if (code == json_error_duplicate_key)
		return "a member stands twice in its JSON";
	if (code == json_error_null_character || code == json_error_null_byte_in_key)
		return "there is a NUL in a text of its JSON";
	if (code == json_error_numeric_overflow)
		return "a number in its JSON is too large";
	if (code == json_error_invalid_utf8)
		return "its JSON is not UTF-8";
	return "it is not one JSON object";
}

const char *forward_answer_parse(
	const struct rules *rules, struct slice json, struct arena *arena, struct caller *ret)
{
	bool no_memory;
	json_error_t error = {.text = ""};
	CLEANUP(scoped_json)
	json_t *answer = json_load_text(json, JSON_REJECT_DUPLICATES, &error, &no_memory);
	*ret = caller_anybody(rules);
	if (no_memory)
		return "there is no memory to read it";
	return json_is_object(answer) ? read_members(rules, answer, arena, ret)
				      : why_unreadable(&error);
}
