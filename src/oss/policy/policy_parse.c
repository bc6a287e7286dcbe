/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads a policy. The rule throughout: what is not understood wholly is refused, because a
 * condition that is skipped is a door that its author believes to be shut.
 */
#include <jansson.h>
#include <string.h>

#include "base/encode.h"
#include "base/limits.h"
#include "oss/policy/policy_internal.h"
#include "oss/text/iso8601.h"
#include "oss/text/json_load.h"

/* How deep a policy nests: itself, its conditions, one of them, the list of an `in`. */
#define DEPTH 4

struct reader {
	struct arena *arena;
	struct refusal *why;
	struct policy *policy;
};

#define REFUSE(r, ec, ...) \
	policy_refuse((r)->why, (r)->arena, ERR_INVALID_POLICY, (ec), __VA_ARGS__)

static void scoped_json(json_t **json)
{
	json_decref(*json);
}

/*
 * Appends `text` with each `\$` inside a string as `\\$`. OSS's documentation escapes a dollar that
 * way, which JSON does not know (spec: PostObject section 5.4). False if it nests too deep for a
 * policy.
 */
static bool make_strict(struct slice text, struct strbuf *out)
{
	bool in_string = false;
	int depth = 0;
	size_t done = 0; /* bytes that are in `out` already */
	for (size_t i = 0; i < text.len; i++) {
		char c = text.ptr[i];
		if (in_string && c == '\\' && i + 1 < text.len) {
			if (text.ptr[++i] != '$')
				continue;
			strbuf_add(out, text.ptr + done, i - done);
			strbuf_addc(out, '\\');
			done = i;
		} else if (c == '"') {
			in_string = !in_string;
		} else if (!in_string && (c == '{' || c == '[')) {
			if (++depth > DEPTH)
				return false;
		} else if (!in_string && (c == '}' || c == ']')) {
			depth--;
		}
	}
	strbuf_add_slice(out, slice_from(text, done));
	return true;
}

/* A copy of the string with `\$` as `$`; ptr is NULL without memory. */
static struct slice copy_text(struct reader *r, const json_t *string)
{
	struct slice text = slice_of(json_string_value(string), json_string_length(string));
	char *copy = arena_alloc(r->arena, text.len + 1);
	size_t len = 0;
	for (size_t i = 0; copy && i < text.len; i++) {
		if (text.ptr[i] == '\\' && i + 1 < text.len && text.ptr[i + 1] == '$')
			i++;
		copy[len++] = text.ptr[i];
	}
	return slice_of(copy, len);
}

/* The next of the policy's conditions; there is room for all. */
static struct condition *next_condition(struct reader *r)
{
	return &r->policy->conditions[r->policy->condition_count];
}

static enum err add_condition(struct reader *r, enum condition_kind kind, struct slice name,
	struct slice *values, size_t value_count)
{
	*next_condition(r) = (struct condition){kind, name, values, value_count};
	r->policy->condition_count++;
	return ERR_OK;
}

static enum err add_text_condition(
	struct reader *r, enum condition_kind kind, struct slice name, const json_t *value)
{
	struct slice *copy = arena_alloc(r->arena, sizeof(*copy));
	if (!copy)
		return ERR_UNAVAILABLE;
	*copy = copy_text(r, value);
	return copy->ptr ? add_condition(r, kind, name, copy, 1) : ERR_UNAVAILABLE;
}

/* {"name": "value"} */
static enum err read_object(struct reader *r, json_t *object)
{
	if (json_object_size(object) != 1)
		return REFUSE(r, NULL,
			"Invalid Policy: Invalid Simple-Condition: Simple-Conditions must have "
			"exactly one property specified.");
	void *at = json_object_iter(object);
	const json_t *value = json_object_iter_value(at);
	if (!json_is_string(value))
		return REFUSE(r, NULL,
			"Invalid Policy: Invalid Simple-Condition: the value must be a string.");
	struct slice name = arena_copy(r->arena, slice_str(json_object_iter_key(at)));
	return name.ptr ? add_text_condition(r, CONDITION_EQ, name, value) : ERR_UNAVAILABLE;
}

/* A bound of a range: *ret is untouched unless it is an integer of 0 or more. */
static bool read_bound(const json_t *value, uint64_t *ret)
{
	if (!json_is_integer(value) || json_integer_value(value) < 0)
		return false;
	*ret = (uint64_t)json_integer_value(value);
	return true;
}

