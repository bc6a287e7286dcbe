/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What buckets hold, as rows of the index: stage.h keeps them up to date, one row for each bucket
 * that a group commit is about.
 */
#ifndef STORE_LOCAL_INDEX_COUNTS_H
#define STORE_LOCAL_INDEX_COUNTS_H

#include "store/local/index/bucket.h"
#include "store/local/index/index.h"

/* Stages the row of a bucket. */
void counts_put(struct index_tx *tx, uint64_t bucket_id, const struct store_bucket_stats *counts);

/*
 * Tells `buckets` what the index says of each of them; before the replay. Those that it says
 * nothing of, because it was written before there were counts, are counted, and the rows written.
 */
enum err counts_load(struct index *index, struct buckets *buckets) MUST_USE;

#endif
