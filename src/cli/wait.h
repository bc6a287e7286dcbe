/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Lets the main thread wait for a task while starting, when it may block: an executor that wakes it
 * when the task is posted.
 */
#ifndef CLI_WAIT_H
#define CLI_WAIT_H

#include <pthread.h>
#include <stdbool.h>

#include "store/store.h"

struct waiter {
	struct executor executor; /* first: it is cast back */
	pthread_mutex_t lock;     /* done */
	pthread_cond_t changed;
	bool done;
};

void waiter_init(struct waiter *waiter);
void waiter_release(struct waiter *waiter);
/* Where a task is to be posted, once, to be waited for; it is not run. */
struct executor *waiter_executor(struct waiter *waiter);
/* Makes `wait` come back here. */
void waiter_prepare(struct waiter *waiter, struct store_wait *wait);
/* Blocks until it has. */
void waiter_wait(struct waiter *waiter);

#endif
