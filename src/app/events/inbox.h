/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Deliveries on their way to the thread of a target, which waits in poll() for them and for its
 * sockets.
 */
#ifndef APP_EVENTS_INBOX_H
#define APP_EVENTS_INBOX_H

#include <pthread.h>
#include <stdbool.h>

#include "app/events/target.h"

struct inbox {
	int fd;               /* readable when inbox_take() has something to say */
	pthread_mutex_t lock; /* a leaf, of the rest */
	struct target_delivery *first, **last;
	bool stopped;
};

/* False without a descriptor, which is logged. Released in any case. */
bool inbox_init(struct inbox *inbox) MUST_USE;
void inbox_release(struct inbox *inbox);

/* From any thread. After inbox_stop() the delivery ends at once. */
void inbox_add(struct inbox *inbox, struct target_delivery *delivery);
void inbox_stop(struct inbox *inbox);

/* All that has come, in that order, and whether it was stopped. Never blocks. */
struct target_delivery *inbox_take(struct inbox *inbox, bool *ret_stopped) MUST_USE;

#endif
