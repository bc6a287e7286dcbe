/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The thread that carries out the lifecycle rules of all buckets: once when it starts, and then
 * again and again, at a bounded rate of changes (LIMIT_LIFECYCLE_CHANGES_PER_S).
 */
#ifndef LIFECYCLE_EXPIRER_H
#define LIFECYCLE_EXPIRER_H

#include "base/clock.h"
#include "base/err.h"
#include "store/store.h"

struct expirer;

struct expirer_options {
	struct store *store;       /* this and the clock outlive it */
	const struct clock *clock; /* how old things are; the pauses are of real time */
	int64_t interval_ms;       /* from the end of one pass to the next */
};

/* ERR_UNAVAILABLE, logged, without memory or a thread. */
enum err expirer_new(const struct expirer_options *options, struct expirer **ret) MUST_USE;
/* Stops it, after the changes that are under way. NULL is allowed. */
void expirer_free(struct expirer *expirer);

#endif
