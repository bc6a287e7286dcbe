/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The counts of buckets, as rows of the index. The index batch updates them, one row for each
 * bucket in a group commit.
 */
#ifndef STORE_LOCAL_INDEX_COUNTS_H
#define STORE_LOCAL_INDEX_COUNTS_H

#include "store/local/index/index.h"
#include "store/shared/buckets.h"

/* Adds the row of a bucket to the transaction. */
void counts_put(struct index_tx *tx, uint64_t bucket_id, const struct store_bucket_stats *counts);

/*
 * Sets the counts of `buckets` from the index, before the replay. Buckets without a row, from an
 * index older than the counts, are counted, and their rows written.
 */
enum err counts_load(struct index *index, struct buckets *buckets) MUST_USE;
/* Counts what a bucket holds. */
enum err counts_count(
	struct index *index, uint64_t bucket_id, struct store_bucket_stats *ret) MUST_USE;
/* False if the value of the row has another length. */
bool counts_parse(struct slice bytes, struct store_bucket_stats *ret) MUST_USE;

#endif
