/* SPDX-License-Identifier: Apache-2.0 */
/*
 * All versions of a bucket's objects: its rows `o` and `v`, merged. Both are read as they are in
 * one moment, for versions move from one to the other.
 */
#include "store/local/read/list_internal.h"
#include "store/shared/roll_up.h"

/* A row at which a cursor is. */
struct row {
	bool there;
	struct slice key;
	struct slice value;
	uint64_t version; /* of an older one */
};

struct walk {
	struct object_listing *listing;
	struct index_cursor *current;
	struct index_cursor *old;
	struct key seen; /* the key whose newest version was listed, or passed over */
};

static void see(struct walk *walk, struct slice object_key)
{
	walk->seen.len = 0;
	key_append(&walk->seen, object_key);
}

static bool is_seen(const struct walk *walk, struct slice object_key)
{
	return slice_eq(slice_of(walk->seen.bytes, walk->seen.len), object_key);
}

static struct row current_row(const struct walk *walk)
{
	struct row row = {.there = false};
	row.there = index_cursor_at(walk->current, &row.key, &row.value) &&
		    slice_starts(row.key, walk->listing->list->prefix);
	return row;
}

static struct row old_row(const struct walk *walk)
{
	struct row row = {.there = false};
	struct slice rest;
	row.there = index_cursor_at(walk->old, &rest, &row.value) &&
		    key_split_version(rest, &row.key, &row.version) &&
		    slice_starts(row.key, walk->listing->list->prefix);
	return row;
}

/* ---- Beginning ------------------------------------------------------------------------------- */

/* To the first version of the key that is older than `version`. */
static void seek_older(struct walk *walk, struct slice object_key, uint64_t version)
{
	struct key prefix;
	struct key key;
	key_number(&prefix, KEY_VERSION, walk->listing->list->bucket_id);
	key_version(&key, walk->listing->list->bucket_id, object_key, version - 1);
	index_cursor_seek(walk->old, slice_from(slice_of(key.bytes, key.len), prefix.len));
}

/* Behind all older versions of a key. */
static void seek_behind(struct walk *walk, struct slice object_key)
{
	struct key rest = {.len = 0};
	key_append(&rest, slice_head(object_key, LIMIT_KEY_BYTES));
	key_append(&rest, S("\1"));
	index_cursor_seek(walk->old, slice_of(rest.bytes, rest.len));
}

/* Behind all versions of the marker that are not older than list->after_version. */
static bool seek_within(struct walk *walk, struct slice marker)
{
	uint64_t after = walk->listing->list->after_version;
	struct entry entry;
	index_cursor_seek(walk->current, marker);
	struct row current = current_row(walk);
	if (current.there && slice_eq(current.key, marker)) {
		if (!entry_parse(current.value, &entry))
			return false;
		if (entry.meta.object.version >= after) {
			see(walk, marker);
			index_cursor_next(walk->current);
		}
	}
	seek_older(walk, marker, UINT64_MAX);
	struct row old = old_row(walk);
	if (old.there && slice_eq(old.key, marker) && old.version >= after) {
		see(walk, marker);
		seek_older(walk, marker, after);
	}
	return true;
}

/* False for a damaged entry. */
static bool seek_start(struct walk *walk)
{
	const struct store_list *list = walk->listing->list;
	struct slice marker = list->marker;
	struct slice rolled = list_rolled_marker(list);
	if (marker.len == 0 || slice_cmp(marker, list->prefix) < 0) {
		index_cursor_seek(walk->current, list->prefix);
		index_cursor_seek(walk->old, list->prefix);
	} else if (rolled.len) {
		index_cursor_seek_past(walk->current, rolled);
		index_cursor_seek_past(walk->old, rolled);
	} else if (list->after_version && marker.len <= LIMIT_KEY_BYTES) {
		return seek_within(walk, marker);
	} else {
		index_cursor_seek(walk->current, marker);
		struct row row = current_row(walk);
		if (row.there && slice_eq(row.key, marker))
			index_cursor_next(walk->current);
		seek_behind(walk, marker);
	}
	return true;
}

/* ---- Going on -------------------------------------------------------------------------------- */

static void take_prefix(struct walk *walk, struct slice rolled)
{
	struct key past = {.len = 0};
	listing_add_prefix(walk->listing, rolled);
	/* A copy, for the slice ends when its cursor moves. */
	key_append(&past, rolled);
	index_cursor_seek_past(walk->current, slice_of(past.bytes, past.len));
	index_cursor_seek_past(walk->old, slice_of(past.bytes, past.len));
}

static bool take_object(struct walk *walk, const struct row *row, struct index_cursor *cursor)
{
	bool is_latest = !is_seen(walk, row->key);
	if (!listing_add_object(walk->listing, row->key, row->value, is_latest))
		return false;
	see(walk, row->key);
	index_cursor_next(cursor);
	return true;
}

static enum err go(struct walk *walk)
{
	const struct store_list *list = walk->listing->list;
	for (;;) {
		struct row current = current_row(walk);
		struct row old = old_row(walk);
		/* The current version is the newest of its key. */
		bool is_current =
			current.there && (!old.there || slice_cmp(current.key, old.key) <= 0);
		const struct row *row = is_current ? &current : &old;
		if (!row->there)
			return ERR_OK;
		if (list->count == walk->listing->max) {
			walk->listing->list->truncated = true;
			return ERR_OK;
		}
		struct slice rolled = roll_up(list->prefix, list->delimiter, row->key);
		if (rolled.len)
			take_prefix(walk, rolled);
		else if (!take_object(walk, row, is_current ? walk->current : walk->old))
			return ERR_INTERNAL;
	}
}

static enum err walk_through(struct walk *walk)
{
	if (!seek_start(walk))
		return ERR_INTERNAL;
	enum err e = go(walk);
	if (e == ERR_OK)
		e = index_cursor_err(walk->current);
	return e == ERR_OK ? index_cursor_err(walk->old) : e;
}

enum err list_versions(struct object_listing *listing)
{
	struct key current;
	struct key old;
	struct walk walk = {.listing = listing};
	struct index_snapshot *snapshot = index_snapshot_new(listing->job.local->index);
	if (!snapshot)
		return ERR_UNAVAILABLE;
	key_number(&current, KEY_OBJECT, listing->list->bucket_id);
	key_number(&old, KEY_VERSION, listing->list->bucket_id);
	walk.current = index_snapshot_cursor(snapshot, &current);
	walk.old = index_snapshot_cursor(snapshot, &old);
	enum err e = walk.current && walk.old ? walk_through(&walk) : ERR_UNAVAILABLE;
	index_cursor_free(walk.current);
	index_cursor_free(walk.old);
	index_snapshot_free(snapshot);
	return e;
}
