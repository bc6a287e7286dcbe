/* SPDX-License-Identifier: Apache-2.0 */
#include "base/limits.h"
#include "base/strbuf.h"
#include "store/local/local_internal.h"
#include "store/local/read.h"
#include "store/local/roll_up.h"

enum {
	LIST_TEXT_BYTES = LIMIT_LIST_KEYS * (LIMIT_KEY_BYTES + OBJECT_HEADERS_MAX + OBJECT_TAGS_MAX)
};

/* A listing: the errand of a reader first, then what the caller holds. */
struct listing {
	struct job job;
	struct local *local;
	struct store_list *list;
	struct store_entry entries[LIMIT_LIST_KEYS];
	/* Where in `text`, which moves while it grows, each key lies; headers and tags follow. */
	size_t offsets[LIMIT_LIST_KEYS];
	struct strbuf text;
};

/* To the first key that may be listed. */
static void seek_start(const struct store_list *list, struct index_cursor *cursor)
{
	if (slice_cmp(list->marker, list->prefix) < 0 || list->marker.len == 0) {
		index_cursor_seek(cursor, list->prefix);
		return;
	}
	/* What is rolled up with the marker is a roll-up that is not greater than it. */
	struct slice rolled = slice_starts(list->marker, list->prefix)
				      ? roll_up(list->prefix, list->delimiter, list->marker)
				      : S("");
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

static void add_entry(struct listing *listing, struct slice key)
{
	struct store_list *list = listing->list;
	struct store_entry *entry = &listing->entries[list->count];
	memset(entry, 0, sizeof(*entry));
	entry->key.len = key.len;
	listing->offsets[list->count] = listing->text.len;
	strbuf_add_slice(&listing->text, key);
	list->count++;
}

/* Adds what is at the cursor and moves it behind. False for a damaged entry. */
static bool take_entry(
	struct listing *listing, struct index_cursor *cursor, struct slice key, struct slice value)
{
	struct store_list *list = listing->list;
	struct slice rolled = roll_up(list->prefix, list->delimiter, key);
	add_entry(listing, rolled.len ? rolled : key);
	struct store_entry *entry = &listing->entries[list->count - 1];
	if (rolled.len) {
		entry->is_prefix = true;
		index_cursor_seek_past(cursor, rolled);
		return true;
	}
	struct entry found;
	if (!entry_parse(value, &found))
		return false;
	entry->object = found.meta.object;
	strbuf_add_slice(&listing->text, found.meta.object.headers);
	strbuf_add_slice(&listing->text, found.meta.object.tags);
	index_cursor_next(cursor);
	return true;
}

static enum err walk(struct listing *listing, struct index_cursor *cursor)
{
	struct store_list *list = listing->list;
	struct slice key;
	struct slice value;
	uint32_t max = list->max_entries;
	if (max == 0 || max > LIMIT_LIST_KEYS)
		max = LIMIT_LIST_KEYS;
	seek_start(list, cursor);
	while (key_at(list, cursor, &key, &value)) {
		if (list->count == max) {
			list->truncated = true;
			break;
		}
		if (!take_entry(listing, cursor, key, value))
			return ERR_INTERNAL;
	}
	return index_cursor_err(cursor);
}

static enum err run_list(struct listing *listing)
{
	struct store_list *list = listing->list;
	/* No key is so long. */
	if (list->prefix.len > LIMIT_KEY_BYTES)
		return ERR_OK;
	struct key prefix;
	key_number(&prefix, KEY_OBJECT, list->bucket_id);
	struct index_cursor *cursor = index_cursor_new(listing->local->index, NULL, &prefix);
	if (!cursor)
		return ERR_UNAVAILABLE;
	enum err e = walk(listing, cursor);
	index_cursor_free(cursor);
	if (strbuf_broken(&listing->text))
		e = ERR_UNAVAILABLE;
	for (uint32_t i = 0; i < list->count; i++) {
		struct store_entry *entry = &listing->entries[i];
		entry->key.ptr = listing->text.ptr + listing->offsets[i];
		entry->object.headers.ptr = entry->key.ptr + entry->key.len;
		entry->object.tags.ptr = entry->object.headers.ptr + entry->object.headers.len;
	}
	return e;
}

static void listing_free(struct listing *listing)
{
	if (!listing)
		return;
	strbuf_release(&listing->text);
	free(listing);
}

static void run(struct job *job)
{
	struct listing *listing = CONTAINER_OF(job, struct listing, job);
	struct store_list *list = listing->list;
	enum err e = run_list(listing);
	if (e == ERR_OK) {
		list->entries = listing->entries;
		list->held = listing;
	} else {
		list->count = 0;
		listing_free(listing);
	}
	local_answer(&list->wait, e);
}

void read_list(struct store *store, struct store_list *list)
{
	list->entries = NULL;
	list->count = 0;
	list->truncated = false;
	list->held = NULL;
	struct listing *listing = malloc(sizeof(*listing));
	if (!listing) {
		local_answer(&list->wait, ERR_UNAVAILABLE);
		return;
	}
	listing->job.run = run;
	listing->local = local_of(store);
	listing->list = list;
	strbuf_init(&listing->text, LIST_TEXT_BYTES);
	pool_add(listing->local->readers, &listing->job);
}

void read_list_release(struct store *store UNUSED, struct store_list *list)
{
	listing_free(list->held);
	list->held = NULL;
}
