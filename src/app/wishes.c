/* SPDX-License-Identifier: Apache-2.0 */
#include "app/wishes.h"

#include <jansson.h>

static void scoped_json(json_t **value)
{
	json_decref(*value);
}

/* Empty if it is missing. False if it is no text, or without memory. */
static bool read_text(
	const json_t *object, const char *name, struct arena *arena, struct slice *ret)
{
	const json_t *value = json_object_get(object, name);
	*ret = S("");
	if (!value || json_is_null(value))
		return true;
	if (!json_is_string(value))
		return false;
	*ret = arena_copy(arena, slice_of(json_string_value(value), json_string_length(value)));
	return ret->ptr != NULL;
}

static bool read_size(const json_t *object, int64_t *ret)
{
	const json_t *value = json_object_get(object, "size");
	*ret = -1;
	if (!value || json_is_null(value))
		return true;
	if (!json_is_integer(value) || json_integer_value(value) < 0)
		return false;
	*ret = json_integer_value(value);
	return true;
}

static const char *read_file(
	const json_t *object, const char *name, struct arena *arena, struct wish *ret)
{
	ret->has_file = true;
	if (!json_is_object(object) || !read_text(object, name, arena, &ret->file_name) ||
		!read_text(object, "type", arena, &ret->type) || !read_size(object, &ret->size))
		return "A file has a name and a type, which are text, and a size, which is a "
		       "number.";
	return NULL;
}

const char *wishes_parse(struct slice json, struct arena *arena, struct wishes *ret)
{
	CLEANUP(scoped_json)
	json_t *request = json_loadb(json.ptr, json.len, JSON_REJECT_DUPLICATES, NULL);
	const json_t *files = json_object_get(request, "files");
	struct slice profile;
	size_t count = json_array_size(files);
	if (!json_is_object(request) || !read_text(request, "profile", arena, &profile))
		return "The body must be a JSON object; `profile` is text.";
	if (count < 1 || count > LIMIT_GRANT_FILES)
		return "`files` must be a list of 1 to 100 files.";
	*ret = (struct wishes){.list = arena_zalloc(arena, count * sizeof(*ret->list))};
	const char *fault = ret->list ? NULL : "There is no memory; try again.";
	for (; ret->count < count && !fault; ret->count++) {
		struct wish *wish = &ret->list[ret->count];
		fault = read_file(json_array_get(files, ret->count), "name", arena, wish);
		wish->profile = profile;
	}
	return fault;
}

const char *wish_parse(struct slice json, struct arena *arena, struct wish *ret)
{
	CLEANUP(scoped_json)
	json_t *request = json_loadb(json.ptr, json.len, JSON_REJECT_DUPLICATES, NULL);
	*ret = (struct wish){.size = -1};
	if (!json_is_object(request))
		return "The body must be a JSON object.";
	const char *fault = read_file(request, "filename", arena, ret);
	if (!fault && !read_text(request, "profile", arena, &ret->profile))
		fault = "`profile` is text.";
	const json_t *metadata = json_object_get(request, "metadata");
	if (!fault && ret->profile.len == 0 &&
		!read_text(metadata, "profile", arena, &ret->profile))
		fault = "`profile` is text.";
	return fault;
}
