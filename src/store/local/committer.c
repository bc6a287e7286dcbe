/* SPDX-License-Identifier: Apache-2.0 */
#include "store/local/committer.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>

#include "base/log.h"
#include "store/local/files.h"
#include "store/local/gc.h"
#include "store/local/large.h"
#include "store/local/local_internal.h"

enum {
	PIECES = 3 /* of a record: head, data, filling */
};

struct committer {
	struct local *local;
	pthread_t thread;
	pthread_mutex_t lock; /* protects the queue and what is up to `state`; a leaf */
	pthread_cond_t work;
	struct change *first;
	struct change **last;
	bool stop;
	struct store_stats stats;
	struct index_state state;
	atomic_bool broken;
	/* The thread's own: the batch being made. */
	uint64_t sequence; /* of the next record */
	struct change *batch;
	struct change **batch_last;
	size_t records;
	uint64_t bytes;
	uint64_t syncs;
	bool index_only; /* something is staged that has no record */
	struct iovec iov[LIMIT_COMMIT_BATCH * PIECES];
	size_t iov_count;
};

static unsigned char zeros[RECORD_ALIGN];

/* ---- One change ------------------------------------------------------------------------------ */

static size_t change_total(const struct change *change)
{
	return record_total(change->head_len - RECORD_HEADER_BYTES, 0, change->data.len);
}

static bool frees_space(const struct change *change)
{
	return change->kind == CHANGE_OBJECT_DELETE || change->kind == CHANGE_BUCKET_DELETE ||
	       change->moves_from;
}

static bool about_bucket(const struct change *change)
{
	return change->kind == CHANGE_BUCKET_CREATE || change->kind == CHANGE_BUCKET ||
	       change->kind == CHANGE_BUCKET_DELETE;
}

static bool index_alone(const struct change *change)
{
	return change->kind == CHANGE_FORGET_FILE || change->kind == CHANGE_FORGET_SEGMENT;
}

static struct slice change_key(const struct change *change)
{
	return slice_of(change->head + RECORD_HEADER_BYTES, change->key_len);
}

static struct slice change_meta(const struct change *change)
{
	size_t before = RECORD_HEADER_BYTES + change->key_len;
	return slice_of(change->head + before, change->head_len - before);
}

/* The bucket as it will be, as a new snapshot; `sequence` is that of the record. */
static enum err next_bucket(
	struct committer *c, const struct change *change, struct store_bucket **ret)
{
	struct buckets *buckets = c->local->buckets;
	const struct store_bucket *old = buckets_get(buckets, change->name);
	struct store_bucket next = {.name = change->name, .acl = change->acl};
	enum err e = ERR_OK;
	if (change->kind == CHANGE_BUCKET_CREATE) {
		next.id = c->sequence;
		next.created_ms = change->created_ms;
		if (old)
			e = ERR_BUCKET_ALREADY_EXISTS;
		else if (buckets_count(buckets) >= LIMIT_BUCKETS)
			e = ERR_TOO_MANY_BUCKETS;
	} else if (!old) {
		e = ERR_NO_SUCH_BUCKET;
	} else {
		next = *old;
		if (change->bucket_change->set_acl)
			next.acl = change->bucket_change->acl;
		if (change->bucket_change->set_setting)
			next.settings[change->bucket_change->setting] =
				change->bucket_change->value;
	}
	next.generation = c->sequence;
	*ret = e == ERR_OK ? bucket_copy(&next) : NULL;
	if (e == ERR_OK && !*ret)
		e = ERR_UNAVAILABLE;
	bucket_unref(old);
	return e;
}

/* Gives a change about a bucket its record. */
static enum err make_record(struct change *change, enum record_kind kind, uint64_t bucket_id,
	const struct store_bucket *bucket)
{
	size_t meta = bucket ? bucket_meta_size(bucket) : 0;
	change->key_len = change->name.len;
	change->head_len = RECORD_HEADER_BYTES + change->key_len + meta;
	change->made = malloc(change->head_len);
	change->head = change->made;
	if (!change->made)
		return ERR_UNAVAILABLE;
	record_head(change->head, kind, bucket_id, change->key_len, meta, 0);
	memcpy(change->head + RECORD_HEADER_BYTES, change->name.ptr, change->key_len);
	if (bucket)
		bucket_meta_write(change->head + RECORD_HEADER_BYTES + change->key_len, bucket);
	return ERR_OK;
}

