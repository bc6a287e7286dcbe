/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Shared by stage.c (gathering and writing), stage_count.c (counts of buckets), and what says what
 * records mean: stage_object.c, stage_version.c and stage_part.c.
 */
#ifndef STORE_LOCAL_APPLY_STAGE_INTERNAL_H
#define STORE_LOCAL_APPLY_STAGE_INTERNAL_H

#include "store/local/apply/stage.h"

/* How the live bytes of one segment change. */
struct stage_delta {
	uint64_t segment;
	int64_t bytes;
};

/* How what a bucket holds changes; the numbers wrap around. */
struct stage_count {
	uint64_t bucket_id;
	struct store_bucket_stats mutation;
};

struct stage {
	struct index *index;
	struct segments *segments;
	struct buckets *buckets;
	struct index_tx *tx;
	struct index_state now;    /* as written */
	struct index_state staged; /* as it will be */
	struct stage_delta *deltas;
	size_t delta_count;
	size_t delta_size;
	struct stage_count *counts;
	size_t count_count;
	size_t count_size;
	bool trashed;
};

/* Makes room for changes of the live bytes of `count` segments; before anything is staged. */
bool stage_reserve(struct stage *stage, size_t count) MUST_USE;
/* The bytes of an entry are needed, or are not any more: for one that is put in, and taken out. */
void stage_hold_bytes(struct stage *stage, const struct entry *entry);
void stage_drop_bytes(struct stage *stage, const struct entry *entry);
/* Puts an entry, without its place in the log if its bytes are not there. */
void stage_put(struct stage *stage, const struct key *key, const struct location *where,
	struct slice meta, enum object_place place);

/* ---- Counts of buckets ----------------------------------------------------------------------- */

/* Makes room for another bucket; before anything is staged. */
bool stage_count_reserve(struct stage *stage) MUST_USE;
/* Current objects, which all buckets together count as well. */
void stage_count_current(struct stage *stage, uint64_t bucket_id, int64_t objects, int64_t bytes);
void stage_count_old(struct stage *stage, uint64_t bucket_id, int64_t versions, int64_t bytes);
void stage_count_uploads(
	struct stage *stage, uint64_t bucket_id, int64_t uploads, int64_t part_bytes);
/* Into the transaction; and, once it is written, into memory. */
void stage_count_put(struct stage *stage);
void stage_count_take_over(struct stage *stage);

/* ---- Objects and versions -------------------------------------------------------------------- */

/* ERR_OK if what is there, if anything, is as it has to be. */
enum err stage_check(const struct stage_entry *old, struct stage_condition condition) MUST_USE;

/* The version "null" if it is an older one; ret->found says whether. */
enum err stage_look_null(struct stage *stage, uint64_t bucket_id, struct slice object_key,
	struct key *ret_key, struct stage_entry *ret) MUST_USE;
/* That version, current or older; likewise. */
enum err stage_look_version(struct stage *stage, uint64_t bucket_id, struct slice object_key,
	uint64_t version, struct key *ret_key, struct stage_entry *ret) MUST_USE;

/* Takes the entry of a version out, but not its bytes. */
void stage_forget_current(
	struct stage *stage, const struct stage_record *record, const struct store_object *object);
void stage_forget_old(struct stage *stage, const struct stage_record *record, const struct key *at,
	const struct store_object *object);

enum err stage_version_delete(struct stage *stage, const struct stage_record *record,
	const struct object_meta *meta, struct stage_condition condition,
	bool *ret_existed) MUST_USE;
enum err stage_mutation(struct stage *stage, const struct stage_record *record,
	const struct object_meta *meta) MUST_USE;
enum err stage_move(struct stage *stage, const struct stage_record *record,
	const struct object_meta *meta, struct stage_condition condition) MUST_USE;

/* What to do with an object that a record makes; see enum object_mode. */
enum err stage_place(struct stage *stage, const struct stage_record *record,
	const struct object_meta *meta, struct slice meta_bytes,
	struct stage_condition condition) MUST_USE;

/* ---- Uploads --------------------------------------------------------------------------------- */

enum err stage_upload(struct stage *stage, const struct stage_record *record,
	const struct object_meta *meta) MUST_USE;
enum err stage_upload_abort(struct stage *stage, const struct stage_record *record,
	const struct object_meta *meta) MUST_USE;
enum err stage_part(struct stage *stage, const struct stage_record *record,
	const struct object_meta *meta) MUST_USE;
enum err stage_complete(struct stage *stage, const struct stage_record *record,
	const struct object_meta *meta, struct stage_condition condition) MUST_USE;
enum err stage_append(struct stage *stage, const struct stage_record *record,
	const struct object_meta *meta, struct stage_condition condition) MUST_USE;

#endif
