/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A get: finds the entry in the index, and holds its bytes so that they stay readable until it is
 * released. It is tried from memory first, on the thread of the caller; if that needs the disk, a
 * reader does it.
 */
#include "base/log.h"
#include "store/local/disk/bytes.h"
#include "store/local/read/extent.h"
#include "store/local/read/read.h"
#include "store/local/state/local_internal.h"

enum {
	/* An object may move, or be replaced, between looking it up and reaching for its bytes. */
	TRIES = 10
};

/* What a get holds until it is released. */
struct held {
	struct extent extent;     /* of the first bytes */
	struct set_reader reader; /* its set is held, unless it is 0 */
	struct entry file;        /* if the bytes are a file; without headers and tags */
	char text[];              /* headers and tags */
};

/* A call on its way to a reader. */
struct errand {
	struct task job;
	struct local *local;
	struct store_get *get;
	struct store_read *read;
};

enum outcome {
	HAVE_RESULT,
	TRY_AGAIN,
	NOT_CACHED,
};

/* ---- Finding --------------------------------------------------------------------------------- */

static bool asks_version(const struct store_get *get)
{
	return get->version.is_null || get->version.number;
}

/* How the index is looked at. */
struct view {
	struct local *local;
	bool cached_only;
	struct index_snapshot *snapshot; /* or NULL: then each key is read as it is at that time */
};

static enum index_found read_key(
	const struct view *view, const struct key *key, struct index_value *ret)
{
	if (view->snapshot)
		return index_snapshot_get(view->snapshot, key, ret);
	return index_get(view->local->index, key, view->cached_only, ret);
}

/* The version that the row `n` points to. */
static enum index_found read_null(
	const struct view *view, const struct store_get *get, uint64_t *ret)
{
	struct key key;
	struct index_value value;
	key_null(&key, get->bucket_id, get->key);
	enum index_found found = read_key(view, &key, &value);
	if (found == INDEX_FOUND) {
		*ret = value.bytes.len == 8 ? le64_get(value.bytes.ptr) : 0;
		index_value_release(&value);
	}
	return found;
}

static enum index_found find_version(
	const struct view *view, const struct store_get *get, struct index_value *ret)
{
	struct key key;
	struct entry current;
	uint64_t version = get->version.number;
	key_object(&key, get->bucket_id, get->key);
	enum index_found found = read_key(view, &key, ret);
	if (found == INDEX_FOUND) {
		if (entry_parse(ret->bytes, &current) &&
			(get->version.is_null ? current.meta.object.is_null
					      : current.meta.object.version == version))
			return found;
		index_value_release(ret);
	} else if (found != INDEX_ABSENT) {
		return found;
	}
	if (get->version.is_null) {
		found = read_null(view, get, &version);
		if (found != INDEX_FOUND)
			return found;
	}
	key_version(&key, get->bucket_id, get->key, version);
	return read_key(view, &key, ret);
}

/* Reports a delete marker. */
static void report_marker(struct store_get *get, const struct store_object *marker)
{
	get->object.is_marker = true;
	get->object.is_null = marker->is_null;
	get->object.version = marker->version;
	get->object.modified_ms = marker->modified_ms;
}

/* There is no object: perhaps because a delete marker says so. */
static void look_for_marker(struct index_snapshot *snapshot, struct store_get *get)
{
	struct key prefix;
	struct slice rest;
	struct slice value;
	struct entry newest;
	key_versions(&prefix, get->bucket_id, get->key);
	struct index_cursor *cursor = index_snapshot_cursor(snapshot, &prefix);
	if (!cursor) {
		get->wait.err = ERR_UNAVAILABLE;
		return;
	}
	index_cursor_seek(cursor, S(""));
	if (index_cursor_at(cursor, &rest, &value) && entry_parse(value, &newest) &&
		newest.meta.object.is_marker)
		report_marker(get, &newest.meta.object);
	else if (index_cursor_err(cursor) != ERR_OK)
		get->wait.err = ERR_INTERNAL;
	index_cursor_free(cursor);
}

static bool keeps_versions(struct local *local, uint64_t bucket_id)
{
	enum store_versioning versioning;
	return buckets_find(local->buckets, bucket_id, &versioning) &&
	       versioning != STORE_UNVERSIONED;
}

/* What is asked for is not there, as far as can be seen. */
static enum outcome look_closer(const struct view *view, struct store_get *get)
{
	get->wait.err = asks_version(get) ? ERR_NO_SUCH_VERSION : ERR_NO_SUCH_KEY;
	if (!asks_version(get) && !keeps_versions(view->local, get->bucket_id))
		return HAVE_RESULT;
	if (view->cached_only)
		return NOT_CACHED;
	if (!asks_version(get) && view->snapshot)
		look_for_marker(view->snapshot, get);
	return HAVE_RESULT;
}

