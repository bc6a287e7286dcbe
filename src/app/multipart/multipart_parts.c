/* SPDX-License-Identifier: Apache-2.0 */
#include "app/multipart/multipart_parts.h"

#include "app/text/content_hash.h"
#include "oss/text/json_load.h"
#include "oss/text/xml.h"

#define ETAG_BYTES_MAX 128

const char multipart_no_memory[] = "There is no memory; try again.";

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
		return multipart_no_memory;
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

/* ---- A completion -----------------------------------------------------------------------------
 */

static const char *read_part(const json_t *part, struct arena *arena, struct multipart_named *ret)
{
	const json_t *number = json_object_get(part, "PartNumber");
	const json_t *etag = json_object_get(part, "ETag");
	json_int_t value = json_integer_value(number);
	struct slice text = slice_of(json_string_value(etag), json_string_length(etag));
	if (!json_is_integer(number) || value < 1 || value > LIMIT_PARTS || !json_is_string(etag) ||
		text.len == 0 || text.len > ETAG_BYTES_MAX)
		return "A part has a PartNumber from 1 to 10000 and an ETag.";
	ret->number = (unsigned int)value;
	ret->etag = arena_copy(arena, multipart_etag(text));
	return ret->etag.ptr ? NULL : multipart_no_memory;
}

static const char *read_parts(
	const json_t *parts, struct arena *arena, struct multipart_completion *ret)
{
	size_t count = json_array_size(parts);
	unsigned int last = 0;
	const char *fault = NULL;
	if (count < 1 || count > LIMIT_PARTS)
		return "`parts` must be a list of 1 to 10000 parts.";
	*ret = (struct multipart_completion){
		.list = arena_alloc(arena, count * sizeof(*ret->list))};
	if (!ret->list)
		return multipart_no_memory;
	for (; ret->count < count && !fault; ret->count++) {
		struct multipart_named *part = &ret->list[ret->count];
		fault = read_part(json_array_get(parts, ret->count), arena, part);
		if (!fault && part->number <= last)
			fault = "The numbers of the parts must rise.";
		last = part->number;
	}
	return fault;
}

static const char *read_sum(const json_t *value, struct arena *arena, struct slice *ret)
{
	static const char bad[] = "`crc64` is a decimal number of 64 bits, as text.";
	uint64_t sum;
	*ret = S("");
	if (!value)
		return NULL;
	struct slice text = slice_of(json_string_value(value), json_string_length(value));
	if (!json_is_string(value) || !slice_to_u64(text, &sum))
		return bad;
	SCOPED_STRBUF(plain, 32);
	strbuf_add_u64(&plain, sum);
	*ret = arena_copy(arena, strbuf_slice(&plain));
	return ret->ptr && !strbuf_broken(&plain) ? NULL : multipart_no_memory;
}

static const char *read_hash(const json_t *value, struct arena *arena, struct slice *ret)
{
	*ret = S("");
	if (!value)
		return NULL;
	struct slice text = slice_of(json_string_value(value), json_string_length(value));
	if (!json_is_string(value) || !content_hash_is_valid(text))
		return "`sha256` is 64 hexadecimal digits with small letters.";
	*ret = arena_copy(arena, text);
	return ret->ptr ? NULL : multipart_no_memory;
}

const char *multipart_completion_parse(struct slice json, struct arena *arena,
	struct budget_account *account, struct multipart_completion *ret)
{
	struct json_counted request;
	const char *fault = multipart_no_memory;
	if (json_load_counted(json, JSON_REJECT_DUPLICATES, account, &request))
		fault = read_parts(json_object_get(request.value, "parts"), arena, ret);
	if (!fault)
		fault = read_sum(json_object_get(request.value, "crc64"), arena, &ret->crc64);
	if (!fault)
		fault = read_hash(json_object_get(request.value, "sha256"), arena, &ret->sha256);
	json_counted_release(&request);
	return fault;
}

void multipart_completion_write(const struct multipart_completion *completion, struct strbuf *out)
{
	strbuf_adds(out, "<CompleteMultipartUpload>");
	for (size_t i = 0; i < completion->count; i++) {
		const struct multipart_named *part = &completion->list[i];
		strbuf_addf(out, "<Part><PartNumber>%u</PartNumber><ETag>\"", part->number);
		xml_escape(out, part->etag);
		strbuf_adds(out, "\"</ETag></Part>");
	}
	strbuf_adds(out, "</CompleteMultipartUpload>");
}

void multipart_match_part(struct multipart_match *match, const struct multipart_listed *part)
{
	const struct multipart_completion *c = match->completion;
	/* If one is not there, all behind it are not found. */
	if (match->found == c->count || c->list[match->found].number != part->number ||
		!slice_eq_nocase(c->list[match->found].etag, multipart_etag(part->etag)))
		return;
	match->found++;
	match->bytes =
		part->size > UINT64_MAX - match->bytes ? UINT64_MAX : match->bytes + part->size;
}

bool multipart_match_all(const struct multipart_match *match)
{
	return match->found == match->completion->count;
}
