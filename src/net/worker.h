/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A thread for work that must not run on a loop: an executor that runs the tasks posted to it, one
 * after the other. It takes all waiting tasks as a batch and calls `after_batch` after them, so
 * that they can share a transaction or a sync.
 */
#ifndef NET_WORKER_H
#define NET_WORKER_H

#include "base/compiler.h"
#include "base/err.h"
#include "base/task.h"

struct worker;

struct worker_options {
	const char *name;                 /* of the thread, at most 15 bytes */
	void (*after_batch)(void *state); /* on the worker's thread; may be NULL */
	void *state;
};

/* ERR_UNAVAILABLE if there is no memory or no thread. */
enum err worker_new(const struct worker_options *options, struct worker **ret) MUST_USE;
/* Valid until worker_free(). */
struct executor *worker_executor(struct worker *worker);
/*
 * Runs the posted tasks, and those that they post, until none is left; then ends the thread. Nobody
 * else may post any more. NULL is allowed.
 */
void worker_free(struct worker *worker);

#endif