/* ["content-length-range", min, max]; several of them all hold. */
static enum err read_range(struct reader *r, const json_t *array)
{
	struct policy_size *size = &r->policy->size;
	uint64_t min, max;
	if (json_array_size(array) != 3)
		return REFUSE(r, NULL,
			"Invalid Policy: Invalid Condition: content-length-range needs a minimum "
			"and a maximum.");
	if (json_is_string(json_array_get(array, 1)) || json_is_string(json_array_get(array, 2)))
		return REFUSE(r, NULL, "Invalid Policy: Invalid JSON. ");
	if (!read_bound(json_array_get(array, 1), &min))
		return REFUSE(r, "0006-00000220",
			"Invalid Policy: Invalid Condition: the minimum of content-length-range "
			"must be an integer of 0 or more.");
	if (!read_bound(json_array_get(array, 2), &max))
		return REFUSE(r, "0006-00000221",
			"Invalid Policy: Invalid Condition: the maximum of content-length-range "
			"must be an integer of 0 or more.");
	if (max < min)
		return REFUSE(r, "0006-00000219",
			"Invalid Policy: Invalid Condition: the maximum of content-length-range is "
			"less than its minimum.");
	if (min > size->min)
		size->min = min;
	if (max < size->max)
		size->max = max;
	return ERR_OK;
}

static enum err read_list(
	struct reader *r, enum condition_kind kind, struct slice name, const json_t *list)
{
	if (!json_is_array(list))
		return REFUSE(r, "0006-00000224",
			"Invalid Policy: Invalid Condition: in and not-in need a list of values.");
	size_t count = json_array_size(list);
	struct slice *values = arena_alloc(r->arena, (count + 1) * sizeof(*values));
	if (!values)
		return ERR_UNAVAILABLE;
	for (size_t i = 0; i < count; i++) {
		const json_t *value = json_array_get(list, i);
		if (!json_is_string(value))
			return REFUSE(r, "0006-00000224",
				"Invalid Policy: Invalid Condition: in and not-in need a list of "
				"strings.");
		values[i] = copy_text(r, value);
		if (!values[i].ptr)
			return ERR_UNAVAILABLE;
	}
	return add_condition(r, kind, name, values, count);
}

/* [operator, "$name", value] */
static enum err read_match(struct reader *r, enum condition_kind kind, const json_t *array)
{
	const json_t *operand = json_array_get(array, 1), *value = json_array_get(array, 2);
	if (json_array_size(array) != 3)
		return REFUSE(r, NULL,
			"Invalid Policy: Invalid Condition: a condition needs an operator, a name "
			"and a value.");
	if (!json_is_string(operand))
		return REFUSE(
			r, NULL, "Invalid Policy: Invalid Condition: the name must be a string.");
	struct slice name = copy_text(r, operand);
	if (!name.ptr)
		return ERR_UNAVAILABLE;
	if (name.len < 2 || name.ptr[0] != '$')
		return REFUSE(
			r, NULL, "Invalid Policy: Invalid Condition: the name must begin with $.");
	name = slice_from(name, 1);
	if (kind == CONDITION_IN || kind == CONDITION_NOT_IN)
		return read_list(r, kind, name, value);
	if (!json_is_string(value))
		return REFUSE(r, "0006-00000224",
			"Invalid Policy: Invalid Condition: eq and starts-with need a string.");
	return add_text_condition(r, kind, name, value);
}

static enum err read_array(struct reader *r, const json_t *array)
{
	static const struct {
		struct slice name;
		enum condition_kind kind;
	} operators[] = {
		{SLICE_LIT("eq"), CONDITION_EQ},
		{SLICE_LIT("starts-with"), CONDITION_STARTS_WITH},
		{SLICE_LIT("in"), CONDITION_IN},
		{SLICE_LIT("not-in"), CONDITION_NOT_IN},
	};
	const json_t *first = json_array_get(array, 0);
	struct slice name = {NULL, 0};
	if (json_is_string(first))
		name = slice_of(json_string_value(first), json_string_length(first));
	if (slice_eq(name, S("content-length-range")))
		return read_range(r, array);
	for (size_t i = 0; i < ARRAY_LEN(operators); i++)
		if (slice_eq(name, operators[i].name))
			return read_match(r, operators[i].kind, array);
	return REFUSE(r, NULL,
		"Invalid Policy: Invalid Condition: the operator must be eq, starts-with, in, "
		"not-in "
		"or content-length-range.");
}

static enum err read_conditions(struct reader *r, const json_t *conditions)
{
	size_t count = json_array_size(conditions);
	if (!json_is_array(conditions))
		return REFUSE(r, NULL, "Invalid Policy: Invalid JSON: conditions must be a list.");
	if (count == 0)
		return REFUSE(r, NULL,
			"Invalid Policy: Invalid Simple-Condition: Simple-Conditions must have "
			"exactly one property specified.");
	r->policy->conditions = arena_alloc(r->arena, count * sizeof(struct condition));
	if (!r->policy->conditions)
		return ERR_UNAVAILABLE;
	for (size_t i = 0; i < count; i++) {
		json_t *condition = json_array_get(conditions, i);
		enum err e;
		if (json_is_object(condition))
			e = read_object(r, condition);
		else if (json_is_array(condition))
			e = read_array(r, condition);
		else
			e = REFUSE(r, "0006-00000222",
				"Invalid Policy: Invalid Condition: a condition must be an object "
				"or a "
				"list.");
		if (e)
			return e;
	}
	return ERR_OK;
}

