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
	/* An object may move, or be replaced, between looking it up and opening its bytes. */
	TRIES = 10
};

/* What a get holds until it is released. */
struct get_handle {
	struct extent extent;      /* of the first bytes */
	struct part_reader reader; /* its part list is held */
	struct entry file;         /* if the bytes are a file; without headers and tags */
	char text[];               /* headers and tags */
};

/* A call on its way to a reader. */
struct read_job {
	struct task job;
	struct local *local;
	struct store_get *get;
	struct store_read *read;
};

enum attempt {
	HAVE_RESULT,
	TRY_AGAIN,
	NOT_CACHED,
};

/* ---- Finding --------------------------------------------------------------------------------- */

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
static void find_marker(struct index_snapshot *snapshot, struct store_get *get)
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
static enum attempt explain_absence(const struct view *view, struct store_get *get)
{
	get->wait.err =
		store_version_is_named(&get->version) ? ERR_NO_SUCH_VERSION : ERR_NO_SUCH_KEY;
	if (!store_version_is_named(&get->version) && !keeps_versions(view->local, get->bucket_id))
		return HAVE_RESULT;
	if (view->cached_only)
		return NOT_CACHED;
	if (!store_version_is_named(&get->version) && view->snapshot)
		find_marker(view->snapshot, get);
	return HAVE_RESULT;
}

static enum attempt lookup_in(
	const struct view *view, struct store_get *get, struct index_value *ret)
{
	struct key key;
	enum index_found found;
	get->wait.err = ERR_OK;
	if (store_version_is_named(&get->version)) {
		found = find_version(view, get, ret);
	} else {
		key_object(&key, get->bucket_id, get->key);
		found = read_key(view, &key, ret);
	}
	switch (found) {
	case INDEX_NOT_CACHED:
		return NOT_CACHED;
	case INDEX_ABSENT:
		return explain_absence(view, get);
	case INDEX_FAILED:
		get->wait.err = ERR_INTERNAL;
		break;
	case INDEX_FOUND:
		break;
	}
	return HAVE_RESULT;
}

/* Looks the entry up; HAVE_RESULT with an error in get->wait.err if it is not there. */
static enum attempt lookup_entry(
	struct local *local, struct store_get *get, bool cached_only, struct index_value *ret)
{
	struct view view = {.local = local, .cached_only = cached_only};
	/* Versions move between their places: only in one moment is it certain what is not there.
	 */
	if (!cached_only &&
		(store_version_is_named(&get->version) || keeps_versions(local, get->bucket_id))) {
		view.snapshot = index_snapshot_new(local->index);
		if (!view.snapshot) {
			get->wait.err = ERR_UNAVAILABLE;
			return HAVE_RESULT;
		}
	}
	enum attempt attempt = lookup_in(&view, get, ret);
	index_snapshot_free(view.snapshot);
	return attempt;
}

static struct get_handle *handle_new(const struct store_object *object)
{
	struct slice headers = object->headers;
	struct slice tags = object->tags;
	struct get_handle *handle = malloc(sizeof(*handle) + headers.len + tags.len);
	if (!handle)
		return NULL;
	handle->extent = extent_none();
	handle->reader = (struct part_reader){.list = 0};
	handle->file = (struct entry){.meta.place = OBJECT_NONE};
	if (headers.len)
		memcpy(handle->text, headers.ptr, headers.len);
	if (tags.len)
		memcpy(handle->text + headers.len, tags.ptr, tags.len);
	return handle;
}

static void handle_free(struct local *local, struct get_handle *handle)
{
	if (!handle)
		return;
	extent_close(&handle->extent);
	if (handle->reader.list)
		part_pins_drop(local->part_pins, handle->reader.list);
	free(handle);
}

