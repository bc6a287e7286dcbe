/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What records of the log mean for the index and for the counts: the same code applies a group
 * commit and a replay. Effects are gathered in a stage, written to the index at once, and only
 * then taken over into the counts in memory.
 *
 * One thread at a time: first whoever recovers the store, then the committer.
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

/* An entry as it will be once what is staged is written. */
struct stage_entry {
	bool found;
	struct entry entry; /* its slices point into `bytes` */
	char *bytes;
	size_t len;
};

/* stage_entry_release() is due whatever the result. A damaged one is logged and has no bytes. */
enum err stage_look(struct stage *stage, const struct key *key, struct stage_entry *ret) MUST_USE;
void stage_entry_release(struct stage_entry *entry);
/* Likewise that version of an object. */
enum err stage_find(struct stage *stage, uint64_t bucket_id, struct slice object_key,
	const struct store_version *which, struct stage_entry *ret) MUST_USE;
/* Likewise the newest of the older versions of a key, but for `except`; *ret_key is its key. */
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

/* What has to be true of what is there, for a change to be made. */
struct stage_condition {
	bool absent;                 /* ERR_FILE_ALREADY_EXISTS if there is an object */
	const struct location *here; /* ERR_PRECONDITION_FAILED if it is not as it was there */
	enum store_caller caller;    /* ERR_ACCESS_DENIED if its ACL does not let them write */
};

/*
 * Stages what the record says. An error has no effect. *ret_existed says of a deletion whether
 * there was something to delete.
 */
enum err stage_record(struct stage *stage, const struct stage_record *record,
	struct stage_condition condition, bool *ret_existed) MUST_USE;
void stage_bucket(struct stage *stage, struct slice name, struct slice meta);
void stage_bucket_delete(struct stage *stage, struct slice name, uint64_t bucket_id);

/* ---- What leaves no record ------------------------------------------------------------------- */

/* The file is gone from the disk; the number of bytes it had. */
void stage_file_forget(struct stage *stage, uint64_t file, uint64_t size);
void stage_segment_forget(struct stage *stage, uint64_t segment);
/* The part of a dead set is not needed any more. */
enum err stage_part_forget(struct stage *stage, uint64_t set, uint64_t number) MUST_USE;
/* Nor is the set, whose parts have all been forgotten. */
void stage_set_forget(struct stage *stage, uint64_t set);

/* ---- Writing --------------------------------------------------------------------------------- */

/*
 * Writes what is staged, with the position reached. On ERR_OK it has been taken over, and
 * *ret_trashed says whether there is something new to remove; otherwise all of it is forgotten.
 */
enum err stage_write(struct stage *stage, uint64_t segment, uint64_t offset, uint64_t sequence,
	uint64_t file_mark, bool *ret_trashed) MUST_USE;
void stage_forget(struct stage *stage);

/* As of the last successful write. */
const struct index_state *stage_state(const struct stage *stage);

#endif
