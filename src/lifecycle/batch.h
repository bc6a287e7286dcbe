/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Calls to a store from a thread that may wait: several are begun, then all of them are waited
 * for.
 */
#ifndef LIFECYCLE_BATCH_H
#define LIFECYCLE_BATCH_H

#include <pthread.h>

#include "store/store.h"

struct batch {
	struct executor executor;
	pthread_mutex_t lock; /* pending */
	pthread_cond_t done;
	unsigned pending;
};

void batch_init(struct batch *batch);
void batch_release(struct batch *batch);
/* Before a call: makes it come back here. */
void batch_add(struct batch *batch, struct store_wait *wait);
/* Until all calls have come back; their results are in `wait.err`. */
void batch_wait(struct batch *batch);

#endif
