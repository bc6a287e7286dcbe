/* SPDX-License-Identifier: Apache-2.0 */
/* Changes of different keys of one tablet, which share an operation. */
#ifndef STORE_RADOS_TABLET_BATCH_H
#define STORE_RADOS_TABLET_BATCH_H

#include "store/rados/tablet/look.h"
#include "store/rados/tablet/settle.h"

struct batch {
	struct rados *r;
	struct tablet *tablet;
	struct change *changes[LIMIT_RADOS_BATCH]; /* that are not answered yet */
	size_t count;
	int64_t begin_ms;
	char name[RADOS_NAME_BYTES]; /* the tablet's */

	/* What the last fetch has brought. */
	struct fetch *fetch;
	bool versions; /* it looks for older versions, too */
	struct slice epoch;
	struct head head;
	struct standstill still; /* the tablet cannot be changed */
	bool is_large;           /* it should be split */
	bool is_gone;            /* it is no more */
	bool has_own;
	struct own own;
	struct store_bucket_stats others; /* what the changes of other instances come to */
};

/* A change that was taken out of a batch goes to the tablet that probably has its key. */
void change_send_on(struct change *change);

/* Answers all of its changes. On the tablet's thread. */
void batch_run(struct batch *batch);

/* Reads ROW_EPOCH and ROW_HEAD of what a fetch of them has brought. */
enum err batch_take_head(uint64_t bucket, const struct rows *rows, struct slice *ret_epoch,
	struct head *ret) MUST_USE;

enum frozen {
	FROZEN_WAIT,  /* look again */
	FROZEN_GONE,  /* the bucket is deleted */
	FROZEN_FAULT, /* it cannot be found out */
};

/*
 * The tablet, which cannot be changed now, is in that epoch: waits a moment. If it has been in it
 * for as long as nobody who lives needs, undoes what the deletion of its bucket, or its being split
 * or merged, has done so far.
 */
enum frozen tablet_wait(struct rados *r, uint64_t bucket, uint64_t tablet,
	const struct epoch *epoch, struct standstill *still);
/* Only the last part of that: now, if it is still in that epoch. */
enum frozen tablet_take_over(
	struct rados *r, uint64_t bucket, uint64_t tablet, const struct epoch *since);

#endif
