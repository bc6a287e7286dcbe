/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Decides a mutation by the rules (store/rules), on the state as it is once the index batch is
 * written, and makes its record. All that depends on the state of the store, or on the record's
 * sequence, is in the record then, so that a replay decides nothing. For the committer only.
 *
 *	decide.c         objects and uploads: the view, the rules, and what the caller is told
 *	decide_bucket.c  buckets
 *	make_record.c    what was decided, as a record
 */
#ifndef STORE_LOCAL_COMMIT_DECIDE_H
#define STORE_LOCAL_COMMIT_DECIDE_H

#include "store/local/apply/effects.h"
#include "store/local/commit/committer.h"
#include "store/rules/rules.h"

enum {
	RECORD_DATA_MADE_MAX = 4 * LIMIT_PARTS /* of a record that is made here */
};

/* What was decided about an object or an upload. */
struct decision {
	struct rows rows;
	struct object_meta meta; /* what the record says */
	struct rules_effects effects;
};

/*
 * Decides the mutation, whose record's sequence will be `sequence`, and completes or makes its
 * record; or sets mutation->nothing. The caller must call rows_end() whatever the result.
 */
enum err decide_object(struct local *local, uint64_t sequence, struct mutation *mutation,
	struct decision *ret) MUST_USE;
enum err decide_bucket(struct local *local, uint64_t sequence, struct mutation *mutation) MUST_USE;

/* The record of a decision. */
enum err make_record(struct mutation *mutation, struct decision *decision) MUST_USE;
/*
 * Makes room for a record: mutation->made, and head and key_len with the header and `key` filled
 * in; `meta` and `data` bytes follow, the data outside of head_len.
 */
enum err make_record_head(struct mutation *mutation, enum record_kind kind, uint64_t bucket_id,
	struct slice key, size_t meta, size_t data) MUST_USE;

#endif
