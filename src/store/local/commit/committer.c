/* SPDX-License-Identifier: Apache-2.0 */
#include "store/local/commit/committer.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>

#include "base/log.h"
#include "base/sleeper.h"
#include "base/thread_queue.h"
#include "store/local/apply/redo.h"
#include "store/local/commit/decide.h"
#include "store/local/commit/reopen.h"
#include "store/local/disk/files.h"
#include "store/local/large/large.h"
#include "store/local/state/local_internal.h"

enum {
	PIECES = 3,     /* of a record: head, data, padding */
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
	[TROUBLE_INDEX] = "the index could not be written; it is tried again once a second",
};

struct committer {
	struct local *local;
	struct thread_queue *queue;
	pthread_mutex_t lock; /* protects what is up to `state`; a leaf */
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
	bool index_only;    /* something is in the index batch that has no record */
	struct iovec iov[LIMIT_COMMIT_BATCH * PIECES];
	size_t iov_count;
};

static unsigned char zeros[RECORD_ALIGN];

/* ---- One change ------------------------------------------------------------------------------ */

static size_t change_total(const struct mutation *mutation)
{
	return record_total(mutation->head_len - RECORD_HEADER_BYTES, 0, mutation->data.len);
}

const struct mutation_traits mutation_traits[] = {
	[MUTATION_OBJECT] = {.made = false},
	[MUTATION_OBJECT_DELETE] = {.frees_space = true,
		.made = true,
		.meta_max = OBJECT_META_BYTES},
	[MUTATION_METADATA] = {.made = true,
		.meta_max = OBJECT_META_MAX,
		.data_max = LOCATION_BYTES},
	[MUTATION_MOVE] = {.frees_space = true},
	[MUTATION_RESTATE] = {.frees_space = true},
	[MUTATION_MOVE_BUCKET] = {.frees_space = true},
	[MUTATION_ENDED] = {.frees_space = true},
	[MUTATION_ADD_SUMS] = {.made = false},
	[MUTATION_APPEND] = {.made = false},
	[MUTATION_PART] = {.made = false},
	[MUTATION_MULTIPART] = {.made = false},
	[MUTATION_MULTIPART_ABORT] = {.frees_space = true},
	[MUTATION_COMPLETE] = {.made = true,
		.meta_max = OBJECT_META_MAX,
		.data_max = RECORD_DATA_MADE_MAX},
	[MUTATION_BUCKET_CREATE] = {.about_bucket = true},
	[MUTATION_BUCKET] = {.about_bucket = true},
	[MUTATION_BUCKET_DELETE] = {.about_bucket = true, .frees_space = true},
	[MUTATION_FORGET_FILE] = {.index_alone = true},
	[MUTATION_FORGET_SEGMENT] = {.index_alone = true},
	[MUTATION_FORGET_ENDED] = {.index_alone = true},
	[MUTATION_FORGET_PART] = {.index_alone = true},
	[MUTATION_FORGET_PART_LIST] = {.index_alone = true},
	[MUTATION_SEAL] = {.index_alone = true},
};

static const struct mutation_traits *traits_of(const struct mutation *mutation)
{
	return &mutation_traits[mutation->kind];
}

/* The most that its record can take, before it is made. */
static size_t mutation_bound(const struct mutation *mutation)
{
	const struct mutation_traits *traits = traits_of(mutation);
	if (traits->made)
		return record_total(mutation->key_len, traits->meta_max, traits->data_max);
	return change_total(mutation);
}

/* The record of the mutation, at the end of the log. */
static struct record_at record_of(const struct committer *c, const struct mutation *mutation)
{
	const struct wal *wal = &c->local->wal;
	return (struct record_at){
		.kind = record_head_kind(mutation->head),
		.bucket_id = mutation->bucket_id,
		.key = mutation_key(mutation),
		.meta = mutation_meta_slice(mutation),
		.data = mutation->data,
		.where = {wal->active->id, wal->at + c->bytes, (uint32_t)change_total(mutation),
			(uint32_t)mutation->head_len},
	};
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
		wal->files_next = large_files_next(c->local->files);
		e = wal_rotate(wal, c->sequence);
		sleeper_wake(&c->local->collector);
		/* On a full disk the old segment has some room beyond its size for deletes. */
		if (e && files_err(e) == ERR_DISK_FULL && traits_of(mutation)->frees_space)
			e = 0;
	}
	if (e == 0)
		e = wal_reserve(wal, c->bytes + total, traits_of(mutation)->frees_space);
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
	if (traits_of(mutation)->index_alone)
		return false;
	size_t bound = mutation_bound(mutation);
	return c->bytes + bound > LIMIT_COMMIT_BATCH_BYTES ||
	       !wal_fits(&c->local->wal, c->bytes, bound);
}

