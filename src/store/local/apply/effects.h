/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Effects of the rules as changes of the index. A group commit has them from a decision, a replay
 * from a record (redo.h); from here on both are the same.
 */
#ifndef STORE_LOCAL_APPLY_EFFECTS_H
#define STORE_LOCAL_APPLY_EFFECTS_H

#include "store/local/apply/rows.h"

/* A record about objects, and where it lies. */
struct record_at {
	enum record_kind kind;
	uint64_t bucket_id;
	struct slice key;
	struct slice meta; /* encoded */
	struct slice data; /* of RECORD_COMPLETE; else it is not looked at */
	struct location where;
};

/*
 * Adds the effects on what the rows are to their index batch. `meta` is what the record says,
 * parsed. After an error nothing is added. The rows are used up.
 */
enum err effects_apply(struct rows *rows, const struct rules_effects *effects,
	const struct record_at *record, const struct object_meta *meta) MUST_USE;

/*
 * RECORD_MOVE: the bytes of a version or a part are in this record from now on. ERR_PRECONDITION_
 * FAILED if it is not there any more or, unless `from` is NULL, not read from there, or not as the
 * record says.
 */
enum err effects_move(struct index_batch *batch, const struct record_at *record,
	const struct location *from) MUST_USE;

#endif
