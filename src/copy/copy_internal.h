/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of this room share. */
#ifndef COPY_COPY_INTERNAL_H
#define COPY_COPY_INTERNAL_H

#include <pthread.h>
#include <stdatomic.h>

#include "base/limits.h"
#include "base/thread_queue.h"
#include "copy/copy.h"
#include "copy/keys.h"

/* A bucket of both. */
struct place {
	struct slice name;
	uint64_t from; /* its ids */
	uint64_t to;
};

/* A version that a finding was told of. */
struct told {
	uint64_t bucket; /* its id in the source */
	uint64_t key;    /* its CRC-64 */
	uint64_t version;
};

struct copy {
	const struct copy_options *options;
	enum copy_phase phase;
	uint64_t versions_all;
	uint64_t bytes_all;
	struct thread_queue *crew;
	unsigned looks;    /* of crew_look() */
	atomic_bool stops; /* all is to end soon */

	pthread_mutex_t lock; /* of what is below; held while a finding is told */
	pthread_cond_t freed;
	unsigned under_way; /* jobs of the crew */
	struct copy_result *result;
	uint64_t versions; /* that were seen to in this phase */
	uint64_t bytes;
	enum err err; /* why it stops; ERR_OK: it does not, or was asked to */
	struct told *told;
	size_t told_count;
};

/* ---- copy.c ---------------------------------------------------------------------------------- */

/* Something is not as it should be; `row` NULL: it is about the bucket. Once for each version. */
void copy_tell(struct copy *c, const struct place *place, struct slice key,
	const struct version_row *row, const char *what);
/* It cannot go on. Logs why, once. `key` may be empty. */
void copy_fail(struct copy *c, const struct place *place, struct slice key, enum err e);
/* Any thread: so much was seen to. */
void copy_count(struct copy *c, uint64_t versions, uint64_t bytes);

static inline bool copy_stops(struct copy *c)
{
	return atomic_load(&c->stops);
}

/* ---- bucket.c -------------------------------------------------------------------------------- */

/*
 * Makes the bucket in the target, or lets it have the settings of the source; ret->to is its id
 * there. *ret_why is for a finding if it is another bucket; else NULL. May wait for long, until the
 * copy stops.
 */
enum err bucket_make(struct copy *c, const struct store_bucket *bucket, struct place *ret,
	const char **ret_why) MUST_USE;
/* For a finding, if it is not there or has other settings; else NULL. */
const char *bucket_differs(struct copy *c, const struct store_bucket *bucket);

/* ---- crew.c ---------------------------------------------------------------------------------- */

enum err crew_begin(struct copy *c) MUST_USE;
/* Tells how far it is, and hears whether it is to be broken off. */
void crew_tell(struct copy *c);
/* The same, now and then: for whatever may come very often, as a key does. */
void crew_look(struct copy *c);
/* Waits for all jobs. */
void crew_wait(struct copy *c);
void crew_end(struct copy *c);
/*
 * Has a key copied, or its versions in the target read again. Takes the rows over; waits while as
 * much as can be is under way. `to` may be empty. Both stay as they are if there is no memory.
 */
enum err crew_take(struct copy *c, const struct place *place, struct slice key,
	struct version_rows *from, struct version_rows *to) MUST_USE;

/* ---- pair.c ---------------------------------------------------------------------------------- */

/* Whether there is nothing to be copied, and nothing to be told. */
bool pair_is_same(const struct version_rows *from, const struct version_rows *to);
/* Copies what is missing, the oldest first, and tells what is not as it should be. */
void pair_copy(struct copy *c, const struct place *place, struct slice key,
	const struct version_rows *from, const struct version_rows *to);
/* Tells what is not the same. How many versions are. */
uint64_t pair_compare(struct copy *c, const struct place *place, struct slice key,
	const struct version_rows *from, const struct version_rows *to);

/* ---- version.c ------------------------------------------------------------------------------- */

/*
 * Each waits. *ret_why is for a finding, if it could not be done for a reason that is this
 * version's; else NULL. An error: nothing else could be done either.
 */
enum err version_copy(struct copy *c, const struct place *place, struct slice key,
	const struct version_row *row, const char **ret_why) MUST_USE;
/* Reads all bytes in the target. */
enum err version_verify(struct copy *c, const struct place *place, struct slice key,
	const struct version_row *row, const char **ret_why) MUST_USE;

#endif