static enum err prepare_bucket(struct committer *c, struct change *change)
{
	struct store_bucket *next;
	enum err e = next_bucket(c, change, &next);
	if (e != ERR_OK)
		return e;
	change->bucket = next;
	return make_record(change, RECORD_BUCKET, next->id, next);
}

/* ERR_BUCKET_NOT_EMPTY if there is an object. The batch is empty, so that the index has all. */
static enum err check_empty(struct local *local, uint64_t bucket_id)
{
	struct slice key;
	struct slice value;
	struct index_cursor *cursor = index_cursor_new(local->index, bucket_id);
	if (!cursor)
		return ERR_UNAVAILABLE;
	index_cursor_seek(cursor, S(""));
	bool any = index_cursor_at(cursor, &key, &value);
	enum err e = index_cursor_err(cursor);
	index_cursor_free(cursor);
	return any ? ERR_BUCKET_NOT_EMPTY : e;
}

static enum err prepare_bucket_delete(struct committer *c, struct change *change)
{
	const struct store_bucket *old = buckets_get(c->local->buckets, change->name);
	if (!old)
		return ERR_NO_SUCH_BUCKET;
	uint64_t id = old->id;
	bucket_unref(old);
	enum err e = check_empty(c->local, id);
	return e == ERR_OK ? make_record(change, RECORD_BUCKET_DELETE, id, NULL) : e;
}

/* Makes the record of a change that does not bring its own. */
static enum err prepare(struct committer *c, struct change *change)
{
	if (change->kind == CHANGE_BUCKET_DELETE)
		return prepare_bucket_delete(c, change);
	if (about_bucket(change))
		return prepare_bucket(c, change);
	if (index_alone(change) || buckets_have(c->local->buckets, change->bucket_id))
		return ERR_OK;
	return ERR_NO_SUCH_BUCKET;
}

/* Stages what the change does to the index, if what it needs to be true is true. */
static enum err stage_change(struct committer *c, struct change *change)
{
	struct stage *stage = c->local->stage;
	const struct log *log = &c->local->log;
	size_t data_offset = change->head_len;
	struct stage_condition condition = {
		change->forbid_overwrite, change->moves_from, change->as_public};
	switch (change->kind) {
	case CHANGE_OBJECT: {
		struct location where = {log->active->id, log->at + c->bytes,
			(uint32_t)change_total(change), (uint32_t)data_offset};
		return stage_object(stage, change->bucket_id, change_key(change), &where,
			change_meta(change), condition);
	}
	case CHANGE_OBJECT_DELETE:
		return stage_object_delete(
			stage, change->bucket_id, change_key(change), condition, &change->existed);
	case CHANGE_BUCKET_DELETE:
		stage_bucket_delete(stage, change->name);
		return ERR_OK;
	case CHANGE_BUCKET_CREATE:
	case CHANGE_BUCKET:
		stage_bucket(stage, change->name, change_meta(change));
		return ERR_OK;
	case CHANGE_FORGET_FILE:
		stage_file_forget(stage, change->number, change->size);
		break;
	case CHANGE_FORGET_SEGMENT:
		stage_segment_forget(stage, change->number);
		break;
	}
	c->index_only = true;
	return ERR_OK;
}

/* ---- A batch --------------------------------------------------------------------------------- */

static void add_piece(struct committer *c, const void *ptr, size_t len)
{
	union {
		const void *from;
		void *to;
	} cast = {.from = ptr}; /* writev does not write there */
	if (len)
		c->iov[c->iov_count++] = (struct iovec){.iov_base = cast.to, .iov_len = len};
}

