/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The index batch: changes of the index that are gathered, written to it at once, and only then
 * applied to the counts in memory. effects.h fills it, for group commits and for replays.
 *
 * One thread at a time: first the one that recovers the store, then the committer.
 */
#ifndef STORE_LOCAL_APPLY_INDEX_BATCH_H
#define STORE_LOCAL_APPLY_INDEX_BATCH_H

#include "store/local/index/index.h"
#include "store/local/wal/segment.h"
#include "store/shared/buckets.h"

struct index_batch;

struct index_batch *index_batch_new(struct index *index, struct segments *segments,
	struct buckets *buckets, const struct index_state *state) MUST_USE;
/* NULL is allowed. */
void index_batch_free(struct index_batch *batch);

/* A cursor that sees the batch; freed before anything else is added. */
struct index_cursor *index_batch_cursor(
	struct index_batch *batch, const struct key *prefix) MUST_USE;

/* ---- Buckets --------------------------------------------------------------------------------- */

/*
 * The bucket is as `meta` says, in the record at `where`. ERR_PRECONDITION_FAILED if, unless `from`
 * is NULL, its record is not the one there.
 */
enum err index_batch_bucket(struct index_batch *batch, struct slice name, uint64_t bucket_id,
	struct slice meta, const struct location *where, const struct location *from) MUST_USE;
enum err index_batch_bucket_delete(
	struct index_batch *batch, struct slice name, uint64_t bucket_id) MUST_USE;

/* ---- What was ended earlier ------------------------------------------------------------------ */

/*
 * RECORD_ENDED, at `where`, of a key: it is needed while the segment that it is about is there.
 */
enum err index_batch_ended(struct index_batch *batch, const struct ended_record *ended,
	uint64_t bucket_id, struct slice key, const struct location *where) MUST_USE;
/* It is not needed any more. */
enum err index_batch_forget_ended(
	struct index_batch *batch, uint64_t segment, uint64_t label) MUST_USE;

/* ---- What leaves no record ------------------------------------------------------------------- */

/* The file was removed from the disk; `bytes` is its size. */
void index_batch_forget_file(struct index_batch *batch, uint64_t file, uint64_t size);
void index_batch_forget_segment(struct index_batch *batch, uint64_t segment);
/* The part of a part list that is garbage is not needed any more. */
enum err index_batch_forget_part(
	struct index_batch *batch, uint64_t list, uint64_t number) MUST_USE;
/* Nor is the list, whose parts have all been forgotten. */
void index_batch_forget_list(struct index_batch *batch, uint64_t list);

/* ---- Writing --------------------------------------------------------------------------------- */

/*
 * Writes the batch and the position reached. After ERR_OK it is applied, and *ret_garbage says
 * whether there is new garbage; otherwise it is dropped.
 */
enum err index_batch_write(struct index_batch *batch, uint64_t segment, uint64_t offset,
	uint64_t sequence, uint64_t file_mark, bool *ret_garbage) MUST_USE;
/* Drops it. */
void index_batch_clear(struct index_batch *batch);

/* The index was opened again and is there. */
void index_batch_set_state(struct index_batch *batch, const struct index_state *state);

/* As of the last successful write. */
const struct index_state *index_batch_state(const struct index_batch *batch);

#endif
