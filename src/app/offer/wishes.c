/* SPDX-License-Identifier: Apache-2.0 */
#include "app/offer/wishes.h"

#include "oss/text/json_load.h"

const char wishes_no_memory[] = "There is no memory; try again.";

/* Empty if it is missing. NULL, wishes_no_memory, or `fault` if it is no text. */
static const char *read_text(const json_t *object, const char *name, const char *fault,
	struct arena *arena, struct slice *ret)
{
	const json_t *value = json_object_get(object, name);
	*ret = S("");
	if (!value || json_is_null(value))
		return NULL;
	if (!json_is_string(value))
		return fault;
	*ret = arena_copy(arena, slice_of(json_string_value(value), json_string_length(value)));
	return ret->ptr ? NULL : wishes_no_memory;
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
	static const char bad[] =
		"A file has a name and a type, which are text, and a size, which is a number.";
	ret->has_file = true;
	if (!json_is_object(object))
		return bad;
	const char *fault = read_text(object, name, bad, arena, &ret->file_name);
	if (!fault)
		fault = read_text(object, "type", bad, arena, &ret->type);
	return fault ? fault : read_size(object, &ret->size) ? NULL : bad;
}

static const char *read_files(const json_t *request, struct arena *arena, void *to)
{
	struct wishes *ret = to;
	static const char bad[] = "The body must be a JSON object; `profile` is text.";
	const json_t *files = json_object_get(request, "files");
	struct slice profile;
	size_t count = json_array_size(files);
	const char *fault =
		json_is_object(request) ? read_text(request, "profile", bad, arena, &profile) : bad;
	if (!fault && (count < 1 || count > LIMIT_GRANT_FILES))
		fault = "`files` must be a list of 1 to 100 files.";
	if (fault)
		return fault;
	*ret = (struct wishes){.list = arena_zalloc(arena, count * sizeof(*ret->list))};
	if (!ret->list)
		return wishes_no_memory;
	for (; ret->count < count && !fault; ret->count++) {
		struct wish *wish = &ret->list[ret->count];
		fault = read_file(json_array_get(files, ret->count), "name", arena, wish);
		wish->profile = profile;
	}
	return fault;
}

static const char *read_one(const json_t *request, struct arena *arena, void *to)
{
	struct wish *ret = to;
	static const char bad[] = "`profile` is text.";
	*ret = (struct wish){.size = -1};
	if (!json_is_object(request))
		return "The body must be a JSON object.";
	const char *fault = read_file(request, "filename", arena, ret);
	if (!fault)
		fault = read_text(request, "profile", bad, arena, &ret->profile);
	if (!fault && ret->profile.len == 0)
		fault = read_text(
			json_object_get(request, "metadata"), "profile", bad, arena, &ret->profile);
	return fault;
}

static const char *parse(struct slice json, struct arena *arena, struct budget_account *account,
	const char *(*read)(const json_t *request, struct arena *arena, void *ret), void *ret)
{
	struct json_counted request;
	const char *fault = wishes_no_memory;
	if (json_load_counted(json, JSON_REJECT_DUPLICATES, account, &request))
		fault = read(request.value, arena, ret);
	json_counted_release(&request);
	return fault;
}

const char *wishes_parse(
	struct slice json, struct arena *arena, struct budget_account *account, struct wishes *ret)
{
	return parse(json, arena, account, read_files, ret);
}

const char *wish_parse(
	struct slice json, struct arena *arena, struct budget_account *account, struct wish *ret)
{
	return parse(json, arena, account, read_one, ret);
}
