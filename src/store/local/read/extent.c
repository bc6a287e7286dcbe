/* SPDX-License-Identifier: Apache-2.0 */
#include "store/local/read/extent.h"

#include <errno.h>
#include <inttypes.h>

#include "base/log.h"
#include "store/local/disk/bytes.h"
#include "store/local/disk/files.h"
#include "store/local/large/large.h"
#include "store/local/large/sums.h"
#include "store/local/state/local_internal.h"

enum {
	/* The collector may move a part between looking it up and reaching for it. */
	TRIES = 10
};

/* Where the bytes are that the page of sums with the byte `at` is about. */
static enum extent_result open_sums(const struct entry *entry, uint64_t at, struct extent *extent,
	struct store_blob *blob, enum err *ret_err)
{
	uint64_t size = entry->meta.object.size;
	uint64_t page = at / SUMS_PAGE_COVERS;
	uint64_t offset = sums_offset(size) + page * SUMS_PAGE_BYTES;
	size_t got = 0;
	extent->sums = malloc(SUMS_PAGE_BYTES);
	if (!extent->sums) {
		*ret_err = ERR_UNAVAILABLE;
		return EXTENT_FAILED;
	}
	int e = files_read(blob->fd, extent->sums, SUMS_PAGE_BYTES, offset, &got);
	if (e == 0 && sums_page_parse(slice_of(extent->sums, got), entry->meta.file, size, page,
			      &blob->check)) {
		blob->offset = at;
		blob->size = blob->check.begin + blob->check.size - at;
		return EXTENT_OPEN;
	}
	if (e)
		log_error("store: cannot read the sums of large object %016" PRIx64 ": %s",
			entry->meta.file, files_text(e));
	blob->offset = offset;
	*ret_err = ERR_INTERNAL;
	return e ? EXTENT_FAILED : EXTENT_DAMAGED;
}

/* Where bytes are of the file that blob->fd is. */
static enum extent_result look_in_file(const struct entry *entry, uint64_t at,
	struct extent *extent, struct store_blob *blob, enum err *ret_err)
{
	blob->number = entry->meta.file;
	blob->in_log = false;
	/* An empty one has no blocks, and nothing to check. */
	if (entry->meta.has_sums && entry->meta.object.size)
		return open_sums(entry, at, extent, blob, ret_err);
	blob->offset = at;
	blob->size = entry->meta.object.size - at;
	blob->check = (struct block_check){
		.kind = BLOCK_CHECK_LATE,
		.begin = 0,
		.size = entry->meta.object.size,
		.crc64 = entry->meta.object.crc64,
	};
	return EXTENT_OPEN;
}

static enum extent_result open_file(struct local *local, const struct entry *entry, uint64_t at,
	struct extent *extent, struct store_blob *blob, enum err *ret_err)
{
	int e = large_files_read(local->files, entry->meta.file, &extent->fd);
	blob->fd = extent->fd;
	if (e == 0)
		return look_in_file(entry, at, extent, blob, ret_err);
	if (e == ENOENT)
		return EXTENT_MOVED;
	log_error("store: cannot open large object %016" PRIx64 ": %s", entry->meta.file,
		files_text(e));
	*ret_err = files_err(e);
	return EXTENT_FAILED;
}

enum extent_result extent_more(int fd, const struct entry *entry, uint64_t at,
	struct extent *extent, struct store_blob *ret_blob, enum err *ret_err)
{
	*extent = extent_none();
	ret_blob->fd = fd;
	enum extent_result result = look_in_file(entry, at, extent, ret_blob, ret_err);
	if (result != EXTENT_OPEN)
		extent_close(extent);
	return result;
}

enum extent_result extent_open(struct local *local, const struct entry *entry, uint64_t at,
	struct extent *extent, struct store_blob *ret_blob, enum err *ret_err)
{
	*extent = extent_none();
	ret_blob->bytes = NULL;
	if (entry->meta.place == OBJECT_FILE) {
		enum extent_result result = open_file(local, entry, at, extent, ret_blob, ret_err);
		if (result != EXTENT_OPEN)
			extent_close(extent);
		return result;
	}
	extent->segment = segment_pin(local->segments, entry->where.segment);
	if (!extent->segment)
		return EXTENT_MOVED;
	uint64_t begin = entry->where.offset + entry->where.data_offset;
	ret_blob->fd = extent->segment->fd;
	ret_blob->number = extent->segment->id;
	ret_blob->in_log = true;
	ret_blob->offset = begin + at;
	ret_blob->size = entry->meta.object.size - at;
	ret_blob->check = (struct block_check){
		.kind = BLOCK_CHECK_WHOLE,
		.begin = begin,
		.size = entry->meta.object.size,
		.crc64 = entry->meta.object.crc64,
	};
	return EXTENT_OPEN;
}

void extent_close(struct extent *extent)
{
	segment_unpin(TAKE(extent->segment));
	if (extent->fd >= 0)
		(void)close(extent->fd);
	extent->fd = -1;
	free(TAKE(extent->sums));
}

/* ---- Sets ------------------------------------------------------------------------------------ */

/* Puts the cursor on the part that the search begins with. */
static void seek(struct index_cursor *cursor, const struct part_reader *reader, uint64_t at)
{
	char number[8];
	if (reader->appendable) {
		be64_put(number, at);
		index_cursor_seek_back(cursor, slice_of(number, sizeof(number)));
	} else {
		be64_put(number, at >= reader->at ? reader->number : 0);
		index_cursor_seek(cursor, slice_of(number, sizeof(number)));
	}
}

/* The part with the byte `at`, where the reader is then; false if there is none. */
static bool find(
	struct index_cursor *cursor, struct part_reader *reader, uint64_t at, struct entry *ret)
{
	struct slice rest;
	struct slice value;
	uint64_t begins = at >= reader->at ? reader->at : 0;
	seek(cursor, reader, at);
	while (index_cursor_at(cursor, &rest, &value)) {
		if (rest.len != 8 || !entry_parse(value, ret))
			return false;
		reader->number = be64_get(rest.ptr);
		reader->at = reader->appendable ? reader->number : begins;
		if (at - reader->at < ret->meta.object.size)
			return true;
		if (reader->appendable)
			return false;
		begins += ret->meta.object.size;
		index_cursor_next(cursor);
	}
	return false;
}

static enum extent_result try_read(struct local *local, struct part_reader *reader, uint64_t at,
	struct extent *extent, struct store_blob *ret_blob, enum err *ret_err)
{
	struct key prefix;
	struct entry part;
	key_number(&prefix, KEY_PART, reader->list);
	struct index_cursor *cursor = index_cursor_new(local->index, NULL, &prefix);
	if (!cursor) {
		*ret_err = ERR_UNAVAILABLE;
		return EXTENT_FAILED;
	}
	enum extent_result result = EXTENT_FAILED;
	if (find(cursor, reader, at, &part)) {
		result = extent_open(local, &part, at - reader->at, extent, ret_blob, ret_err);
	} else {
		log_error("store: a part of an object is not there");
		*ret_err = ERR_INTERNAL;
	}
	index_cursor_free(cursor);
	return result;
}

enum extent_result part_reader_read(struct local *local, struct part_reader *reader, uint64_t at,
	struct extent *extent, struct store_blob *ret_blob, enum err *ret_err)
{
	for (int i = 0; i < TRIES; i++) {
		enum extent_result result = try_read(local, reader, at, extent, ret_blob, ret_err);
		if (result != EXTENT_MOVED)
			return result;
	}
	log_error("store: the index points to a part that is not there");
	*ret_err = ERR_INTERNAL;
	return EXTENT_FAILED;
}
