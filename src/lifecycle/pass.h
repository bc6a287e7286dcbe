/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Carries out the lifecycle rules of a bucket, once: walks the keys that they are about, in pages,
 * and ends what is due. What has changed since its rows were read is left for the next pass. Uses
 * store.h alone, from a thread that may wait.
 */
#ifndef LIFECYCLE_PASS_H
#define LIFECYCLE_PASS_H

#include "base/clock.h"
#include "store/store.h"

/* What came to its end. */
struct pass_counts {
	uint64_t objects;  /* deleted, or covered by a delete marker */
	uint64_t versions; /* and delete markers, that were not current */
	uint64_t markers;  /* that were alone */
	uint64_t uploads;
	uint64_t failed;
};

struct pass {
	struct store *store;
	const struct clock *clock;
	/* Sleeps for so long; false if the pass has to stop. May be NULL: go on at once. */
	bool (*pause)(void *ctx, int64_t ms);
	void *ctx;
};

/*
 * Adds to *counts what was done. Stops early when `pause` says so, and when the bucket is changed
 * or deleted meanwhile; the next pass sees the rest. A fault is logged.
 */
void pass_bucket(const struct pass *pass, struct slice name, struct pass_counts *counts);

#endif