/* What follows goes to a new segment. */
static enum err seal(struct committer *c, uint64_t id)
{
	struct wal *wal = &c->local->wal;
	assert(c->records == 0);
	if (wal->active->id != id || wal->at == SEGMENT_HEADER_BYTES)
		return ERR_OK;
	wal->files_next = large_files_next(c->local->files);
	int e = wal_rotate(wal, c->sequence);
	if (e && files_err(e) != ERR_DISK_FULL)
		log_error("store: cannot begin a segment: %s", files_text(e));
	return e ? files_err(e) : ERR_OK;
}

/* What is about the index alone. */
static enum err admit_forget(struct committer *c, const struct mutation *mutation)
{
	struct index_batch *batch = c->local->batch;
	c->index_only = true;
	if (mutation->kind == MUTATION_SEAL)
		return seal(c, mutation->number);
	if (mutation->kind == MUTATION_FORGET_PART)
		return index_batch_forget_part(batch, mutation->number, mutation->part);
	if (mutation->kind == MUTATION_FORGET_ENDED)
		return index_batch_forget_ended(batch, mutation->number, mutation->part);
	if (mutation->kind == MUTATION_FORGET_FILE)
		index_batch_forget_file(batch, mutation->number, mutation->size);
	else if (mutation->kind == MUTATION_FORGET_SEGMENT)
		index_batch_forget_segment(batch, mutation->number);
	else
		index_batch_forget_list(batch, mutation->number);
	return ERR_OK;
}

static enum err admit_bucket(struct committer *c, struct mutation *mutation)
{
	struct index_batch *batch = c->local->batch;
	enum err e = decide_bucket(c->local, c->sequence, mutation);
	if (e == ERR_OK)
		e = find_room(c, mutation);
	if (e != ERR_OK)
		return e;
	if (mutation->kind == MUTATION_BUCKET_DELETE)
		return index_batch_bucket_delete(batch, mutation->name, mutation->bucket_id);
	struct record_at record = record_of(c, mutation);
	return index_batch_bucket(batch, mutation->name, mutation->bucket_id,
		mutation_meta_slice(mutation), &record.where, NULL);
}

/* What the collector carries along. */
static enum err admit_carried(struct committer *c, struct mutation *mutation)
{
	struct index_batch *batch = c->local->batch;
	enum store_versioning ignored;
	/* Parts of older folders do not say of which bucket they are. */
	if (mutation->kind != MUTATION_ENDED && mutation->bucket_id &&
		!buckets_find(c->local->buckets, mutation->bucket_id, &ignored))
		return ERR_NO_SUCH_BUCKET;
	enum err e = find_room(c, mutation);
	if (e != ERR_OK)
		return e;
	const struct location *from = mutation->is_upgrade ? NULL : mutation->moves_from;
	struct record_at record = record_of(c, mutation);
	if (mutation->kind == MUTATION_ENDED)
		return redo_record(batch, &record);
	if (mutation->kind == MUTATION_MOVE_BUCKET)
		return index_batch_bucket(
			batch, record.key, record.bucket_id, record.meta, &record.where, from);
	if (mutation->kind == MUTATION_RESTATE)
		return effects_restate(batch, &record, from);
	if (mutation->kind == MUTATION_ADD_SUMS)
		return effects_add_sums(batch, &record, from);
	return effects_move(batch, &record, from);
}

static bool is_carried(const struct mutation *mutation)
{
	return mutation->kind == MUTATION_MOVE || mutation->kind == MUTATION_RESTATE ||
	       mutation->kind == MUTATION_MOVE_BUCKET || mutation->kind == MUTATION_ENDED ||
	       mutation->kind == MUTATION_ADD_SUMS;
}

static enum err admit_object(struct committer *c, struct mutation *mutation)
{
	struct decision decision;
	enum err e = decide_object(c->local, c->sequence, mutation, &decision);
	if (e == ERR_OK && !mutation->nothing)
		e = find_room(c, mutation);
	if (e == ERR_OK && !mutation->nothing) {
		struct record_at record = record_of(c, mutation);
		e = effects_apply(&decision.rows, &decision.effects, &record, &decision.meta);
	}
	rows_end(&decision.rows);
	return e;
}

