/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What has been read of the rows that one change is about. All that the first operation reads is
 * of one moment. What is read later is so, too: the rows that guard it are read again with it, and
 * must be the same.
 */
#ifndef STORE_RADOS_TABLET_LOOK_H
#define STORE_RADOS_TABLET_LOOK_H

#include "store/rados/cluster/edit.h"
#include "store/rados/cluster/fetch.h"
#include "store/rados/rows/key.h"
#include "store/rados/rows/tablet_rows.h"
#include "store/rados/tablet/tablet.h"

enum {
	OLDER_MAX = 3, /* of a key's older versions: two may go, and the next is the newest */
	FETCHES_MAX = 4,
	GUARDS = 3,
};

struct look {
	/* What guards the rest: the current object, what is hidden, the upload. */
	struct row_key guard_keys[GUARDS];
	struct slice guard_names[GUARDS];
	struct slice guards[GUARDS]; /* values; empty: no such row */
	struct row_key part_key;
	size_t keys_number; /* in the batch's first fetch */
	size_t older_number;

	/* Read later; kept for what points into it. */
	struct fetch *fetches[FETCHES_MAX];
	size_t fetch_count;

	struct rules_view view;
	struct entry current;
	bool has_hidden;
	struct hidden hidden;
	struct entry older[OLDER_MAX]; /* newest first */
	size_t older_count;
	struct entry null;
	struct entry named;
	struct entry newest;
	struct entry upload;
	struct part_entry part;
	struct store_object part_object; /* of `part` */
	struct held_part *parts;         /* ascending */
	struct store_part *view_parts;   /* the same, for the rules */
	size_t part_count;
	/* Of those that go or grow, and have some. */
	struct extents current_extents;
	struct extents null_extents;
	struct extents named_extents;
	/* Of the parts of an upload, and of what is made, as a value of ROW_EXTENTS. */
	struct strbuf extents;
};

enum looked {
	LOOKED,
	LOOK_AGAIN,  /* somebody has changed something meanwhile */
	LOOK_FAILED, /* change->err says how */
};

/* Adds to the batch's first fetch what the change is about. ERR_UNAVAILABLE without memory. */
enum err look_begin(struct change *change, struct fetch *fetch, bool versions) MUST_USE;
/* Takes what has come. ERR_INTERNAL, logged, if it is none of ours. */
enum err look_take(struct change *change, const struct fetch *fetch, bool versions,
	enum store_versioning versioning) MUST_USE;
/* Reads, if need be, what the rules need. */
enum looked look_for(struct change *change, unsigned rows) MUST_USE;
/* Reads where the bytes are of what the effects let go or grow. */
enum looked look_for_extents(struct change *change) MUST_USE;
/* After that: false for an append to an object that has as many extents as one can have. */
bool look_takes_extent(const struct change *change) MUST_USE;
/* Adds the comparisons that the decision rests on. */
void look_compare(const struct change *change, struct edit *edit);
void look_free(struct change *change);

/* Logs a row that is none of ours; ERR_INTERNAL. */
enum err look_damaged(uint64_t bucket, struct slice row);

#endif
