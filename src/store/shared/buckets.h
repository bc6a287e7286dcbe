/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The buckets, in memory: a sorted table of reference-counted snapshots (store.h: struct
 * store_bucket) and their counts.
 *
 * Any thread may read. One at a time changes the table: the committer, or whoever holds the lock of
 * the store in memory.
 */
#ifndef STORE_SHARED_BUCKETS_H
#define STORE_SHARED_BUCKETS_H

#include "store/store.h"

struct buckets;

struct buckets *buckets_new(void) MUST_USE;
/* NULL is allowed. Snapshots that are still held stay valid. */
void buckets_free(struct buckets *buckets);

/*
 * A snapshot with copies of everything that `from` points to, and one reference. NULL without
 * memory.
 */
struct store_bucket *bucket_copy(const struct store_bucket *from) MUST_USE;
void bucket_unref(const struct store_bucket *bucket);

/* With a reference for the caller, or NULL. */
const struct store_bucket *buckets_get(struct buckets *buckets, struct slice name);
/* Whether the bucket of this number exists, and its versioning. */
bool buckets_find(struct buckets *buckets, uint64_t id, enum store_versioning *ret) MUST_USE;
/* Its name, or empty; for who knows that no bucket changes meanwhile. */
struct slice buckets_name(struct buckets *buckets, uint64_t id);
size_t buckets_count(struct buckets *buckets);
/* By name, ascending; of those that come or go meanwhile any. */
void buckets_each(struct buckets *buckets,
	void (*row)(const struct store_bucket *bucket, void *ctx), void *ctx);

/*
 * The counts of the bucket of this number. False, and all zero, if it does not exist; setting them
 * then does nothing.
 */
bool buckets_counts(struct buckets *buckets, uint64_t id, struct store_bucket_stats *ret);
void buckets_set_counts(
	struct buckets *buckets, uint64_t id, const struct store_bucket_stats *counts);

/*
 * Puts `bucket`, with its reference, in the place of one of that name, or adds it. There is room
 * for LIMIT_BUCKETS, and for another after buckets_make_room(), which is false without memory: a
 * log that is read may for a while have more than the rules allow.
 */
bool buckets_make_room(struct buckets *buckets) MUST_USE;
void buckets_put(struct buckets *buckets, const struct store_bucket *bucket);
void buckets_remove(struct buckets *buckets, struct slice name);

#endif
