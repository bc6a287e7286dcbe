/* SPDX-License-Identifier: Apache-2.0 */
#include "base/log.h"
#include "store/local/extent.h"
#include "store/local/local_internal.h"
#include "store/local/read.h"

enum {
	/* An object may move, or be replaced, between looking it up and reaching for its bytes. */
	TRIES = 10
};

/* What a get holds until it is released. */
struct held {
	struct extent extent;     /* of the first bytes */
	struct set_reader reader; /* its set is held, unless it is 0 */
	char text[];              /* headers and tags */
};

/* A call on its way to a reader. */
struct errand {
	struct job job;
	struct local *local;
	struct store_get *get;
	struct store_read *read;
};

enum outcome {
	HAVE_RESULT,
	TRY_AGAIN,
	NEEDS_DISK,
};

/* ---- Finding --------------------------------------------------------------------------------- */

/* Looks the entry up; HAVE_RESULT with an error in get->wait.err if it is not there. */
static enum outcome look_up(
	struct local *local, struct store_get *get, bool cached_only, struct index_value *ret)
{
	struct key key;
	key_object(&key, get->bucket_id, get->key);
	get->wait.err = ERR_OK;
	switch (index_get(local->index, &key, cached_only, ret)) {
	case INDEX_COLD:
		return NEEDS_DISK;
	case INDEX_ABSENT:
		get->wait.err = ERR_NO_SUCH_KEY;
		break;
	case INDEX_FAILED:
		get->wait.err = ERR_INTERNAL;
		break;
	case INDEX_FOUND:
		break;
	}
	return HAVE_RESULT;
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
		sets_release(local->sets, held->reader.set);
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

static enum outcome reach_set(struct local *local, struct store_get *get,
	const struct object_meta *meta, struct held *held)
{
	if (!sets_hold(local->sets, meta->file)) {
		get->wait.err = ERR_UNAVAILABLE;
		return HAVE_RESULT;
	}
	held->reader.set = meta->file;
	held->reader.appendable = meta->object.type == STORE_APPENDABLE;
	if (!still_names(local, get, meta->file))
		return TRY_AGAIN;
	get->blob = (struct store_blob){.fd = -1};
	if (meta->object.size > 0)
		get->wait.err = set_read(local, &held->reader, 0, &held->extent, &get->blob);
	return HAVE_RESULT;
}

/* Gets hold of the bytes of an object. */
static enum outcome reach(
	struct local *local, struct store_get *get, const struct entry *entry, struct held *held)
{
	if (entry->meta.place == OBJECT_SET)
		return reach_set(local, get, &entry->meta, held);
	switch (extent_open(local, entry, &held->extent, &get->blob, &get->wait.err)) {
	case EXTENT_MOVED:
		return TRY_AGAIN;
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
	/* Opening a file may wait for the disk. */
	if (cached_only && !get->head_only && entry.meta.place != OBJECT_INLINE)
		return NEEDS_DISK;
	struct held *held = held_new(&entry.meta.object);
	if (!held) {
		get->wait.err = ERR_UNAVAILABLE;
		return HAVE_RESULT;
	}
	enum outcome outcome = get->head_only ? HAVE_RESULT : reach(local, get, &entry, held);
	if (outcome != HAVE_RESULT || get->wait.err != ERR_OK) {
		held_free(local, held);
		return outcome;
	}
	get->object = entry.meta.object;
	get->object.headers.ptr = held->text;
	get->object.tags.ptr = held->text + get->object.headers.len;
	get->held = held;
	return HAVE_RESULT;
}

/* False if it takes the disk. */
static bool try_get(struct local *local, struct store_get *get, bool cached_only)
{
	get->held = NULL;
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

static void run_get(struct job *job)
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
		get->wait.err = ERR_NO_SUCH_KEY;
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
	pool_add(local->readers, &errand->job);
	return STORE_WAIT;
}

void read_get_release(struct store *store, struct store_get *get)
{
	held_free(local_of(store), get->held);
	get->held = NULL;
}

/* ---- Reading on ------------------------------------------------------------------------------ */

static void run_read(struct job *job)
{
	struct errand *errand = CONTAINER_OF(job, struct errand, job);
	struct store_read *read = errand->read;
	struct held *held = read->get->held;
	struct extent *extent = malloc(sizeof(*extent));
	enum err e = ERR_UNAVAILABLE;
	if (extent)
		e = set_read(errand->local, &held->reader, read->at, extent, &read->blob);
	read->blob.pin = extent;
	if (e != ERR_OK)
		free(extent);
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
	pool_add(errand->local->readers, &errand->job);
	return STORE_WAIT;
}

void read_more_release(struct store *store UNUSED, struct store_read *read)
{
	struct extent *extent = TAKE(read->blob.pin);
	extent_close(extent);
	free(extent);
}
