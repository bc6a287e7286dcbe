/* SPDX-License-Identifier: Apache-2.0 */
/* Brings an index that is behind the log to its end, or to some place before it. */
#ifndef STORE_LOCAL_APPLY_CATCH_UP_H
#define STORE_LOCAL_APPLY_CATCH_UP_H

#include "store/local/index/index.h"
#include "store/local/wal/segment.h"
#include "store/shared/buckets.h"

struct catch_up {
	struct index *index;
	struct segments *segments; /* of the caller alone: what is live in them is set */
	struct buckets *buckets;   /* those of the index; with their counts afterwards */
	struct index_state state;  /* of the index; afterwards that of the place reached */
	uint64_t until;            /* the first sequence that is not applied */
	bool reads_around;         /* what the disk cannot read is damage, and no failure */
};

/* Places that are damaged are passed over: who wants to know compares state.sequence. */
enum err catch_up(struct catch_up *catch_up) MUST_USE;
/* Loads the buckets of an index, without their counts. */
enum err catch_up_load_buckets(struct index *index, struct buckets *buckets) MUST_USE;

#endif
