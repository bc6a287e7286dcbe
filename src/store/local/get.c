/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <inttypes.h>

#include "base/log.h"
#include "store/local/files.h"
#include "store/local/large.h"
#include "store/local/local_internal.h"
#include "store/local/read.h"

enum {
	/* An object may move, or be replaced, between looking it up and reaching for its bytes. */
	TRIES = 10
};

/* What a get holds until it is released. */
struct held {
	struct segment *segment; /* pinned, or NULL */
	int fd;                  /* of a large object's file, or -1 */
	char headers[];
};

/* A get on its way to a reader. */
struct errand {
	struct job job;
	struct local *local;
	struct store_get *get;
};

enum outcome {
	HAVE_RESULT,
	TRY_AGAIN,
	NEEDS_DISK,
};

static struct held *held_new(struct slice headers)
{
	struct held *held = malloc(sizeof(*held) + headers.len);
	if (!held)
		return NULL;
	held->segment = NULL;
	held->fd = -1;
	if (headers.len)
		memcpy(held->headers, headers.ptr, headers.len);
	return held;
}

static void held_free(struct held *held)
{
	if (!held)
		return;
	segment_unpin(held->segment);
	if (held->fd >= 0)
		(void)close(held->fd);
	free(held);
}

/* Gets hold of the bytes of an object. */
static enum outcome reach(
	struct local *local, struct store_get *get, const struct entry *entry, struct held *held)
{
	get->blob.size = entry->meta.object.size;
	get->blob.pin = held;
	if (entry->meta.place == OBJECT_INLINE) {
		held->segment = segment_pin(local->segments, entry->where.segment);
		if (!held->segment)
			return TRY_AGAIN;
		get->blob.fd = held->segment->fd;
		get->blob.offset = entry->where.offset + entry->where.data_offset;
		return HAVE_RESULT;
	}
	int e = large_files_read(local->files, entry->meta.file, &held->fd);
	if (e == ENOENT)
		return TRY_AGAIN;
	if (e) {
		log_error("store: cannot open large object %016" PRIx64 ": %s", entry->meta.file,
			files_text(e));
		get->wait.err = files_err(e);
		return HAVE_RESULT;
	}
	get->blob.fd = held->fd;
	get->blob.offset = 0;
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
	if (cached_only && !get->head_only && entry.meta.place == OBJECT_FILE)
		return NEEDS_DISK;
	struct held *held = held_new(entry.meta.object.headers);
	if (!held) {
		get->wait.err = ERR_UNAVAILABLE;
		return HAVE_RESULT;
	}
	get->wait.err = ERR_OK;
	enum outcome outcome = get->head_only ? HAVE_RESULT : reach(local, get, &entry, held);
	if (outcome != HAVE_RESULT || get->wait.err != ERR_OK) {
		held_free(held);
		return outcome;
	}
	get->object = entry.meta.object;
	get->object.headers.ptr = held->headers;
	get->held = held;
	return HAVE_RESULT;
}

static enum outcome look_up(struct local *local, struct store_get *get, bool cached_only)
{
	struct index_value value;
	switch (index_object(local->index, get->bucket_id, get->key, cached_only, &value)) {
	case INDEX_COLD:
		return NEEDS_DISK;
	case INDEX_ABSENT:
		get->wait.err = ERR_NO_SUCH_KEY;
		return HAVE_RESULT;
	case INDEX_FAILED:
		get->wait.err = ERR_INTERNAL;
		return HAVE_RESULT;
	case INDEX_FOUND:
		break;
	}
	enum outcome outcome = fill(local, get, value.bytes, cached_only);
	index_value_release(&value);
	return outcome;
}

/* False if it takes the disk. */
static bool try_get(struct local *local, struct store_get *get, bool cached_only)
{
	get->held = NULL;
	for (int i = 0; i < TRIES; i++) {
		enum outcome outcome = look_up(local, get, cached_only);
		if (outcome != TRY_AGAIN)
			return outcome == HAVE_RESULT;
	}
	log_error("store: the index points to a file that is not there");
	get->wait.err = ERR_INTERNAL;
	return true;
}

static void run_errand(struct job *job)
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
	*errand = (struct errand){.job.run = run_errand, .local = local, .get = get};
	pool_add(local->readers, &errand->job);
	return STORE_WAIT;
}

void read_get_release(struct store *store UNUSED, struct store_get *get)
{
	held_free(get->held);
	get->held = NULL;
}
