/* SPDX-License-Identifier: Apache-2.0 */
#include "store/local/commit/committer.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>

#include "base/log.h"
#include "base/sleeper.h"
#include "store/local/commit/plan.h"
#include "store/local/disk/files.h"
#include "store/local/large/large.h"
#include "store/local/state/local_internal.h"

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

/* The most that its record can take, before it is made. */
static size_t change_bound(const struct change *change)
{
	if (change->kind == CHANGE_COMPLETE)
		return record_total(change->key_len, OBJECT_META_MAX, PLAN_DATA_MAX);
	if (change->kind == CHANGE_META)
		return record_total(change->key_len, OBJECT_META_MAX, 0);
	if (change->kind == CHANGE_OBJECT_DELETE)
		return record_total(change->key_len, OBJECT_META_BYTES, 0);
	return change_total(change);
}

static bool frees_space(const struct change *change)
{
	return change->kind == CHANGE_OBJECT_DELETE || change->kind == CHANGE_UPLOAD_ABORT ||
	       change->kind == CHANGE_BUCKET_DELETE || change->kind == CHANGE_MOVE;
}

static bool index_alone(const struct change *change)
{
	return change->kind >= CHANGE_FORGET_FILE;
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

/* Records about objects mean the same here and in a replay. */
static enum err stage_object(struct committer *c, struct change *change)
{
	const struct log *log = &c->local->log;
	struct stage_condition condition = {
		change->forbid_overwrite, change->moves_from, change->as_public};
	struct stage_record record = {
		.kind = record_head_kind(change->head),
		.bucket_id = change->bucket_id,
		.key = change_key(change),
		.meta = change_meta(change),
		.data = change->data,
		.where = {log->active->id, log->at + c->bytes, (uint32_t)change_total(change),
			(uint32_t)change->head_len},
	};
	enum err e = stage_record(c->local->stage, &record, condition, &change->existed);
	if (change->kind == CHANGE_APPEND)
		plan_tell_object(c->local->stage, change);
	return e;
}

/* Stages what the change does to the index, if what it needs to be true is true. */
static enum err stage_change(struct committer *c, struct change *change)
{
	struct stage *stage = c->local->stage;
	switch (change->kind) {
	case CHANGE_BUCKET_DELETE:
		stage_bucket_delete(stage, change->name, change->bucket_id);
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
	case CHANGE_FORGET_PART:
		c->index_only = true;
		return stage_part_forget(stage, change->number, change->part);
	case CHANGE_FORGET_SET:
		stage_set_forget(stage, change->number);
		break;
	case CHANGE_OBJECT:
	case CHANGE_OBJECT_DELETE:
	case CHANGE_META:
	case CHANGE_MOVE:
	case CHANGE_APPEND:
	case CHANGE_PART:
	case CHANGE_UPLOAD:
	case CHANGE_UPLOAD_ABORT:
	case CHANGE_COMPLETE:
		return stage_object(c, change);
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
		sleeper_wake(&c->local->collector);
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
		return change_about_bucket(change) && c->index_only;
	if (c->records == LIMIT_COMMIT_BATCH || change_about_bucket(change))
		return true;
	if (index_alone(change))
		return false;
	size_t bound = change_bound(change);
	return c->bytes + bound > LIMIT_COMMIT_BATCH_BYTES ||
	       !log_fits(&c->local->log, c->bytes, bound);
}

static enum err take_in(struct committer *c, struct change *change)
{
	enum err e = ERR_OK;
	if (!index_alone(change))
		e = plan_record(c->local, c->sequence, change);
	if (e != ERR_OK || change->nothing)
		return e;
	if (!index_alone(change))
		e = find_room(c, change);
	if (e == ERR_OK)
		e = stage_change(c, change);
	if (e != ERR_OK || index_alone(change))
		return e;
	/* Deleting what is not there needs no record, unless one was made for it. */
	if (change->kind != CHANGE_OBJECT_DELETE || change->existed || change->made)
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
		bool alone = change_about_bucket(change);
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
		sleeper_wake(&local->collector);
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
		if (change->err == ERR_OK && change_about_bucket(change))
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
