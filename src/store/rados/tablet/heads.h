/* SPDX-License-Identifier: Apache-2.0 */
/* Heads of tablets, for the files of this room. All of it waits. */
#ifndef STORE_RADOS_TABLET_HEADS_H
#define STORE_RADOS_TABLET_HEADS_H

#include "store/rados/cluster/edit.h"
#include "store/rados/cluster/fetch.h"
#include "store/rados/rows/tablet_rows.h"
#include "store/rados/tablet/batch.h"
#include "store/rados/tablet/owns.h"

enum {
	EPOCH_BYTES_MAX = 16,
	/*
	 * Tablets that are no more, as they were merged, that somebody meets one after the other.
	 * With more than a few he waits between them; with very many one is missing.
	 */
	GONE_PATIENT = 5,
	GONE_PAUSE_US = 10000,
	GONE_MAX = 100,
};

/* A tablet as it was read. */
struct seen {
	char name[RADOS_NAME_BYTES];
	struct fetch *fetch;
	struct slice epoch;
	struct head head;
	bool is_empty;           /* nobody would miss anything */
	const struct rows *owns; /* the first of them; `counts` is what all come to */
	struct store_bucket_stats counts;
};

/*
 * seen_release() is due in any case. ERR_NO_SUCH_BUCKET if it is not there: if it is not the first
 * one of its bucket it was perhaps merged.
 */
enum err tablet_see(struct rados *r, uint64_t bucket, uint64_t tablet, struct seen *ret) MUST_USE;
void seen_release(struct seen *seen);

/* Adds to an edit that the head becomes another one, if the epoch is still that which was seen. */
enum err head_stage(struct edit *edit, struct slice epoch, const struct head *head) MUST_USE;
/* Does only that. 0 or -errno. */
int head_set(
	struct rados *r, const char *name, struct slice epoch, const struct head *head) MUST_USE;

/* What has to be less for a tablet not to be split. */
uint64_t tablet_rows(const struct store_bucket_stats *counts);
/* Splits it, unless there is nowhere to. On its thread, with nothing on its way there. */
void tablet_split(struct rados *r, struct tablet *tablet);
/*
 * Undoes a split, or a merge, that does not go on: the head says which. -ECANCELED: it did go on,
 * or that is not certain yet. `seen` is as it was when that was found.
 */
int tablet_undo(
	struct rados *r, uint64_t bucket, uint64_t tablet, const struct seen *seen) MUST_USE;
int split_undo(struct rados *r, uint64_t bucket, const struct seen *seen) MUST_USE;
int merge_undo(struct rados *r, uint64_t bucket, uint64_t tablet, const struct seen *seen) MUST_USE;

/* Whether somebody splits or merges it, which ends soon. */
static inline bool head_is_in_work(const struct head *head)
{
	return head_state_is_work(head->state);
}

/* Reads what is in the tablets from one up to, but without, another one. */
void tablet_recount(struct rados *r, uint64_t bucket, uint64_t from, uint64_t to);
/*
 * Reads what is in the tablet, and in those behind it, until one of which that is known; *all is
 * what is in all of the bucket then.
 */
void tablet_discover(
	struct rados *r, uint64_t bucket, uint64_t tablet, struct store_bucket_stats *all);

#endif