static enum err read_expiration(struct reader *r, const json_t *expiration)
{
	if (!expiration)
		return REFUSE(r, "0006-00000208", "Invalid Policy: Policy missing expiration.");
	if (!json_is_string(expiration))
		return REFUSE(r, "0006-00000210",
			"Invalid Policy: Invalid 'expiration' value: it must be a string.");
	struct slice text = slice_of(json_string_value(expiration), json_string_length(expiration));
	if (text.len == 0)
		return REFUSE(r, "0006-00000211",
			"Invalid Policy: Invalid 'expiration' value: it is empty.");
	if (!iso8601_parse(text, &r->policy->expiration_ms))
		return REFUSE(r, NULL,
			"Invalid Policy: Invalid 'expiration' value: it must be a UTC time like "
			"2014-12-01T12:00:00.000Z.");
	return ERR_OK;
}

static enum err read_document(struct reader *r, json_t *document)
{
	const char *name;
	json_t *member;
	if (!json_is_object(document))
		return REFUSE(r, NULL, "Invalid Policy: Invalid JSON: an object is expected.");
	json_object_foreach(document, name, member)
	{
		if (strcmp(name, "expiration") != 0 && strcmp(name, "conditions") != 0)
			return REFUSE(r, NULL,
				"Invalid Policy: Unexpected member: only expiration and conditions "
				"are known.");
	}
	enum err e = read_expiration(r, json_object_get(document, "expiration"));
	if (e)
		return e;
	json_t *conditions = json_object_get(document, "conditions");
	if (!conditions)
		return REFUSE(r, NULL, "Invalid Policy: Policy missing conditions.");
	return read_conditions(r, conditions);
}

/* The library's complaint without the piece of the policy that it quotes behind it. */
static enum err refuse_json(struct reader *r, const json_error_t *error)
{
	struct slice text = slice_str(error->text);
	text = slice_head(text, slice_find_slice(text, S(" near ")));
	return REFUSE(r, NULL, "Invalid Policy: Invalid JSON: %.*s", SLICE_FMT(text));
}

static enum err read_text(struct reader *r, struct slice text)
{
	SCOPED_STRBUF(strict, 2 * LIMIT_POLICY_BYTES);
	json_error_t error;
	bool no_memory;
	if (!make_strict(text, &strict))
		return REFUSE(r, NULL, "Invalid Policy: Invalid JSON: nested too deep.");
	if (strbuf_broken(&strict))
		return ERR_UNAVAILABLE;
	CLEANUP(scoped_json)
	json_t *document =
		json_load_text(strbuf_slice(&strict), JSON_REJECT_DUPLICATES, &error, &no_memory);
	if (no_memory)
		return ERR_UNAVAILABLE;
	if (!document)
		return refuse_json(r, &error);
	return read_document(r, document);
}

enum err policy_parse(
	struct slice base64, struct arena *arena, const struct policy **ret, struct refusal *why)
{
	/* Three bytes a group of four digits, of which the last may hold two less. */
	SCOPED_STRBUF(text, LIMIT_POLICY_BYTES + 2);
	struct policy *policy = arena_zalloc(arena, sizeof(*policy));
	struct reader r = {.arena = arena, .why = why, .policy = policy};
	if (!policy)
		return ERR_UNAVAILABLE;
	policy->size.max = UINT64_MAX;
	/* Some encoders break the line after 76 digits. */
	SCOPED_STRBUF(digits, base64.len + 1);
	for (size_t i = 0; i < base64.len; i++)
		if (base64.ptr[i] != '\r' && base64.ptr[i] != '\n')
			strbuf_addc(&digits, base64.ptr[i]);
	if (strbuf_broken(&digits))
		return ERR_UNAVAILABLE;
	bool fits = digits.len / 4 * 3 <= LIMIT_POLICY_BYTES + 2;
	if (fits && !base64_decode(&text, strbuf_slice(&digits))) {
		if (strbuf_broken(&text))
			return ERR_UNAVAILABLE;
		return REFUSE(&r, NULL, "Invalid Policy: it is not base64.");
	}
	if (!fits || text.len > LIMIT_POLICY_BYTES)
		return REFUSE(&r, NULL, "Invalid Policy: it is longer than %zu bytes.",
			LIMIT_POLICY_BYTES);
	enum err e = read_text(&r, strbuf_slice(&text));
	if (!e)
		*ret = policy;
	return e;
}
