/* SPDX-License-Identifier: Apache-2.0 */
#include "store/local/read/list_internal.h"
#include "store/local/read/read.h"
#include "store/shared/roll_up.h"

enum {
	LIST_TEXT_BYTES = LIMIT_LIST_KEYS * (LIMIT_KEY_BYTES + OBJECT_HEADERS_MAX + OBJECT_TAGS_MAX)
};

struct slice list_rolled_marker(const struct store_list *list)
{
	if (!slice_starts(list->marker, list->prefix))
		return S("");
	return roll_up(list->prefix, list->delimiter, list->marker);
}

/* To the first key that may be listed. */
static void seek_start(const struct store_list *list, struct index_cursor *cursor)
{
	if (slice_cmp(list->marker, list->prefix) < 0 || list->marker.len == 0) {
		index_cursor_seek(cursor, list->prefix);
		return;
	}
	/* What is rolled up with the marker is a roll-up that is not greater than it. */
	struct slice rolled = list_rolled_marker(list);
	if (rolled.len)
		index_cursor_seek_past(cursor, rolled);
	else
		index_cursor_seek(cursor, list->marker);
}

/* The key at the cursor if it begins with the prefix and is behind the marker. */
static bool key_at(const struct store_list *list, struct index_cursor *cursor,
	struct slice *ret_key, struct slice *ret_value)
{
	while (index_cursor_at(cursor, ret_key, ret_value)) {
		if (!slice_starts(*ret_key, list->prefix))
			return false;
		if (list->marker.len == 0 || slice_cmp(*ret_key, list->marker) > 0)
			return true;
		index_cursor_next(cursor);
	}
	return false;
}

static struct store_entry *add_entry(struct object_listing *listing, struct slice key)
{
	struct store_list *list = listing->list;
	struct store_entry *entry = &listing->entries[list->count];
	memset(entry, 0, sizeof(*entry));
	entry->key.len = key.len;
	listing->offsets[list->count] = listing->job.text.len;
	strbuf_add_slice(&listing->job.text, key);
	list->count++;
	return entry;
}

void listing_add_prefix(struct object_listing *listing, struct slice prefix)
{
	add_entry(listing, prefix)->is_prefix = true;
}

bool listing_add_object(
	struct object_listing *listing, struct slice key, struct slice value, bool is_latest)
{
	struct entry found;
	if (!entry_parse(value, &found))
		return false;
	struct store_entry *entry = add_entry(listing, key);
	entry->is_latest = is_latest;
	entry->object = found.meta.object;
	strbuf_add_slice(&listing->job.text, found.meta.object.headers);
	strbuf_add_slice(&listing->job.text, found.meta.object.tags);
	return true;
}

/* Adds what is at the cursor and moves it behind. False for a damaged entry. */
static bool take_entry(struct object_listing *listing, struct index_cursor *cursor,
	struct slice key, struct slice value)
{
	struct store_list *list = listing->list;
	struct slice rolled = roll_up(list->prefix, list->delimiter, key);
	if (rolled.len) {
		listing_add_prefix(listing, rolled);
		index_cursor_seek_past(cursor, rolled);
		return true;
	}
	if (!listing_add_object(listing, key, value, false))
		return false;
	index_cursor_next(cursor);
	return true;
}

static enum err walk(struct object_listing *listing, struct index_cursor *cursor)
{
	struct store_list *list = listing->list;
	struct slice key;
	struct slice value;
	seek_start(list, cursor);
	while (key_at(list, cursor, &key, &value)) {
		if (list->count == listing->max) {
			list->truncated = true;
			break;
		}
		if (!take_entry(listing, cursor, key, value))
			return ERR_INTERNAL;
	}
	return index_cursor_err(cursor);
}

static enum err list_objects(struct object_listing *listing)
{
	struct key prefix;
	key_number(&prefix, KEY_OBJECT, listing->list->bucket_id);
	struct index_cursor *cursor = index_cursor_new(listing->job.local->index, NULL, &prefix);
	if (!cursor)
		return ERR_UNAVAILABLE;
	enum err e = walk(listing, cursor);
	index_cursor_free(cursor);
	return e;
}

/* The text does not move any more. */
static void set_pointers(struct object_listing *listing)
{
	for (uint32_t i = 0; i < listing->list->count; i++) {
		struct store_entry *entry = &listing->entries[i];
		entry->key.ptr = listing->job.text.ptr + listing->offsets[i];
		entry->object.headers.ptr = entry->key.ptr + entry->key.len;
		entry->object.tags.ptr = entry->object.headers.ptr + entry->object.headers.len;
	}
}

static enum err fill(struct list_job *base)
{
	struct object_listing *listing = CONTAINER_OF(base, struct object_listing, job);
	struct store_list *list = listing->list;
	/* No key is so long. */
	if (list->prefix.len > LIMIT_KEY_BYTES)
		return ERR_OK;
	enum err e = list->versions ? list_versions(listing) : list_objects(listing);
	set_pointers(listing);
	list->entries = listing->entries;
	return e;
}

void read_list(struct store *store, struct store_list *list)
{
	const struct list_job_spec spec = {.size = sizeof(struct object_listing),
		.pool = list->pool,
		.text_bytes_max = LIST_TEXT_BYTES,
		.wait = &list->wait,
		.count = &list->count,
		.held = &list->held,
		.fill = fill};
	list->entries = NULL;
	list->truncated = false;
	struct list_job *base = list_job_new(store, &spec);
	if (!base)
		return;
	struct object_listing *listing = CONTAINER_OF(base, struct object_listing, job);
	listing->list = list;
	listing->max = list_rows_max(list->max_entries);
	list_job_send(base);
}

void read_list_release(struct store *store UNUSED, struct store_list *list)
{
	list_job_release(TAKE(list->held));
}
