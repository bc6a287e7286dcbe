/* SPDX-License-Identifier: Apache-2.0 */
/* Shared by index_batch.c (gathering and writing), index_batch_counts.c, and what fills it. */
#ifndef STORE_LOCAL_APPLY_INDEX_BATCH_INTERNAL_H
#define STORE_LOCAL_APPLY_INDEX_BATCH_INTERNAL_H

#include "store/local/apply/index_batch.h"

/* How the live bytes of one segment change. */
struct live_delta {
	uint64_t segment;
	int64_t bytes;
};

/* How what a bucket holds changes; the numbers wrap around. */
struct count_delta {
	uint64_t bucket_id;
	struct store_bucket_stats counts;
};

struct index_batch {
	struct index *index;
	struct segments *segments;
	struct buckets *buckets;
	struct index_tx *tx;
	struct index_state now;  /* as written */
	struct index_state next; /* as it will be */
	struct live_delta *deltas;
	size_t delta_count;
	size_t delta_size;
	struct count_delta *counts;
	size_t count_count;
	size_t count_size;
	bool has_garbage;
	unsigned char meta[OBJECT_META_MAX]; /* of an entry that is made here */
};

/* Makes room for changes of the live bytes of `count` segments, and of a bucket's counts. */
bool index_batch_reserve(struct index_batch *batch, size_t count) MUST_USE;
/* The bytes of an entry are needed, or are not any more. For an entry that is put or deleted. */
void index_batch_hold_bytes(struct index_batch *batch, const struct entry *entry);
void index_batch_drop_bytes(struct index_batch *batch, const struct entry *entry);
/* One record of an entry is needed, or is not any more. */
void index_batch_hold_record(struct index_batch *batch, const struct location *where);
void index_batch_drop_record(struct index_batch *batch, const struct location *where);
/* Puts an entry's places, and `meta`. */
void index_batch_put(struct index_batch *batch, const struct key *key, const struct entry *entry,
	struct slice meta);
/* `from` has a copy of what is in, or was ended in, segment `to`. */
void index_batch_note_moved(struct index_batch *batch, uint64_t from, uint64_t to);
/* The entry `from` is made by the record at `to` from now on, which says all of it. */
void index_batch_move(struct index_batch *batch, const struct key *key, const struct entry *from,
	const struct location *to, struct slice meta);
/* The record at `stated` says what is known of the entry. */
void index_batch_restate(struct index_batch *batch, const struct key *key, const struct entry *from,
	const struct location *stated, struct slice meta);

/* ---- Counts of buckets ----------------------------------------------------------------------- */

bool index_batch_reserve_counts(struct index_batch *batch) MUST_USE;
/* What is current is counted for all buckets together as well. */
void index_batch_count(
	struct index_batch *batch, uint64_t bucket_id, const struct store_bucket_stats *change);
/* Into the transaction; and, once it is written, into memory. */
void index_batch_put_counts(struct index_batch *batch);
void index_batch_apply_counts(struct index_batch *batch);

#endif