static void add_record(struct committer *c, struct change *change)
{
	size_t total = change_total(change);
	uint64_t batch = c->sequence - c->records;
	record_seal(change->head, c->local->log.active->salt, c->sequence, batch, change->data);
	add_piece(c, change->head, change->head_len);
	add_piece(c, change->data.ptr, change->data.len);
	add_piece(c, zeros, total - change->head_len - change->data.len);
	c->bytes += total;
	c->records++;
	c->sequence++;
}

/* Gets a place in the log for a record, in a new segment if the active one is full. */
static enum err find_room(struct committer *c, const struct change *change)
{
	struct log *log = &c->local->log;
	size_t total = change_total(change);
	int e = 0;
	if (!log_fits(log, c->bytes, total)) {
		assert(c->records == 0);
		e = log_rotate(log, c->sequence);
		gc_wake(c->local->gc);
		/* On a full disk the old segment has some room beyond its size for deletes. */
		if (e == ENOSPC && frees_space(change))
			e = 0;
	}
	if (e == 0)
		e = log_reserve(log, c->bytes + total, frees_space(change));
	if (e == 0)
		return ERR_OK;
	if (files_err(e) != ERR_DISK_FULL)
		log_error("store: cannot extend the log: %s", files_text(e));
	return files_err(e);
}

/* Whether the batch has to end before `change`. */
static bool batch_ends(const struct committer *c, const struct change *change)
{
	if (c->records == 0)
		return about_bucket(change) && c->index_only;
	if (c->records == LIMIT_COMMIT_BATCH || about_bucket(change))
		return true;
	if (index_alone(change))
		return false;
	size_t total = change_total(change);
	return c->bytes + total > LIMIT_COMMIT_BATCH_BYTES ||
	       !log_fits(&c->local->log, c->bytes, total);
}

static enum err take_in(struct committer *c, struct change *change)
{
	enum err e = prepare(c, change);
	if (e == ERR_OK && !index_alone(change))
		e = find_room(c, change);
	if (e == ERR_OK)
		e = stage_change(c, change);
	if (e != ERR_OK || index_alone(change))
		return e;
	/* Deleting what is not there needs no record. */
	if (change->kind != CHANGE_OBJECT_DELETE || change->existed)
		add_record(c, change);
	return ERR_OK;
}

/* Moves changes from the front of *list to the batch. */
static void gather(struct committer *c, struct change **list)
{
	c->batch = NULL;
	c->batch_last = &c->batch;
	c->records = 0;
	c->bytes = 0;
	c->iov_count = 0;
	c->index_only = false;
	while (*list && !batch_ends(c, *list)) {
		struct change *change = *list;
		*list = change->next;
		change->next = NULL;
		*c->batch_last = change;
		c->batch_last = &change->next;
		bool alone = about_bucket(change);
		change->err = c->broken ? ERR_UNAVAILABLE : take_in(c, change);
		if (alone)
			break;
	}
}

static void break_down(struct committer *c, const char *why)
{
	atomic_store(&c->broken, true);
	log_error("store: %s; the end of the log is not known any more. All changes are refused "
		  "until postern is started again; reading goes on",
		why);
}

/* Makes the batch durable and visible. */
static enum err write_batch(struct committer *c)
{
	struct local *local = c->local;
	struct log *log = &local->log;
	uint64_t before = log->at;
	if (c->records > 0) {
		int e;
		enum log_result r = log_append(log, c->iov, c->iov_count, c->bytes, &e);
		if (r != LOG_OK) {
			log_error("store: cannot write the log: %s", files_text(e));
			stage_forget(local->stage);
			if (r == LOG_BROKEN)
				break_down(c, "a write or sync of the log failed");
			return r == LOG_BROKEN ? ERR_INTERNAL : files_err(e);
		}
		c->syncs++;
	}
	bool trashed = false;
	enum err e = stage_write(local->stage, log->active->id, log->at, c->sequence,
		large_files_mark(local->files), &trashed);
	if (e != ERR_OK && !log_cut(log, before))
		break_down(c, "the index could not be written, nor the log cut back");
	if (trashed)
		gc_wake(local->gc);
	return e;
}

