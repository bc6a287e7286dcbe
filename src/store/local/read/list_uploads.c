/* SPDX-License-Identifier: Apache-2.0 */
#include "store/local/disk/bytes.h"
#include "store/local/read/list_internal.h"
#include "store/local/read/read.h"
#include "store/shared/roll_up.h"

enum {
	LIST_TEXT_BYTES = LIMIT_LIST_KEYS * LIMIT_KEY_BYTES
};

struct upload_listing {
	struct list_job job;
	struct store_list_multiparts *list;
	struct store_multipart uploads[LIMIT_LIST_KEYS];
	size_t offsets[LIMIT_LIST_KEYS]; /* of the keys in the text */
};

/* Behind all uploads of a key with numbers up to `upload`; with UINT64_MAX behind all. */
static void seek_behind(struct index_cursor *cursor, struct slice object_key, uint64_t upload)
{
	struct key rest = {.len = 0};
	char number[8];
	key_append(&rest, slice_head(object_key, LIMIT_KEY_BYTES));
	key_append(&rest, upload == UINT64_MAX ? S("\1") : slice_of("\0", 1));
	be64_put(number, upload + 1);
	if (upload != UINT64_MAX)
		key_append(&rest, slice_of(number, sizeof(number)));
	index_cursor_seek(cursor, slice_of(rest.bytes, rest.len));
}

/* To the first upload that may be listed. */
static void seek_start(const struct store_list_multiparts *list, struct index_cursor *cursor)
{
	struct slice marker = list->key_marker;
	if (marker.len == 0 || slice_cmp(marker, list->prefix) < 0) {
		index_cursor_seek(cursor, list->prefix);
		return;
	}
	/* What is rolled up with the marker is a roll-up that is not greater than it. */
	struct slice rolled = slice_starts(marker, list->prefix)
				      ? roll_up(list->prefix, list->delimiter, marker)
				      : S("");
	if (rolled.len)
		index_cursor_seek_past(cursor, rolled);
	else
		seek_behind(cursor, marker, list->upload_marker ? list->upload_marker : UINT64_MAX);
}

static bool add_upload(
	struct upload_listing *listing, struct slice key, struct slice value, uint64_t upload)
{
	struct store_list_multiparts *list = listing->list;
	struct slice rolled = roll_up(list->prefix, list->delimiter, key);
	struct store_multipart *row = &listing->uploads[list->count];
	struct entry entry;
	memset(row, 0, sizeof(*row));
	if (!rolled.len && !entry_parse(value, &entry))
		return false;
	row->is_prefix = rolled.len > 0;
	row->key = row->is_prefix ? rolled : key;
	if (!row->is_prefix) {
		row->upload = upload;
		row->initiated_ms = entry.meta.object.modified_ms;
	}
	listing->offsets[list->count++] = listing->job.text.len;
	strbuf_add_slice(&listing->job.text, row->key);
	return true;
}

static enum err walk(struct upload_listing *listing, struct index_cursor *cursor)
{
	struct store_list_multiparts *list = listing->list;
	struct slice rest;
	struct slice value;
	struct slice key;
	uint64_t upload;
	uint32_t max = list_rows_max(list->max_uploads);
	seek_start(list, cursor);
	while (index_cursor_at(cursor, &rest, &value)) {
		if (!key_split_upload(rest, &key, &upload))
			return ERR_INTERNAL;
		if (!slice_starts(key, list->prefix))
			break;
		if (list->count == max) {
			list->truncated = true;
			break;
		}
		if (!add_upload(listing, key, value, upload))
			return ERR_INTERNAL;
		struct store_multipart *row = &listing->uploads[list->count - 1];
		if (row->is_prefix)
			index_cursor_seek_past(cursor, slice_head(key, row->key.len));
		else
			index_cursor_next(cursor);
	}
	return index_cursor_err(cursor);
}

static enum err fill(struct list_job *base)
{
	struct upload_listing *listing = CONTAINER_OF(base, struct upload_listing, job);
	struct store_list_multiparts *list = listing->list;
	struct key prefix;
	if (list->prefix.len > LIMIT_KEY_BYTES)
		return ERR_OK;
	key_number(&prefix, KEY_MULTIPART, list->bucket_id);
	struct index_cursor *cursor = index_cursor_new(listing->job.local->index, NULL, &prefix);
	if (!cursor)
		return ERR_UNAVAILABLE;
	enum err e = walk(listing, cursor);
	index_cursor_free(cursor);
	for (uint32_t i = 0; i < list->count; i++)
		listing->uploads[i].key.ptr = listing->job.text.ptr + listing->offsets[i];
	list->uploads = listing->uploads;
	return e;
}

void read_list_uploads(struct store *store, struct store_list_multiparts *list)
{
	const struct list_job_spec spec = {.size = sizeof(struct upload_listing),
		.pool = list->pool,
		.text_bytes_max = LIST_TEXT_BYTES,
		.wait = &list->wait,
		.count = &list->count,
		.held = &list->held,
		.fill = fill};
	list->uploads = NULL;
	list->truncated = false;
	struct list_job *base = list_job_new(store, &spec);
	if (!base)
		return;
	CONTAINER_OF(base, struct upload_listing, job)->list = list;
	list_job_send(base);
}

void read_list_uploads_release(struct store *store UNUSED, struct store_list_multiparts *list)
{
	list_job_release(TAKE(list->held));
}