static enum err admit(struct committer *c, struct mutation *mutation)
{
	if (traits_of(mutation)->index_alone)
		return admit_forget(c, mutation);
	enum err e;
	if (mutation_about_bucket(mutation))
		e = admit_bucket(c, mutation);
	else if (is_carried(mutation))
		e = admit_carried(c, mutation);
	else
		e = admit_object(c, mutation);
	if (e == ERR_OK && !mutation->nothing)
		add_record(c, mutation);
	return e;
}

/* Moves changes from the front of *list to the batch. */
static void gather(struct committer *c, struct task **list)
{
	c->batch = NULL;
	c->batch_last = &c->batch;
	c->records = 0;
	c->bytes = 0;
	c->iov_count = 0;
	c->index_only = false;
	while (*list) {
		struct mutation *mutation = CONTAINER_OF(*list, struct mutation, task);
		if (batch_ends(c, mutation))
			break;
		*list = mutation->task.next;
		mutation->next = NULL;
		*c->batch_last = mutation;
		c->batch_last = &mutation->next;
		bool alone = mutation_about_bucket(mutation);
		mutation->err = c->trouble ? ERR_UNAVAILABLE : admit(c, mutation);
		if (alone)
			break;
	}
}

static void publish(struct committer *c)
{
	const struct index_state *state = index_batch_state(c->local->batch);
	(void)pthread_mutex_lock(&c->lock);
	c->stats.objects = state->objects;
	c->stats.bytes = state->bytes;
	c->stats.commits += c->records;
	c->stats.syncs = c->syncs;
	c->state = *state;
	(void)pthread_mutex_unlock(&c->lock);
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
	wal->files_next = large_files_next(c->local->files);
	if (wal_begin_anew(wal, c->sequence) != 0)
		return false;
	large_remove_doubtful(c->local->files);
	log_info("store: the log goes on in segment %016" PRIx64 ": what could not be written to "
		 "segment %016" PRIx64 " is not there, now and after a start",
		wal->active->id, before);
	return true;
}

/* A change of the index that changes nothing. */
static bool index_takes_changes(struct committer *c)
{
	const struct wal *wal = &c->local->wal;
	bool ignored;
	return index_batch_write(c->local->batch, wal->active->id, wal->at, c->sequence,
		       large_files_mark(c->local->files), &ignored) == ERR_OK;
}

/* RocksDB gets over some faults. After others it is opened again. */
static bool mend_index(struct committer *c)
{
	if (!index_takes_changes(c) &&
		(reopen_index(c->local, c->sequence) != ERR_OK || !index_takes_changes(c)))
		return false;
	c->records = 0;
	publish(c);
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
			index_batch_clear(local->batch);
			if (r == WAL_BROKEN)
				break_down(c, TROUBLE_LOG);
			return r == WAL_BROKEN ? ERR_INTERNAL : files_err(e);
		}
		c->syncs++;
	}
	bool has_garbage = false;
	enum err e = index_batch_write(local->batch, wal->active->id, wal->at, c->sequence,
		large_files_mark(local->files), &has_garbage);
	if (e != ERR_OK)
		break_down(c, wal_cut(wal, before) ? TROUBLE_INDEX : TROUBLE_LOG);
	if (has_garbage)
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

static void run_batch(struct committer *c, struct task **list)
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

/* All that waits: one group commit, or a few if it is more than one can take. */
static void on_waiting(struct task *list, void *state)
{
	struct committer *c = state;
	try_to_mend(c);
	while (list)
		run_batch(c, &list);
}

/* A store that refuses changes may be asked for none. */
static int64_t due_ms(void *state)
{
	const struct committer *c = state;
	return c->trouble ? c->mend_at_ms : INT64_MAX;
}

enum err committer_new(struct local *local, struct committer **ret)
{
	struct committer *c = calloc(1, sizeof(*c));
	if (!c)
		return ERR_UNAVAILABLE;
	c->local = local;
	c->sequence = index_batch_state(local->batch)->sequence;
	atomic_init(&c->trouble, TROUBLE_NONE);
	(void)pthread_mutex_init(&c->lock, NULL);
	publish(c);
	const struct thread_queue_options options = {.name = "committer",
		.duty = THREAD_DISK,
		.batch = on_waiting,
		.due_ms = due_ms,
		.state = c};
	enum err e = thread_queue_new(&options, &c->queue);
	if (e != ERR_OK) {
		committer_free(c);
		return e;
	}
	*ret = c;
	return ERR_OK;
}

void committer_free(struct committer *c)
{
	if (!c)
		return;
	thread_queue_free(c->queue);
	(void)pthread_mutex_destroy(&c->lock);
	free(c);
}

void committer_add(struct committer *c, struct mutation *mutation)
{
	thread_queue_add(c->queue, &mutation->task);
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
