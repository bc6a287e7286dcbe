/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The rows of the index that a mutation or a record is about, as they will be once the index batch
 * is written. store/rules decides on a view of them. rows_look() reads those that are asked for.
 */
#ifndef STORE_LOCAL_APPLY_ROWS_H
#define STORE_LOCAL_APPLY_ROWS_H

#include "store/local/apply/index_batch.h"
#include "store/rules/rules.h"

struct row {
	bool found;
	struct key key;     /* where it is, or would be */
	struct entry entry; /* its slices point into `bytes` */
	char *bytes;
	size_t len;
};

/*
 * Reads the row with the key that is set. The caller must call row_release() whatever the result.
 * A damaged entry is logged, and row_is_damaged() then.
 */
enum err row_look(struct index_batch *batch, struct row *row) MUST_USE;
void row_release(struct row *row);

/* Of an object or a version: nothing is known of it but that it is there. */
static inline bool row_is_damaged(const struct row *row)
{
	return row->found && row->entry.meta.place == OBJECT_NONE &&
	       !row->entry.meta.object.is_marker;
}

struct rows {
	struct index_batch *batch;
	uint64_t bucket_id;
	struct slice object_key;
	struct store_version version; /* that is named; or zeros */
	uint64_t upload;              /* or 0 */
	uint64_t part;
	struct rules_view view; /* what is known of them */
	struct row current;
	struct row null;
	struct row named;
	struct row newest;
	struct row begun; /* the upload */
	struct row old_part;
	struct store_part *parts; /* the memory of view.parts */
	bool has_damaged_part;    /* which is not among them */
};

/*
 * Begins with a bucket and a key. The caller sets `version`, `upload` and `part`, if there are any,
 * before it asks rows_look() for a row that they select.
 */
void rows_begin(
	struct rows *rows, struct index_batch *batch, uint64_t bucket_id, struct slice object_key);
/* Adds to the view what is asked for: enum rules_row. */
enum err rows_look(struct rows *rows, unsigned which) MUST_USE;
/* The version with that number, current or older; NULL if it is not there. */
enum err rows_find(struct rows *rows, uint64_t version, struct row **ret) MUST_USE;
void rows_end(struct rows *rows);

#endif
