/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What this gateway knows of the tablets of buckets: where they begin, and what is in them. A
 * guess: a tablet may have been split, and then what it says of itself leads on to the next one. A
 * tablet never begins elsewhere than it did, but it may be no more, and then the one in front of it
 * has what it had. Any thread; nobody waits.
 */
#ifndef STORE_RADOS_STATE_DIRECTORY_H
#define STORE_RADOS_STATE_DIRECTORY_H

#include "base/slice.h"
#include "store/store.h"

struct directory;

/* NULL without memory. */
struct directory *directory_new(void) MUST_USE;
/* NULL is allowed. */
void directory_free(struct directory *directory);

/* The tablet that probably has the key. All buckets have a tablet 0, which is the leftmost. */
uint64_t directory_find(struct directory *directory, uint64_t bucket, struct slice key);
/* The last tablet that is known to begin before that place, which is not the very first. */
uint64_t directory_before(struct directory *directory, uint64_t bucket, struct slice low);
/*
 * Remembers that a tablet begins with that key. Without memory that is not known, and found out
 * again and again.
 */
void directory_add(struct directory *directory, uint64_t bucket, uint64_t tablet, struct slice low);

/*
 * Remembers what is in a tablet; *ret is what is in all tablets of the bucket. Nothing is
 * remembered of a tablet that is not known.
 */
void directory_count(struct directory *directory, uint64_t bucket, uint64_t tablet,
	const struct store_bucket_stats *counts, struct store_bucket_stats *ret);
/* Whether it is known what is in it. */
bool directory_has_counted(struct directory *directory, uint64_t bucket, uint64_t tablet);

/*
 * A tablet is no more. The first one of a bucket always is, while the bucket is: that is not
 * forgotten.
 */
void directory_forget_tablet(struct directory *directory, uint64_t bucket, uint64_t tablet);
/* A tablet has all keys from `low` up to `high`, or to the end: others in between are no more. */
void directory_forget_within(
	struct directory *directory, uint64_t bucket, struct slice low, struct slice high);

/* How many tablets are known. */
size_t directory_tablets(struct directory *directory);
/* Forgets a bucket. */
void directory_forget(struct directory *directory, uint64_t bucket);

#endif
