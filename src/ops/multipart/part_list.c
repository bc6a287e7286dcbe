/* SPDX-License-Identifier: Apache-2.0 */
#include "ops/multipart/part_list.h"

#include <stdlib.h>

#include "base/encode.h"
#include "base/limits.h"
#include "oss/text/xml.h"

enum {
	FIRST_ROOM = 64
};

static enum err malformed(struct strbuf *reason, const char *why)
{
	strbuf_adds(reason, why);
	return ERR_MALFORMED_XML;
}

/* Room for one more part, which is zeroed. */
static bool grow(struct part_list *list)
{
	if (list->count == list->room) {
		size_t room = list->room ? 2 * list->room : FIRST_ROOM;
		void *parts = realloc(list->parts, room * sizeof(*list->parts));
		if (!parts)
			return false;
		list->parts = parts;
		list->room = room;
	}
	list->parts[list->count] = (struct store_part_named){.number = 0};
	return true;
}

static enum err part_opens(void *ctx, struct strbuf *reason)
{
	struct part_list *list = ctx;
	if (list->count >= LIMIT_PARTS)
		return malformed(reason, "There are more than 10000 parts.");
	list->has_number = false;
	list->has_etag = false;
	return grow(list) ? ERR_OK : ERR_UNAVAILABLE;
}

static enum err read_number(void *ctx, struct slice text, struct strbuf *reason)
{
	struct part_list *list = ctx;
	uint64_t number;
	if (list->has_number || !slice_to_u64(xml_trim(text), &number))
		return malformed(reason, "A Part must have one PartNumber, an integer.");
	if (number < 1 || number > LIMIT_PARTS)
		return ERR_INVALID_PART;
	list->parts[list->count].number = (uint32_t)number;
	list->has_number = true;
	return ERR_OK;
}

/* With quotes or without, in either case: all SDKs send it as they got it, or strip it. */
static enum err read_etag(void *ctx, struct slice text, struct strbuf *reason)
{
	struct part_list *list = ctx;
	struct store_part_named *part = &list->parts[list->count];
	struct slice tag = xml_trim(text);
	if (list->has_etag)
		return malformed(reason, "A Part has two ETags.");
	if (tag.len >= 2 && slice_starts(tag, S("\"")) && slice_ends(tag, S("\"")))
		tag = slice_of(tag.ptr + 1, tag.len - 2);
	if (!hex_decode(tag, part->md5, sizeof(part->md5)))
		return ERR_INVALID_PART;
	list->has_etag = true;
	return ERR_OK;
}

static enum err part_closes(void *ctx, struct strbuf *reason)
{
	struct part_list *list = ctx;
	const struct store_part_named *part = &list->parts[list->count];
	if (!list->has_number || !list->has_etag)
		return malformed(reason, "A Part has no PartNumber or no ETag.");
	if (list->count && part->number <= part[-1].number)
		return ERR_INVALID_PART_ORDER;
	list->count++;
	return ERR_OK;
}

enum err part_list_read(struct part_list *list, struct slice document, struct strbuf *reason)
{
	static const struct xml_element elements[] = {
		{.path = "/CompleteMultipartUpload"},
		{.path = "/CompleteMultipartUpload/Part", .open = part_opens, .close = part_closes},
		{.path = "/CompleteMultipartUpload/Part/PartNumber", .text = read_number},
		{.path = "/CompleteMultipartUpload/Part/ETag", .text = read_etag},
	};
	return xml_read(document, elements, ARRAY_LEN(elements), list, reason);
}

void part_list_release(struct part_list *list)
{
	free(list->parts);
	*list = (struct part_list){.parts = NULL};
}