static enum outcome look_in(const struct view *view, struct store_get *get, struct index_value *ret)
{
	struct key key;
	enum index_found found;
	get->wait.err = ERR_OK;
	if (asks_version(get)) {
		found = find_version(view, get, ret);
	} else {
		key_object(&key, get->bucket_id, get->key);
		found = read_key(view, &key, ret);
	}
	switch (found) {
	case INDEX_NOT_CACHED:
		return NOT_CACHED;
	case INDEX_ABSENT:
		return look_closer(view, get);
	case INDEX_FAILED:
		get->wait.err = ERR_INTERNAL;
		break;
	case INDEX_FOUND:
		break;
	}
	return HAVE_RESULT;
}

/* Looks the entry up; HAVE_RESULT with an error in get->wait.err if it is not there. */
static enum outcome look_up(
	struct local *local, struct store_get *get, bool cached_only, struct index_value *ret)
{
	struct view view = {.local = local, .cached_only = cached_only};
	/* Versions move between their places: only in one moment is it certain what is not there.
	 */
	if (!cached_only && (asks_version(get) || keeps_versions(local, get->bucket_id))) {
		view.snapshot = index_snapshot_new(local->index);
		if (!view.snapshot) {
			get->wait.err = ERR_UNAVAILABLE;
			return HAVE_RESULT;
		}
	}
	enum outcome outcome = look_in(&view, get, ret);
	index_snapshot_free(view.snapshot);
	return outcome;
}

static struct held *held_new(const struct store_object *object)
{
	struct slice headers = object->headers;
	struct slice tags = object->tags;
	struct held *held = malloc(sizeof(*held) + headers.len + tags.len);
	if (!held)
		return NULL;
	held->extent = extent_none();
	held->reader = (struct set_reader){.set = 0};
	held->file = (struct entry){.meta.place = OBJECT_NONE};
	if (headers.len)
		memcpy(held->text, headers.ptr, headers.len);
	if (tags.len)
		memcpy(held->text + headers.len, tags.ptr, tags.len);
	return held;
}

static void held_free(struct local *local, struct held *held)
{
	if (!held)
		return;
	extent_close(&held->extent);
	if (held->reader.set)
		part_pins_drop(local->part_pins, held->reader.set);
	free(held);
}

/* Whether the object is still made of the set: now that it is held, it will stay. */
static bool still_names(struct local *local, struct store_get *get, uint64_t set)
{
	struct index_value value;
	struct entry entry;
	if (look_up(local, get, false, &value) != HAVE_RESULT || get->wait.err != ERR_OK)
		return false;
	bool same = entry_parse(value.bytes, &entry) && entry.meta.place == OBJECT_SET &&
		    entry.meta.file == set;
	index_value_release(&value);
	return same;
}

/* What says how the bytes are checked is damaged itself: they cannot be told from others. */
static void report_sums(
	struct local *local, const struct store_get *get, const struct store_blob *blob)
{
	struct store_damage damage = {.get = get, .blob = blob, .offset = blob->offset};
	read_damaged(&local->store, &damage);
}

static enum outcome reach_set(struct local *local, struct store_get *get,
	const struct object_meta *meta, struct held *held)
{
	if (!part_pins_add(local->part_pins, meta->file)) {
		get->wait.err = ERR_UNAVAILABLE;
		return HAVE_RESULT;
	}
	held->reader.set = meta->file;
	held->reader.appendable = meta->object.type == STORE_APPENDABLE;
	if (!still_names(local, get, meta->file))
		return TRY_AGAIN;
	get->blob = (struct store_blob){.fd = -1};
	if (meta->object.size > 0 && set_read(local, &held->reader, 0, &held->extent, &get->blob,
					     &get->wait.err) == EXTENT_DAMAGED)
		report_sums(local, get, &get->blob);
	return HAVE_RESULT;
}

/* Gets hold of the bytes of an object. */
static enum outcome reach(
	struct local *local, struct store_get *get, const struct entry *entry, struct held *held)
{
	if (entry->meta.place == OBJECT_SET)
		return reach_set(local, get, &entry->meta, held);
	if (entry->meta.place == OBJECT_FILE) {
		held->file = *entry;
		held->file.meta.object.headers = S("");
		held->file.meta.object.tags = S("");
	}
	switch (extent_open(local, entry, 0, &held->extent, &get->blob, &get->wait.err)) {
	case EXTENT_MOVED:
		return TRY_AGAIN;
	case EXTENT_DAMAGED:
		report_sums(local, get, &get->blob);
		break;
	case EXTENT_OPEN:
	case EXTENT_FAILED:
		break;
	}
	return HAVE_RESULT;
}

