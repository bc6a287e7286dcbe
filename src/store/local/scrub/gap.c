/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A place of the log without good records. The index says what lay there: the bytes of each object
 * and part are compared with their CRC-64, for only a header or a name may be damaged.
 */
#include "crypto/crc64.h"
#include "store/local/disk/bytes.h"
#include "store/local/disk/files.h"
#include "store/local/scrub/scrub_internal.h"

struct gap {
	struct scrub *scrub;
	struct segment *segment;
	uint64_t begin;
	uint64_t end;
	bool has_damaged_bytes;
};

static bool lies_within(const struct gap *gap, const struct location *where)
{
	return where->segment == gap->segment->id && where->offset < gap->end &&
	       where->offset + where->length > gap->begin;
}

static bool is_whole(const struct gap *gap, const struct entry *entry)
{
	struct files_bad bad = {.bytes = 0};
	size_t size = (size_t)entry->meta.object.size; /* as entry_parse() has checked */
	size_t got = 0;
	int e = files_read_around(gap->segment->fd, gap->scrub->block, size,
		entry->where.offset + entry->where.data_offset, &got, &bad);
	return e == 0 && bad.bytes == 0 && got == size &&
	       crc64_update(0, slice_of(gap->scrub->block, got)) == entry->meta.object.crc64;
}

static bool has_damaged_bytes(const struct gap *gap, struct slice value, struct entry *ret)
{
	return entry_parse(value, ret) && ret->meta.place == OBJECT_INLINE &&
	       lies_within(gap, &ret->where) && !is_whole(gap, ret);
}

static void tell(struct gap *gap, const struct entry *entry, const struct owner *owner)
{
	gap->has_damaged_bytes = true;
	tell_object(gap->scrub, owner, true, gap->segment->id,
		entry->where.offset + entry->where.data_offset);
}

static void look_at_object(
	struct gap *gap, enum key_kind kind, struct slice rest, const struct entry *entry)
{
	struct owner owner = {.object = entry->meta.object};
	uint64_t ignored;
	if (rest.len <= 8)
		return;
	owner.bucket_id = be64_get(rest.ptr);
	owner.key = slice_from(rest, 8);
	if (kind == KEY_VERSION && !key_split_version(slice_from(rest, 8), &owner.key, &ignored))
		return;
	tell(gap, entry, &owner);
}

static void look_at_part(struct gap *gap, struct slice rest, const struct entry *entry)
{
	char key[KEY_MAX];
	struct owner owner;
	if (rest.len != 16)
		return;
	find_owner(gap->scrub, be64_get(rest.ptr), key, &owner);
	tell(gap, entry, &owner);
}

static void look_at_kind(struct gap *gap, enum key_kind kind)
{
	struct key prefix;
	struct slice rest;
	struct slice value;
	struct entry entry;
	key_kind(&prefix, kind);
	struct index_cursor *cursor = index_cursor_new(gap->scrub->local->index, NULL, &prefix);
	if (!cursor)
		return;
	for (index_cursor_seek(cursor, S(""));
		!scrub_stopping(gap->scrub) && index_cursor_at(cursor, &rest, &value);
		index_cursor_next(cursor)) {
		if (!has_damaged_bytes(gap, value, &entry))
			continue;
		if (kind == KEY_PART)
			look_at_part(gap, rest, &entry);
		else
			look_at_object(gap, kind, rest, &entry);
	}
	index_cursor_free(cursor);
}

void gap_scrub(struct scrub *scrub, struct segment *segment, uint64_t begin, uint64_t end)
{
	static const enum key_kind kinds[] = {KEY_OBJECT, KEY_VERSION, KEY_PART};
	struct gap gap = {.scrub = scrub, .segment = segment, .begin = begin, .end = end};
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
		look_at_kind(&gap, kinds[i]);
	if (!gap.has_damaged_bytes && !scrub_stopping(scrub))
		tell_log(scrub, segment->id, begin, end);
}
