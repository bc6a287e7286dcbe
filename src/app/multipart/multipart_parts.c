/* SPDX-License-Identifier: Apache-2.0 */
#include "app/multipart/multipart_parts.h"

#include <jansson.h>

#include "oss/text/xml.h"

#define ETAG_BYTES_MAX 128

static void scoped_json(json_t **value)
{
	json_decref(*value);
}

static const char *read_sizes(struct slice sizes, struct multipart_parts *parts)
{
	size_t count = 0;
	while (sizes.len > 0) {
		struct slice word;
		uint64_t size;
		(void)slice_cut(&sizes, ',', &word);
		if (count == parts->count || !slice_to_u64(word, &size) ||
			size > LIMIT_OBJECT_BYTES)
			return "The sizes are not one for each number, up to 5 GiB.";
		parts->list[count++].size = (int64_t)size;
	}
	return count == 0 || count == parts->count
		       ? NULL
		       : "The sizes are not one for each number, up to 5 GiB.";
}

const char *multipart_parts_parse(
	struct slice numbers, struct slice sizes, struct arena *arena, struct multipart_parts *ret)
{
	size_t most = 1;
	for (size_t i = 0; i < numbers.len; i++)
		most += numbers.ptr[i] == ',';
	if (most > LIMIT_PART_URLS)
		return "There are too many numbers at once.";
	*ret = (struct multipart_parts){.list = arena_alloc(arena, most * sizeof(*ret->list))};
	if (!ret->list)
		return "There is no memory; try again.";
	while (numbers.len > 0) {
		struct slice word;
		uint64_t number;
		(void)slice_cut(&numbers, ',', &word);
		if (!slice_to_u64(word, &number) || number < 1 || number > LIMIT_PARTS)
			return "A part's number is from 1 to 10000.";
		ret->list[ret->count++] =
			(struct multipart_part){.number = (unsigned int)number, .size = -1};
	}
	if (ret->count == 0)
		return "A part's number is from 1 to 10000.";
	return read_sizes(sizes, ret);
}

static bool add_part(const json_t *part, struct strbuf *out)
{
	const json_t *number = json_object_get(part, "PartNumber");
	const json_t *etag = json_object_get(part, "ETag");
	json_int_t value = json_integer_value(number);
	struct slice text = slice_of(json_string_value(etag), json_string_length(etag));
	if (!json_is_integer(number) || value < 1 || value > LIMIT_PARTS || !json_is_string(etag) ||
		text.len == 0 || text.len > ETAG_BYTES_MAX)
		return false;
	if (text.len > 2 && text.ptr[0] == '"' && text.ptr[text.len - 1] == '"')
		text = slice_of(text.ptr + 1, text.len - 2);
	strbuf_addf(out, "<Part><PartNumber>%u</PartNumber><ETag>\"", (unsigned int)value);
	xml_escape(out, text);
	strbuf_adds(out, "\"</ETag></Part>");
	return true;
}

const char *multipart_parts_document(struct slice json, struct strbuf *out)
{
	CLEANUP(scoped_json)
	json_t *request = json_loadb(json.ptr, json.len, JSON_REJECT_DUPLICATES, NULL);
	const json_t *parts = json_object_get(request, "parts");
	size_t count = json_array_size(parts);
	if (count < 1 || count > LIMIT_PARTS)
		return "`parts` must be a list of 1 to 10000 parts.";
	strbuf_adds(out, "<CompleteMultipartUpload>");
	for (size_t i = 0; i < count; i++)
		if (!add_part(json_array_get(parts, i), out))
			return "A part has a PartNumber from 1 to 10000 and an ETag.";
	strbuf_adds(out, "</CompleteMultipartUpload>");
	return strbuf_broken(out) ? "There is no memory; try again." : NULL;
}
