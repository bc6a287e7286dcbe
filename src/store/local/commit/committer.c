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
	PIECES = 3,     /* of a record: head, data, filling */
	MEND_MS = 1000, /* between two attempts to go on after a failure */
};

/* Why changes are refused. */
enum trouble {
	TROUBLE_NONE,
	TROUBLE_LOG,   /* its end on the disk is not known */
	TROUBLE_INDEX, /* it takes no change */
};

static const char *const refusals[] = {
	[TROUBLE_NONE] = NULL,
	[TROUBLE_LOG] = "the log could not be written; it is tried again once a second",
	[TROUBLE_INDEX] = "the index could not be written; it is tried again once a second, but if "
			  "the disk is well this needs a restart",
};

struct committer {
	struct local *local;
	pthread_t thread;
	pthread_mutex_t lock; /* protects the queue and what is up to `state`; a leaf */
	pthread_cond_t work;
	struct mutation *first;
	struct mutation **last;
	bool stop;
	struct store_stats stats;
	struct index_state state;
	_Atomic enum trouble trouble;
	/* The thread's own: the batch being made. */
	uint64_t sequence; /* of the next record */
	struct mutation *batch;
	struct mutation **batch_last;
	size_t records;
	uint64_t bytes;
	uint64_t syncs;
	int64_t mend_at_ms; /* in trouble: when to try to go on */
	bool index_only;    /* something is staged that has no record */
	struct iovec iov[LIMIT_COMMIT_BATCH * PIECES];
	size_t iov_count;
};

static unsigned char zeros[RECORD_ALIGN];

/* ---- One change ------------------------------------------------------------------------------ */

static size_t change_total(const struct mutation *mutation)
{
	return record_total(mutation->head_len - RECORD_HEADER_BYTES, 0, mutation->data.len);
}

/* The most that its record can take, before it is made. */
static size_t mutation_bound(const struct mutation *mutation)
{
	if (mutation->kind == MUTATION_COMPLETE)
		return record_total(mutation->key_len, OBJECT_META_MAX, PLAN_DATA_MAX);
	if (mutation->kind == MUTATION_METADATA)
		return record_total(mutation->key_len, OBJECT_META_MAX, 0);
	if (mutation->kind == MUTATION_OBJECT_DELETE)
		return record_total(mutation->key_len, OBJECT_META_BYTES, 0);
	return change_total(mutation);
}

static bool frees_space(const struct mutation *mutation)
{
	return mutation->kind == MUTATION_OBJECT_DELETE ||
	       mutation->kind == MUTATION_MULTIPART_ABORT ||
	       mutation->kind == MUTATION_BUCKET_DELETE || mutation->kind == MUTATION_MOVE;
}

static bool index_alone(const struct mutation *mutation)
{
	return mutation->kind >= MUTATION_FORGET_FILE;
}

static struct slice change_key(const struct mutation *mutation)
{
	return slice_of(mutation->head + RECORD_HEADER_BYTES, mutation->key_len);
}

static struct slice mutation_meta(const struct mutation *mutation)
{
	size_t before = RECORD_HEADER_BYTES + mutation->key_len;
	return slice_of(mutation->head + before, mutation->head_len - before);
}

/* Records about objects mean the same here and in a replay. */
static enum err stage_object(struct committer *c, struct mutation *mutation)
{
	const struct wal *wal = &c->local->wal;
	struct stage_condition condition = {
		mutation->forbid_overwrite, mutation->moves_from, mutation->caller};
	struct stage_record record = {
		.kind = record_head_kind(mutation->head),
		.bucket_id = mutation->bucket_id,
		.key = change_key(mutation),
		.meta = mutation_meta(mutation),
		.data = mutation->data,
		.where = {wal->active->id, wal->at + c->bytes, (uint32_t)change_total(mutation),
			(uint32_t)mutation->head_len},
	};
	enum err e = stage_record(c->local->stage, &record, condition, &mutation->existed);
	if (mutation->kind == MUTATION_APPEND)
		plan_report_object(c->local->stage, mutation);
	return e;
}