/* Whether the object is still made of the part list: now that it is handle, it will stay. */
static bool still_names(struct local *local, struct store_get *get, uint64_t list)
{
	struct index_value value;
	struct entry entry;
	if (lookup_entry(local, get, false, &value) != HAVE_RESULT || get->wait.err != ERR_OK)
		return false;
	bool same = entry_parse(value.bytes, &entry) && entry.meta.place == OBJECT_PART_LIST &&
		    entry.meta.file == list;
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

static enum attempt open_parts(struct local *local, struct store_get *get,
	const struct object_meta *meta, struct get_handle *handle)
{
	if (!part_pins_add(local->part_pins, meta->file)) {
		get->wait.err = ERR_UNAVAILABLE;
		return HAVE_RESULT;
	}
	handle->reader.list = meta->file;
	handle->reader.appendable = meta->object.type == STORE_APPENDABLE;
	if (!still_names(local, get, meta->file))
		return TRY_AGAIN;
	get->blob = (struct store_blob){.fd = -1};
	if (meta->object.size > 0 && part_reader_read(local, &handle->reader, 0, &handle->extent,
					     &get->blob, &get->wait.err) == EXTENT_DAMAGED)
		report_sums(local, get, &get->blob);
	return HAVE_RESULT;
}

/* Gets hold of the bytes of an object. */
static enum attempt open_data(struct local *local, struct store_get *get, const struct entry *entry,
	struct get_handle *handle)
{
	if (entry->meta.place == OBJECT_PART_LIST)
		return open_parts(local, get, &entry->meta, handle);
	if (entry->meta.place == OBJECT_FILE) {
		handle->file = *entry;
		handle->file.meta.object.headers = S("");
		handle->file.meta.object.tags = S("");
	}
	switch (extent_open(local, entry, 0, &handle->extent, &get->blob, &get->wait.err)) {
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
static enum attempt fill_result(
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
	struct get_handle *handle = handle_new(&entry.meta.object);
	if (!handle) {
		get->wait.err = ERR_UNAVAILABLE;
		return HAVE_RESULT;
	}
	get->object = entry.meta.object;
	enum attempt attempt = get->head_only ? HAVE_RESULT : open_data(local, get, &entry, handle);
	if (attempt != HAVE_RESULT || get->wait.err != ERR_OK) {
		memset(&get->object, 0, sizeof(get->object));
		handle_free(local, handle);
		return attempt;
	}
	get->object.headers.ptr = handle->text;
	get->object.tags.ptr = handle->text + get->object.headers.len;
	get->held = handle;
	return HAVE_RESULT;
}

/* False if it takes the disk. */
static bool try_get(struct local *local, struct store_get *get, bool cached_only)
{
	get->held = NULL;
	memset(&get->object, 0, sizeof(get->object));
	for (int i = 0; i < TRIES; i++) {
		struct index_value value;
		enum attempt attempt = lookup_entry(local, get, cached_only, &value);
		if (attempt == HAVE_RESULT && get->wait.err == ERR_OK) {
			attempt = fill_result(local, get, value.bytes, cached_only);
			index_value_release(&value);
		}
		if (attempt != TRY_AGAIN)
			return attempt == HAVE_RESULT;
	}
	log_error("store: the index points to a file that is not there");
	get->wait.err = ERR_INTERNAL;
	return true;
}

static void run_get(struct task *job)
{
	struct read_job *read_job = CONTAINER_OF(job, struct read_job, job);
	struct store_get *get = read_job->get;
	(void)try_get(read_job->local, get, false);
	free(read_job);
	store_answer(&get->wait, get->wait.err);
}

enum store_now read_get(struct store *store, struct store_get *get)
{
	struct local *local = local_of(store);
	if (get->key.len == 0 || get->key.len > RECORD_NAME_MAX) {
		memset(&get->object, 0, sizeof(get->object));
		get->wait.err = store_version_is_named(&get->version) ? ERR_NO_SUCH_VERSION
								      : ERR_NO_SUCH_KEY;
		return STORE_DONE;
	}
	if (try_get(local, get, true))
		return STORE_DONE;
	struct read_job *read_job = malloc(sizeof(*read_job));
	if (!read_job) {
		get->wait.err = ERR_UNAVAILABLE;
		return STORE_DONE;
	}
	*read_job = (struct read_job){.job.run = run_get, .local = local, .get = get};
	thread_queue_add(local->readers, &read_job->job);
	return STORE_WAIT;
}

void read_get_release(struct store *store, struct store_get *get)
{
	handle_free(local_of(store), get->held);
	get->held = NULL;
}

/* ---- Reading on ------------------------------------------------------------------------------ */

static void run_read(struct task *job)
{
	struct read_job *read_job = CONTAINER_OF(job, struct read_job, job);
	struct store_read *read = read_job->read;
	struct get_handle *handle = read->get->held;
	struct extent *extent = malloc(sizeof(*extent));
	enum extent_result result = EXTENT_FAILED;
	enum err e = ERR_UNAVAILABLE;
	if (extent && handle->reader.list)
		result = part_reader_read(
			read_job->local, &handle->reader, read->at, extent, &read->blob, &e);
	else if (extent)
		result = extent_more(
			handle->extent.fd, &handle->file, read->at, extent, &read->blob, &e);
	if (result == EXTENT_DAMAGED)
		report_sums(read_job->local, read->get, &read->blob);
	read->blob.pin = extent;
	if (result == EXTENT_OPEN)
		e = ERR_OK;
	else
		free(TAKE(read->blob.pin));
	free(read_job);
	store_answer(&read->wait, e);
}

enum store_now read_more(struct store *store, struct store_read *read)
{
	struct read_job *read_job = malloc(sizeof(*read_job));
	if (!read_job) {
		read->wait.err = ERR_UNAVAILABLE;
		return STORE_DONE;
	}
	*read_job = (struct read_job){.job.run = run_read, .local = local_of(store), .read = read};
	thread_queue_add(read_job->local->readers, &read_job->job);
	return STORE_WAIT;
}

void read_more_release(struct store *store UNUSED, struct store_read *read)
{
	struct extent *extent = TAKE(read->blob.pin);
	extent_close(extent);
	free(extent);
}
