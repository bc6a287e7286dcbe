/* SPDX-License-Identifier: Apache-2.0 */
#include "app/credentials/credential_json.h"

#include <jansson.h>

#include "oss/text/iso8601.h"
#include "oss/text/json_load.h"

static void scoped_json(json_t **value)
{
	json_decref(*value);
}

static bool is_absent(const json_t *value)
{
	return !value || json_is_null(value);
}

static const char *read_text(
	const json_t *object, const char *name, struct arena *arena, struct slice *ret)
{
	const json_t *value = json_object_get(object, name);
	*ret = S("");
	if (is_absent(value))
		return NULL;
	if (!json_is_string(value))
		return "a member that should be text is not";
	*ret = arena_copy(arena, slice_of(json_string_value(value), json_string_length(value)));
	return ret->ptr ? NULL : "there is no memory";
}

static const char *read_expiry(const json_t *object, struct arena *arena, int64_t *ret)
{
	struct slice text;
	int64_t ms;
	const char *fault = read_text(object, "Expiration", arena, &text);
	*ret = CREDENTIALS_FOREVER;
	if (fault || is_absent(json_object_get(object, "Expiration")))
		return fault;
	if (!iso8601_parse(text, &ms))
		return "Expiration is no time such as 2026-01-31T12:00:00Z";
	*ret = ms / 1000;
	return NULL;
}

static const char *read_members(
	const json_t *object, struct arena *arena, struct credential_values *ret)
{
	const char *fault = read_text(object, "AccessKeyId", arena, &ret->id);
	if (!fault)
		fault = read_text(object, "AccessKeySecret", arena, &ret->secret);
	if (!fault)
		fault = read_text(object, "SecurityToken", arena, &ret->token);
	if (!fault)
		fault = read_expiry(object, arena, &ret->expires);
	if (!fault && (ret->id.len == 0 || ret->secret.len == 0))
		fault = "AccessKeyId or AccessKeySecret is missing";
	return fault;
}

const char *credential_json_parse(
	struct slice json, struct arena *arena, struct credential_values *ret)
{
	bool no_memory;
	CLEANUP(scoped_json)
	json_t *root = json_load_text(json, JSON_REJECT_DUPLICATES, NULL, &no_memory);
	const json_t *code = json_object_get(root, "Code");
	const json_t *inner = json_object_get(root, "Credentials");
	*ret = (struct credential_values){S(""), S(""), S(""), CREDENTIALS_FOREVER};
	if (no_memory)
		return "there is no memory to read it";
	if (!json_is_object(root) || (inner && !json_is_object(inner)))
		return "it is not one JSON object";
	/* The metadata service says so besides the status. */
	if (json_is_string(code) && strcmp(json_string_value(code), "Success") != 0)
		return "its Code is not Success";
	return read_members(inner ? inner : root, arena, ret);
}

void credential_json_fault(struct slice json, struct strbuf *out)
{
	bool no_memory;
	CLEANUP(scoped_json)
	json_t *root = json_load_text(json, JSON_REJECT_DUPLICATES, NULL, &no_memory);
	const char *code = json_string_value(json_object_get(root, "Code"));
	const char *message = json_string_value(json_object_get(root, "Message"));
	strbuf_adds(out, code ? code : "");
	strbuf_adds(out, code && message ? ": " : "");
	strbuf_adds(out, message ? message : "");
}