/* What follows goes to a new segment. */
static enum err seal(struct committer *c, uint64_t id)
{
	struct wal *wal = &c->local->wal;
	assert(c->records == 0);
	if (wal->active->id != id || wal->at == SEGMENT_HEADER_BYTES)
		return ERR_OK;
	int e = wal_rotate(wal, c->sequence);
	if (e && files_err(e) != ERR_DISK_FULL)
		log_error("store: cannot begin a segment: %s", files_text(e));
	return e ? files_err(e) : ERR_OK;
}

/* Stages what the change does to the index, if what it needs to be true is true. */
static enum err stage_mutation(struct committer *c, struct mutation *mutation)
{
	struct stage *stage = c->local->stage;
	switch (mutation->kind) {
	case MUTATION_BUCKET_DELETE:
		stage_bucket_delete(stage, mutation->name, mutation->bucket_id);
		return ERR_OK;
	case MUTATION_BUCKET_CREATE:
	case MUTATION_BUCKET:
		stage_bucket(stage, mutation->name, mutation_meta(mutation));
		return ERR_OK;
	case MUTATION_FORGET_FILE:
		stage_file_forget(stage, mutation->number, mutation->size);
		break;
	case MUTATION_FORGET_SEGMENT:
		stage_segment_forget(stage, mutation->number);
		break;
	case MUTATION_FORGET_PART:
		c->index_only = true;
		return stage_part_forget(stage, mutation->number, mutation->part);
	case MUTATION_FORGET_SET:
		stage_set_forget(stage, mutation->number);
		break;
	case MUTATION_SEAL:
		c->index_only = true;
		return seal(c, mutation->number);
	case MUTATION_OBJECT:
	case MUTATION_OBJECT_DELETE:
	case MUTATION_METADATA:
	case MUTATION_MOVE:
	case MUTATION_APPEND:
	case MUTATION_PART:
	case MUTATION_MULTIPART:
	case MUTATION_MULTIPART_ABORT:
	case MUTATION_COMPLETE:
		return stage_object(c, mutation);
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

static void add_record(struct committer *c, struct mutation *mutation)
{
	size_t total = change_total(mutation);
	uint64_t batch = c->sequence - c->records;
	record_seal(mutation->head, c->local->wal.active->salt, c->sequence, batch, mutation->data);
	add_piece(c, mutation->head, mutation->head_len);
	add_piece(c, mutation->data.ptr, mutation->data.len);
	add_piece(c, zeros, total - mutation->head_len - mutation->data.len);
	c->bytes += total;
	c->records++;
	c->sequence++;
}

/* Gets a place in the log for a record, in a new segment if the active one is full. */
static enum err find_room(struct committer *c, const struct mutation *mutation)
{
	struct wal *wal = &c->local->wal;
	size_t total = change_total(mutation);
	int e = 0;
	if (!wal_fits(wal, c->bytes, total)) {
		assert(c->records == 0);
		e = wal_rotate(wal, c->sequence);
		sleeper_wake(&c->local->collector);
		/* On a full disk the old segment has some room beyond its size for deletes. */
		if (e == ENOSPC && frees_space(mutation))
			e = 0;
	}
	if (e == 0)
		e = wal_reserve(wal, c->bytes + total, frees_space(mutation));
	if (e == 0)
		return ERR_OK;
	if (files_err(e) != ERR_DISK_FULL)
		log_error("store: cannot extend the log: %s", files_text(e));
	return files_err(e);
}

/* Whether the batch has to end before `change`. */
static bool batch_ends(const struct committer *c, const struct mutation *mutation)
{
	if (c->records == 0)
		return mutation_about_bucket(mutation) && c->index_only;
	if (c->records == LIMIT_COMMIT_BATCH || mutation_about_bucket(mutation) ||
		mutation->kind == MUTATION_SEAL)
		return true;
	if (index_alone(mutation))
		return false;
	size_t bound = mutation_bound(mutation);
	return c->bytes + bound > LIMIT_COMMIT_BATCH_BYTES ||
	       !wal_fits(&c->local->wal, c->bytes, bound);
}

static enum err take_in(struct committer *c, struct mutation *mutation)
{
	enum err e = ERR_OK;
	if (!index_alone(mutation))
		e = plan_record(c->local, c->sequence, mutation);
	if (e != ERR_OK || mutation->nothing)
		return e;
	if (!index_alone(mutation))
		e = find_room(c, mutation);
	if (e == ERR_OK)
		e = stage_mutation(c, mutation);
	if (e != ERR_OK || index_alone(mutation))
		return e;
	/* Deleting what is not there needs no record, unless one was made for it. */
	if (mutation->kind != MUTATION_OBJECT_DELETE || mutation->existed || mutation->made)
		add_record(c, mutation);
	return ERR_OK;
}

/* Moves changes from the front of *list to the batch. */
static void gather(struct committer *c, struct mutation **list)
{
	c->batch = NULL;
	c->batch_last = &c->batch;
	c->records = 0;
	c->bytes = 0;
	c->iov_count = 0;
	c->index_only = false;
	while (*list && !batch_ends(c, *list)) {
		struct mutation *mutation = *list;
		*list = mutation->next;
		mutation->next = NULL;
		*c->batch_last = mutation;
		c->batch_last = &mutation->next;
		bool alone = mutation_about_bucket(mutation);
		mutation->err = c->trouble ? ERR_UNAVAILABLE : take_in(c, mutation);
		if (alone)
			break;
	}
}

static void break_down(struct committer *c, enum trouble trouble)
{
	atomic_store(&c->trouble, trouble);
	c->mend_at_ms = clock_monotonic_ms() + MEND_MS;
	log_error("store: all changes are refused, reading goes on: %s", refusals[trouble]);
}

/* Goes on behind a segment whose end is not known. */
static bool mend_log(struct committer *c)
{
	struct wal *wal = &c->local->wal;
	uint64_t before = wal->active->id;
	if (wal_begin_anew(wal, c->sequence) != 0)
		return false;
	large_remove_doubtful(c->local->files);
	log_info("store: the log goes on in segment %016" PRIx64 ": what could not be written to "
		 "segment %016" PRIx64 " is not there, now and after a start",
		wal->active->id, before);
	return true;
}

/* Whether the index takes a change that changes nothing: RocksDB gets over some faults. */
static bool mend_index(struct committer *c)
{
	const struct wal *wal = &c->local->wal;
	bool ignored;
	if (stage_write(c->local->stage, wal->active->id, wal->at, c->sequence,
		    large_files_mark(c->local->files), &ignored) != ERR_OK)
		return false;
	log_info("store: the index can be written again");
	return true;
}

/* If the disk is well again changes go on. */
static void try_to_mend(struct committer *c)
{
	if (!c->trouble || clock_monotonic_ms() < c->mend_at_ms)
		return;
	c->mend_at_ms = clock_monotonic_ms() + MEND_MS;
	if (c->trouble == TROUBLE_LOG ? mend_log(c) : mend_index(c))
		atomic_store(&c->trouble, TROUBLE_NONE);
}

/* Makes the batch durable and visible. */
static enum err write_batch(struct committer *c)
{
	struct local *local = c->local;
	struct wal *wal = &local->wal;
	uint64_t before = wal->at;
	if (c->records > 0) {
		int e;
		enum wal_result r = wal_append(wal, c->iov, c->iov_count, c->bytes, &e);
		if (r != WAL_OK) {
			log_error("store: cannot write the log: %s", files_text(e));
			stage_forget(local->stage);
			if (r == WAL_BROKEN)
				break_down(c, TROUBLE_LOG);
			return r == WAL_BROKEN ? ERR_INTERNAL : files_err(e);
		}
		c->syncs++;
	}
	bool trashed = false;
	enum err e = stage_write(local->stage, wal->active->id, wal->at, c->sequence,
		large_files_mark(local->files), &trashed);
	if (e != ERR_OK)
		break_down(c, wal_cut(wal, before) ? TROUBLE_INDEX : TROUBLE_LOG);
	if (trashed)
		sleeper_wake(&local->collector);
	return e;
}

static void show_bucket(struct committer *c, struct mutation *mutation)
{
	if (mutation->kind == MUTATION_BUCKET_DELETE)
		buckets_remove(c->local->buckets, mutation->name);
	else if (mutation->bucket)
		buckets_put(c->local->buckets, TAKE(mutation->bucket));
}

/* Answers the changes of the batch; `e` is how it went. */
static void answer(struct committer *c, enum err e)
{
	struct mutation *mutation = c->batch;
	c->batch = NULL;
	while (mutation) {
		struct mutation *next = mutation->next;
		unsigned char *made = mutation->made;
		if (e != ERR_OK) {
			mutation->err = e;
			mutation->in_doubt = c->trouble == TROUBLE_LOG;
		}
		if (mutation->err == ERR_OK && mutation_about_bucket(mutation))
			show_bucket(c, mutation);
		bucket_unref(mutation->bucket);
		mutation->done(mutation);
		free(made);
		mutation = next;
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

static void run_batch(struct committer *c, struct mutation **list)
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

/* Until there is something to do; a store that refuses changes may be asked for none. */
static void wait_for_work(struct committer *c)
{
	int64_t at_ms = c->mend_at_ms;
	struct timespec at = {.tv_sec = at_ms / 1000, .tv_nsec = at_ms % 1000 * 1000000};
	bool due = false;
	while (!c->first && !c->stop && !due) {
		if (c->trouble)
			due = pthread_cond_timedwait(&c->work, &c->lock, &at) == ETIMEDOUT;
		else
			(void)pthread_cond_wait(&c->work, &c->lock);
	}
}

static void *work(void *arg)
{
	struct committer *c = arg;
	(void)pthread_mutex_lock(&c->lock);
	for (;;) {
		wait_for_work(c);
		if (!c->first && c->stop)
			break;
		struct mutation *list = TAKE(c->first);
		c->last = &c->first;
		(void)pthread_mutex_unlock(&c->lock);
		try_to_mend(c);
		while (list)
			run_batch(c, &list);
		(void)pthread_mutex_lock(&c->lock);
	}
	(void)pthread_mutex_unlock(&c->lock);
	return NULL;
}

/* Its times are those of clock_monotonic_ms(). */
static void init_condition(pthread_cond_t *condition)
{
	pthread_condattr_t attributes;
	(void)pthread_condattr_init(&attributes);
	(void)pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	(void)pthread_cond_init(condition, &attributes);
	(void)pthread_condattr_destroy(&attributes);
}

enum err committer_new(struct local *local, struct committer **ret)
{
	struct committer *c = calloc(1, sizeof(*c));
	if (!c)
		return ERR_UNAVAILABLE;
	c->local = local;
	c->last = &c->first;
	c->sequence = stage_state(local->stage)->sequence;
	atomic_init(&c->trouble, TROUBLE_NONE);
	(void)pthread_mutex_init(&c->lock, NULL);
	init_condition(&c->work);
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

void committer_add(struct committer *c, struct mutation *mutation)
{
	mutation->next = NULL;
	(void)pthread_mutex_lock(&c->lock);
	bool idle = c->first == NULL;
	*c->last = mutation;
	c->last = &mutation->next;
	if (idle)
		(void)pthread_cond_signal(&c->work);
	(void)pthread_mutex_unlock(&c->lock);
}

bool committer_broken(const struct committer *c)
{
	return atomic_load(&c->trouble) != TROUBLE_NONE;
}

const char *committer_refusal(const struct committer *c)
{
	return refusals[atomic_load(&c->trouble)];
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
