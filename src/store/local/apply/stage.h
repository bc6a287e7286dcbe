/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Applies records of the log to the index and to the counts; group commits and replays use the same
 * code. Effects are collected in a stage, written to the index in one batch, and only then applied
 * to the counts in memory.
 *
 * One thread at a time: first the one that recovers the store, then the committer.
 */
#ifndef STORE_LOCAL_APPLY_STAGE_H
#define STORE_LOCAL_APPLY_STAGE_H

#include "store/local/index/bucket.h"
#include "store/local/index/index.h"
#include "store/local/wal/segment.h"

struct stage;

struct stage *stage_new(struct index *index, struct segments *segments, struct buckets *buckets,
	const struct index_state *state) MUST_USE;
/* NULL is allowed. */
void stage_free(struct stage *stage);

/* ---- Looking --------------------------------------------------------------------------------- */

/* An entry as it will be once the stage is written. */
struct stage_entry {
	bool found;
	struct entry entry; /* its slices point into `bytes` */
	char *bytes;
	size_t len;
};

/*
 * The caller must call stage_entry_release() whatever the result. A damaged entry is logged and has
 * no bytes.
 */
enum err stage_look(struct stage *stage, const struct key *key, struct stage_entry *ret) MUST_USE;
void stage_entry_release(struct stage_entry *entry);
/* Likewise that version of an object. */
enum err stage_find(struct stage *stage, uint64_t bucket_id, struct slice object_key,
	const struct store_version *which, struct stage_entry *ret) MUST_USE;
/* Likewise the newest of the older versions of a key except `except`; *ret_key is its key. */
enum err stage_look_newest(struct stage *stage, uint64_t bucket_id, struct slice object_key,
	uint64_t except, struct key *ret_key, struct stage_entry *ret) MUST_USE;
/* A cursor that sees what is staged; freed before anything else is staged. */
struct index_cursor *stage_cursor(struct stage *stage, const struct key *prefix) MUST_USE;

/* ---- Records --------------------------------------------------------------------------------- */

/* A record about objects, and where it lies. */
struct stage_record {
	enum record_kind kind;
	uint64_t bucket_id;
	struct slice key;
	struct slice meta; /* encoded */
	struct slice data; /* of RECORD_COMPLETE; else it is not looked at */
	struct location where;
};

/* Conditions for making a change. */
struct stage_condition {
	bool absent;                 /* ERR_FILE_ALREADY_EXISTS if there is an object */
	const struct location *here; /* ERR_PRECONDITION_FAILED if it is not as it was there */
	enum store_caller caller;    /* ERR_ACCESS_DENIED if its ACL does not let them write */
};

/*
 * Stages the effects of a record. After an error nothing is staged. For a deletion *ret_existed
 * says whether there was something to delete.
 */
enum err stage_record(struct stage *stage, const struct stage_record *record,
	struct stage_condition condition, bool *ret_existed) MUST_USE;
void stage_bucket(struct stage *stage, struct slice name, struct slice meta);
void stage_bucket_delete(struct stage *stage, struct slice name, uint64_t bucket_id);

/* ---- What leaves no record ------------------------------------------------------------------- */

/* The file was removed from the disk; `bytes` is its size. */
void stage_file_forget(struct stage *stage, uint64_t file, uint64_t size);
void stage_segment_forget(struct stage *stage, uint64_t segment);
/* The part of a dead set is not needed any more. */
enum err stage_part_forget(struct stage *stage, uint64_t set, uint64_t number) MUST_USE;
/* Nor is the set, whose parts have all been forgotten. */
void stage_set_forget(struct stage *stage, uint64_t set);

/* ---- Writing --------------------------------------------------------------------------------- */

/*
 * Writes the stage and the position reached. After ERR_OK it is applied, and *ret_trashed says
 * whether there is new garbage; otherwise the stage is dropped.
 */
enum err stage_write(struct stage *stage, uint64_t segment, uint64_t offset, uint64_t sequence,
	uint64_t file_mark, bool *ret_trashed) MUST_USE;
void stage_forget(struct stage *stage);

/* As of the last successful write. */
const struct index_state *stage_state(const struct stage *stage);

#endif
