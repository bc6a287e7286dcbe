/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Turns a change into its record of the log. Everything that depends on the current state of the
 * store, or on the record's sequence, is decided here, once, so that a replay decides nothing. For
 * the committer only.
 */
#ifndef STORE_LOCAL_COMMIT_PLAN_H
#define STORE_LOCAL_COMMIT_PLAN_H

#include "store/local/apply/stage.h"
#include "store/local/commit/committer.h"

enum {
	PLAN_DATA_MAX = 4 * LIMIT_PARTS /* of a record that is made here */
};

/* Completes or makes the record of a change, whose sequence will be `sequence`. */
enum err plan_record(struct local *local, uint64_t sequence, struct mutation *mutation) MUST_USE;

/* The parts of plan_record() that have files of their own. */
enum err plan_bucket(struct local *local, uint64_t sequence, struct mutation *mutation) MUST_USE;
enum err plan_complete(struct local *local, uint64_t sequence, enum store_versioning versioning,
	struct mutation *mutation) MUST_USE;
enum err plan_delete(struct local *local, uint64_t sequence, enum store_versioning versioning,
	struct mutation *mutation) MUST_USE;
enum err plan_change(struct local *local, struct mutation *mutation) MUST_USE;

/*
 * Makes room for a record: change->made, and head and key_len with the header and `key` filled in;
 * `meta` and `data` bytes follow, the data outside of head_len.
 */
enum err plan_make(struct mutation *mutation, enum record_kind kind, uint64_t bucket_id,
	struct slice key, size_t meta, size_t data) MUST_USE;
/* Where the meta data of the change's record is. */
unsigned char *plan_meta(const struct mutation *mutation);
/* How a new object comes into a bucket. */
enum object_mode plan_mode(enum store_versioning versioning);

/* Tells what the object is like once what is staged is written: change->object. */
void plan_report_object(struct stage *stage, struct mutation *mutation);

#endif