static void show_bucket(struct committer *c, struct change *change)
{
	if (change->kind == CHANGE_BUCKET_DELETE)
		buckets_remove(c->local->buckets, change->name);
	else if (change->bucket)
		buckets_put(c->local->buckets, TAKE(change->bucket));
}

/* Answers the changes of the batch; `e` is how it went. */
static void answer(struct committer *c, enum err e)
{
	struct change *change = c->batch;
	c->batch = NULL;
	while (change) {
		struct change *next = change->next;
		unsigned char *made = change->made;
		if (e != ERR_OK) {
			change->err = e;
			change->in_doubt = c->broken;
		}
		if (change->err == ERR_OK && about_bucket(change))
			show_bucket(c, change);
		bucket_unref(change->bucket);
		change->done(change);
		free(made);
		change = next;
	}
}

static void publish(struct committer *c)
{
	const struct index_state *state = stage_state(c->local->stage);
	(void)pthread_mutex_lock(&c->lock);
	c->stats.objects = state->objects;
	c->stats.bytes = state->bytes;
	c->stats.commits += c->records;
	c->stats.syncs = c->syncs;
	c->state = *state;
	(void)pthread_mutex_unlock(&c->lock);
}

static void run_batch(struct committer *c, struct change **list)
{
	gather(c, list);
	enum err e = ERR_OK;
	if (c->records > 0 || c->index_only)
		e = write_batch(c);
	if (e == ERR_OK)
		publish(c);
	else
		c->sequence -= c->records;
	answer(c, e);
}

static void *work(void *arg)
{
	struct committer *c = arg;
	(void)pthread_mutex_lock(&c->lock);
	for (;;) {
		while (!c->first && !c->stop)
			(void)pthread_cond_wait(&c->work, &c->lock);
		if (!c->first)
			break;
		struct change *list = TAKE(c->first);
		c->last = &c->first;
		(void)pthread_mutex_unlock(&c->lock);
		while (list)
			run_batch(c, &list);
		(void)pthread_mutex_lock(&c->lock);
	}
	(void)pthread_mutex_unlock(&c->lock);
	return NULL;
}

enum err committer_new(struct local *local, struct committer **ret)
{
	struct committer *c = calloc(1, sizeof(*c));
	if (!c)
		return ERR_UNAVAILABLE;
	c->local = local;
	c->last = &c->first;
	c->sequence = stage_state(local->stage)->sequence;
	atomic_init(&c->broken, false);
	(void)pthread_mutex_init(&c->lock, NULL);
	(void)pthread_cond_init(&c->work, NULL);
	publish(c);
	if (pthread_create(&c->thread, NULL, work, c) != 0) {
		free(c);
		return ERR_UNAVAILABLE;
	}
	(void)pthread_setname_np(c->thread, "committer");
	*ret = c;
	return ERR_OK;
}

void committer_free(struct committer *c)
{
	if (!c)
		return;
	(void)pthread_mutex_lock(&c->lock);
	c->stop = true;
	(void)pthread_cond_signal(&c->work);
	(void)pthread_mutex_unlock(&c->lock);
	(void)pthread_join(c->thread, NULL);
	(void)pthread_cond_destroy(&c->work);
	(void)pthread_mutex_destroy(&c->lock);
	free(c);
}

void committer_add(struct committer *c, struct change *change)
{
	change->next = NULL;
	(void)pthread_mutex_lock(&c->lock);
	bool idle = c->first == NULL;
	*c->last = change;
	c->last = &change->next;
	if (idle)
		(void)pthread_cond_signal(&c->work);
	(void)pthread_mutex_unlock(&c->lock);
}

bool committer_broken(const struct committer *c)
{
	return atomic_load(&c->broken);
}

void committer_stats(struct committer *c, struct store_stats *ret)
{
	(void)pthread_mutex_lock(&c->lock);
	*ret = c->stats;
	(void)pthread_mutex_unlock(&c->lock);
}

void committer_state(struct committer *c, struct index_state *ret)
{
	(void)pthread_mutex_lock(&c->lock);
	*ret = c->state;
	(void)pthread_mutex_unlock(&c->lock);
}
