/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Changes of a tablet. A change reads the rows that it is about, has store/rules decide, and writes
 * what follows in one operation, which compares all that was read. If another gateway was faster,
 * it begins anew. Several changes that wait for one tablet share an operation.
 *
 * Each tablet belongs to one thread, which has one operation at a time on its way there. So it
 * knows the value of its own row (ROW_OWN), which every operation compares and sets; and an
 * operation whose outcome was lost is settled by setting that row: either it has happened before,
 * or it never will.
 *
 *	change.c   changes that wait, made into batches
 *	batch.c    a batch: reading, deciding, writing, and again
 *	look.c     what has been read of the rows of one change
 *	stage.c    what rows become of what was decided
 *	settle.c   operations whose outcome was lost
 *	owns.c     what the changes of each gateway come to
 *	heads.c    making, freezing and ending tablets; their versioning
 *	order.c    in what order new keys come
 *	see.c      a tablet as it is
 *	split.c    two tablets of one
 *	merge.c    one of two
 *	moving.c   what these two have in common
 *	take_over.c  what somebody began who has died
 */
#ifndef STORE_RADOS_TABLET_TABLET_H
#define STORE_RADOS_TABLET_TABLET_H

#include "store/rados/rows/entry.h"
#include "store/rados/state/state.h"
#include "store/rules/rules.h"

/* A part, where its bytes are. */
struct held_part {
	struct store_part part;
	uint64_t data;
};

/* The rows of one change, as they were read; private to this room. */
struct look;

struct change {
	struct task task; /* private */
	struct rados *r;
	uint64_t bucket_id;
	struct slice key; /* valid */
	uint64_t upload;
	uint32_t part;
	struct rules_mutation mutation;
	/* The bytes that it brings. */
	enum entry_place place; /* NOWHERE, INLINE or DATA */
	struct slice inline_bytes;
	uint64_t data;

	/*
	 * Called on the tablet's thread when the change is decided and durable, or refused. May
	 * free the change.
	 */
	void (*done)(struct change *change);
	enum err err;
	/* It is not known whether it has happened; the data that it brings must stay. */
	bool is_open;
	struct rules_effects effects; /* without headers and tags, which are not valid any more */

	struct look *look; /* private */
	uint64_t tablet;   /* private: the one that it is tried in */
	unsigned gone;     /* private: how often that was no more */
};

/* Any thread. Until done() is called the change, and what it points to, stays in place. */
void change_submit(struct change *change);

/* The `batch` of a tablet's thread (base/thread_queue.h); `state` is the struct rados. */
void change_run_all(struct task *list, void *state);

/* Frees what is known of tablets. When their threads have ended. */
void tablets_free(struct rados *r);

/* ---- Reading --------------------------------------------------------------------------------- */

/* For whoever finds a tablet again and again as it was. All zeros before. */
struct standstill {
	uint64_t tablet;
	uint64_t epoch;
	int64_t since_ms; /* 0: it has not begun */
	int64_t begun_ms; /* of all waiting */
	unsigned gone;    /* times that there was no such tablet */
};

/*
 * A reader has found that the tablet in front of this one takes it over (HEAD_MOVED), or that it,
 * which is not the first, is gone: waits a moment, after which it is to be looked for again. If
 * whoever takes it over does not go on, that is undone. ERR_UNAVAILABLE, logged, if that takes too
 * long.
 */
enum err tablet_wait_moved(
	struct rados *r, uint64_t bucket, uint64_t tablet, struct standstill *still) MUST_USE;

/*
 * Makes one tablet of two, if there is not much in this one and in that which is behind it. Any
 * thread. Whether it has; if not, nothing has changed.
 */
bool tablet_merge(struct rados *r, uint64_t bucket, uint64_t tablet);
/* Removes a tablet that has become part of another one, if the row says that. 0 or -errno. */
int tablet_remove_merged(
	struct rados *r, const char *name, uint64_t bucket, struct slice row) MUST_USE;

/* ---- Heads ----------------------------------------------------------------------------------- */

/* Makes the first tablet of a bucket. */
enum err tablet_create(struct rados *r, uint64_t bucket) MUST_USE;
/* Removes it again: no bucket has come to know it. */
void tablet_discard(struct rados *r, uint64_t bucket);
/*
 * Lets the tablets keep versions as the bucket's row says, which has that key in the table of
 * buckets, whoever changes it meanwhile. Waits. ERR_NO_SUCH_BUCKET.
 */
enum err tablet_follow_versioning(struct rados *r, uint64_t bucket, struct slice row) MUST_USE;
/* Tablets of one bucket that were frozen, and in which epoch. All zeros: none. */
struct frozen_tablets {
	struct frozen_tablet {
		uint64_t tablet;
		uint64_t epoch;
	} * list;
	size_t count;
};

void frozen_tablets_free(struct frozen_tablets *frozen);

/*
 * Freezes a bucket's tablets if they are empty. ERR_BUCKET_NOT_EMPTY. Those that are frozen are in
 * *ret, also after an error: then tablet_thaw() is due, or tablet_kill(); frozen_tablets_free() in
 * any case.
 */
enum err tablet_freeze_empty(struct rados *r, uint64_t bucket, struct frozen_tablets *ret) MUST_USE;
/* Nobody can have thawed them: the bucket's row is gone. */
void tablet_kill(struct rados *r, uint64_t bucket);
/* Each that is still frozen as it was in that epoch. */
void tablet_thaw(struct rados *r, uint64_t bucket, const struct frozen_tablets *frozen);
/*
 * What the changes of all instances come to; all of the bucket's tablets are known then.
 * ERR_NO_SUCH_BUCKET, ERR_UNAVAILABLE.
 */
enum err tablet_counts(struct rados *r, uint64_t bucket, struct store_bucket_stats *ret) MUST_USE;

#endif
