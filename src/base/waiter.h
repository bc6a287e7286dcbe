/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An executor for a thread that has nothing else to do than to wait: a command, a start, a thread
 * that works now and then. What is posted runs on the thread that waits. All is for that thread,
 * but for posting.
 */
#ifndef BASE_WAITER_H
#define BASE_WAITER_H

#include <pthread.h>

#include "base/task.h"

struct waiter {
	struct executor executor;
	pthread_mutex_t lock; /* of the list */
	pthread_cond_t posted;
	struct task *first;
	struct task *last;
	unsigned expected; /* tasks that waiter_expect() was told of */
};

void waiter_init(struct waiter *waiter);
/* When all that was expected has come. */
void waiter_release(struct waiter *waiter);

/*
 * Makes the task one that is waited for. Returns where it is to be posted, once; another task that
 * is posted there may run it instead.
 */
struct executor *waiter_expect(struct waiter *waiter, struct task *task);
/* Blocks until all that is expected has come. Meanwhile what else is posted is run. */
void waiter_wait(struct waiter *waiter);

#endif
