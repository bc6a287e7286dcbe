/* SPDX-License-Identifier: Apache-2.0 */
#include "store/local/read/extent.h"

#include <errno.h>
#include <inttypes.h>

#include "base/log.h"
#include "store/local/disk/bytes.h"
#include "store/local/disk/files.h"
#include "store/local/large/large.h"
#include "store/local/state/local_internal.h"

enum {
	/* The collector may move a part between looking it up and reaching for it. */
	TRIES = 10
};

static enum extent_result open_file(
	struct local *local, uint64_t file, struct extent *extent, enum err *ret_err)
{
	int e = large_files_read(local->files, file, &extent->fd);
	if (e == 0)
		return EXTENT_OPEN;
	if (e == ENOENT)
		return EXTENT_MOVED;
	log_error("store: cannot open large object %016" PRIx64 ": %s", file, files_text(e));
	*ret_err = files_err(e);
	return EXTENT_FAILED;
}

enum extent_result extent_open(struct local *local, const struct entry *entry,
	struct extent *extent, struct store_blob *ret_blob, enum err *ret_err)
{
	enum extent_result result = EXTENT_OPEN;
	*extent = extent_none();
	ret_blob->size = entry->meta.object.size;
	ret_blob->offset = 0;
	ret_blob->bytes = NULL;
	if (entry->meta.place == OBJECT_FILE) {
		result = open_file(local, entry->meta.file, extent, ret_err);
		ret_blob->fd = extent->fd;
		return result;
	}
	extent->segment = segment_pin(local->segments, entry->where.segment);
	if (!extent->segment)
		return EXTENT_MOVED;
	ret_blob->fd = extent->segment->fd;
	ret_blob->offset = entry->where.offset + entry->where.data_offset;
	return EXTENT_OPEN;
}

void extent_close(struct extent *extent)
{
	segment_unpin(TAKE(extent->segment));
	if (extent->fd >= 0)
		(void)close(extent->fd);
	extent->fd = -1;
}

/* ---- Sets ------------------------------------------------------------------------------------ */

/* Puts the cursor on the part that the search begins with. */
static void seek(struct index_cursor *cursor, const struct set_reader *reader, uint64_t at)
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
	struct index_cursor *cursor, struct set_reader *reader, uint64_t at, struct entry *ret)
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

static enum extent_result try_read(struct local *local, struct set_reader *reader, uint64_t at,
	struct extent *extent, struct store_blob *ret_blob, enum err *ret_err)
{
	struct key prefix;
	struct entry part;
	key_number(&prefix, KEY_PART, reader->set);
	struct index_cursor *cursor = index_cursor_new(local->index, NULL, &prefix);
	if (!cursor) {
		*ret_err = ERR_UNAVAILABLE;
		return EXTENT_FAILED;
	}
	enum extent_result result = EXTENT_FAILED;
	if (find(cursor, reader, at, &part)) {
		result = extent_open(local, &part, extent, ret_blob, ret_err);
	} else {
		log_error("store: a part of an object is not there");
		*ret_err = ERR_INTERNAL;
	}
	index_cursor_free(cursor);
	return result;
}

enum err set_read(struct local *local, struct set_reader *reader, uint64_t at,
	struct extent *extent, struct store_blob *ret_blob)
{
	enum err e = ERR_INTERNAL;
	for (int i = 0; i < TRIES; i++) {
		switch (try_read(local, reader, at, extent, ret_blob, &e)) {
		case EXTENT_OPEN:
			ret_blob->offset += at - reader->at;
			ret_blob->size -= at - reader->at;
			return ERR_OK;
		case EXTENT_MOVED:
			break;
		case EXTENT_FAILED:
			return e;
		}
	}
	log_error("store: the index points to a part that is not there");
	return ERR_INTERNAL;
}
