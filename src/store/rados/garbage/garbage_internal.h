/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of this room share. All of it waits; results are 0 or -errno. */
#ifndef STORE_RADOS_GARBAGE_GARBAGE_INTERNAL_H
#define STORE_RADOS_GARBAGE_GARBAGE_INTERNAL_H

#include "store/rados/cluster/fetch.h"
#include "store/rados/garbage/garbage.h"
#include "store/rados/rows/key.h"
#include "store/rados/rows/tablet_rows.h"
#include "store/rados/tablet/heads.h"

/* Whether the store closes, or this gateway is not one any more: then what is done is given up. */
static inline bool garbage_stops(struct rados *r)
{
	return atomic_load(&r->closes) || !life_is_well(&r->life);
}

/* A bucket as a row of the table said just now. */
struct listed_bucket {
	uint64_t id;
	struct slice row;                 /* its key */
	enum store_versioning versioning; /* not of one that was deleted */
};

/*
 * Removes the garbage of a bucket's tablets that no read may refer to any more, merges those that
 * have little, and lets those keep versions as the row says that do not.
 */
int tablet_collect(struct rados *r, const struct listed_bucket *bucket,
	const struct gateway_list *gateways) MUST_USE;
/* The same of a bucket that was deleted. Its tablet goes, too, when nothing of it is left. */
int tablet_collect_deleted(struct rados *r, const struct listed_bucket *bucket,
	const struct gateway_list *gateways) MUST_USE;

/* Makes garbage of what the dead gateway was writing, unless rows refer to it. */
int remains_collect(struct rados *r, const struct gateway *dead) MUST_USE;

/*
 * Afterwards no change of that instance is made in the tablet, though it may be on its way; nor in
 * one that is split off it. Others try again. -ENOENT: there is no such tablet.
 */
int tablet_fence(struct rados *r, const char *tablet, uint64_t instance) MUST_USE;

/* Says once that there is no room any more, and once that there is some again. */
void room_look(struct rados *r);

/* ---- Counts ---------------------------------------------------------------------------------- */

/* How many of these own rows are of gateways that have ended. */
size_t fold_count(const struct rows *owns, const struct gateway_list *gateways);
/*
 * Adds those to the sum, in one operation; any number may do it at the same time. 0, also if there
 * is nothing to do now.
 */
int tablet_fold(struct rados *r, uint64_t bucket, uint64_t tablet,
	const struct gateway_list *gateways) MUST_USE;
/* The same of a tablet that was seen before; -ECANCELED if it has changed since. */
int fold_seen(
	struct rados *r, const struct seen *seen, const struct gateway_list *gateways) MUST_USE;

/* ---- Removing -------------------------------------------------------------------------------- */

/* Chunks on their way out. */
struct chunk_removals {
	struct rados *r;
	pthread_mutex_t lock; /* of what is below; a leaf */
	pthread_cond_t fewer;
	unsigned count;
	int failed;
};

void chunk_removals_begin(struct chunk_removals *removals, struct rados *r);
/* Removes all chunks of the extent, or begins to. */
void chunk_removals_add(struct chunk_removals *removals, const struct extent *extent);
/* Waits until all are gone. */
int chunk_removals_end(struct chunk_removals *removals) MUST_USE;

#endif
