/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A few threads that run jobs in the order in which they were added. A job is embedded in the
 * caller's structure; nothing is allocated.
 */
#ifndef STORE_LOCAL_DISK_POOL_H
#define STORE_LOCAL_DISK_POOL_H

#include "base/compiler.h"
#include "base/err.h"

struct job {
	struct job *next; /* the pool's */
	/* On one of the pool's threads; the job may be freed or added again from here. */
	void (*run)(struct job *job);
};

struct pool;

/* `name` is the threads' name (at most 15 characters). ERR_UNAVAILABLE. */
enum err pool_new(const char *name, unsigned threads, struct pool **ret) MUST_USE;
/* Any thread; never fails. */
void pool_add(struct pool *pool, struct job *job);
/* Returns when nothing is left to run. Jobs added later are still run. */
void pool_drain(struct pool *pool);
/* Runs what was added, also by other jobs, and ends the threads. NULL is allowed. */
void pool_free(struct pool *pool);

#endif