/* Fills the result from the index's value. */
static enum outcome fill(
	struct local *local, struct store_get *get, struct slice value, bool cached_only)
{
	struct entry entry;
	if (!entry_parse(value, &entry)) {
		log_error("store: an entry of the index is damaged");
		get->wait.err = ERR_INTERNAL;
		return HAVE_RESULT;
	}
	if (entry.meta.object.is_marker) {
		report_marker(get, &entry.meta.object);
		get->wait.err = ERR_METHOD_NOT_ALLOWED;
		return HAVE_RESULT;
	}
	/* Opening a file may wait for the disk. */
	if (cached_only && !get->head_only && entry.meta.place != OBJECT_INLINE)
		return NOT_CACHED;
	struct held *held = held_new(&entry.meta.object);
	if (!held) {
		get->wait.err = ERR_UNAVAILABLE;
		return HAVE_RESULT;
	}
	get->object = entry.meta.object;
	enum outcome outcome = get->head_only ? HAVE_RESULT : reach(local, get, &entry, held);
	if (outcome != HAVE_RESULT || get->wait.err != ERR_OK) {
		memset(&get->object, 0, sizeof(get->object));
		held_free(local, held);
		return outcome;
	}
	get->object.headers.ptr = held->text;
	get->object.tags.ptr = held->text + get->object.headers.len;
	get->held = held;
	return HAVE_RESULT;
}

/* False if it takes the disk. */
static bool try_get(struct local *local, struct store_get *get, bool cached_only)
{
	get->held = NULL;
	memset(&get->object, 0, sizeof(get->object));
	for (int i = 0; i < TRIES; i++) {
		struct index_value value;
		enum outcome outcome = look_up(local, get, cached_only, &value);
		if (outcome == HAVE_RESULT && get->wait.err == ERR_OK) {
			outcome = fill(local, get, value.bytes, cached_only);
			index_value_release(&value);
		}
		if (outcome != TRY_AGAIN)
			return outcome == HAVE_RESULT;
	}
	log_error("store: the index points to a file that is not there");
	get->wait.err = ERR_INTERNAL;
	return true;
}

static void run_get(struct task *job)
{
	struct errand *errand = CONTAINER_OF(job, struct errand, job);
	struct store_get *get = errand->get;
	(void)try_get(errand->local, get, false);
	free(errand);
	local_answer(&get->wait, get->wait.err);
}

enum store_now read_get(struct store *store, struct store_get *get)
{
	struct local *local = local_of(store);
	if (get->key.len == 0 || get->key.len > RECORD_NAME_MAX) {
		memset(&get->object, 0, sizeof(get->object));
		get->wait.err = asks_version(get) ? ERR_NO_SUCH_VERSION : ERR_NO_SUCH_KEY;
		return STORE_DONE;
	}
	if (try_get(local, get, true))
		return STORE_DONE;
	struct errand *errand = malloc(sizeof(*errand));
	if (!errand) {
		get->wait.err = ERR_UNAVAILABLE;
		return STORE_DONE;
	}
	*errand = (struct errand){.job.run = run_get, .local = local, .get = get};
	thread_queue_add(local->readers, &errand->job);
	return STORE_WAIT;
}

void read_get_release(struct store *store, struct store_get *get)
{
	held_free(local_of(store), get->held);
	get->held = NULL;
}

/* ---- Reading on ------------------------------------------------------------------------------ */

static void run_read(struct task *job)
{
	struct errand *errand = CONTAINER_OF(job, struct errand, job);
	struct store_read *read = errand->read;
	struct held *held = read->get->held;
	struct extent *extent = malloc(sizeof(*extent));
	enum extent_result result = EXTENT_FAILED;
	enum err e = ERR_UNAVAILABLE;
	if (extent && held->reader.set)
		result = set_read(errand->local, &held->reader, read->at, extent, &read->blob, &e);
	else if (extent)
		result = extent_more(
			held->extent.fd, &held->file, read->at, extent, &read->blob, &e);
	if (result == EXTENT_DAMAGED)
		report_sums(errand->local, read->get, &read->blob);
	read->blob.pin = extent;
	if (result == EXTENT_OPEN)
		e = ERR_OK;
	else
		free(TAKE(read->blob.pin));
	free(errand);
	local_answer(&read->wait, e);
}

enum store_now read_more(struct store *store, struct store_read *read)
{
	struct errand *errand = malloc(sizeof(*errand));
	if (!errand) {
		read->wait.err = ERR_UNAVAILABLE;
		return STORE_DONE;
	}
	*errand = (struct errand){.job.run = run_read, .local = local_of(store), .read = read};
	thread_queue_add(errand->local->readers, &errand->job);
	return STORE_WAIT;
}

void read_more_release(struct store *store UNUSED, struct store_read *read)
{
	struct extent *extent = TAKE(read->blob.pin);
	extent_close(extent);
	free(extent);
}
