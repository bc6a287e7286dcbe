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
	struct slice data; /* of RECORD_COMPLETE, _MOVE, _METADATA and _ENDED */
	struct location where;
};

/* Of a record that was read at `at` of a segment; it borrows from the record. */
static inline struct record_at record_at_of(
	const struct record *record, uint64_t segment, uint64_t at)
{
	size_t head = RECORD_HEADER_BYTES + record->name.len + record->meta.len;
	return (struct record_at){.kind = record->kind,
		.bucket_id = record->bucket_id,
		.key = record->name,
		.meta = record->meta,
		.data = record->data,
		.where = {segment, at, (uint32_t)record->total, (uint32_t)head}};
}

/*
 * Adds the effects on what the rows are to their index batch. `meta` is what the record says,
 * parsed. After an error nothing is added. The rows are used up.
 */
enum err effects_apply(struct rows *rows, const struct rules_effects *effects,
	const struct record_at *record, const struct object_meta *meta) MUST_USE;

/*
 * RECORD_MOVE: this record makes the entry of a version, a part or an upload from now on.
 * ERR_PRECONDITION_FAILED if it is not there any more or, unless `from` is NULL, not made by the
 * record there, or not as this one says.
 */
enum err effects_move(struct index_batch *batch, const struct record_at *record,
	const struct location *from) MUST_USE;
/* RECORD_METADATA that changes nothing; `from` is where the same was said before, or zeros. */
enum err effects_restate(struct index_batch *batch, const struct record_at *record,
	const struct location *from) MUST_USE;
/* RECORD_METADATA that says besides that the file has sums of its blocks. */
enum err effects_add_sums(struct index_batch *batch, const struct record_at *record,
	const struct location *from) MUST_USE;

#endif
