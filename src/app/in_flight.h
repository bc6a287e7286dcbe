/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What this process is doing now, by name, so that it is not begun a second time meanwhile: two
 * completions of one upload would race for who records it. Any thread.
 */
#ifndef APP_IN_FLIGHT_H
#define APP_IN_FLIGHT_H

#include <pthread.h>
#include <stdbool.h>

#include "base/compiler.h"
#include "base/slice.h"

struct in_flight {
	pthread_mutex_t lock; /* a leaf */
	struct in_flight_work *first;
};

/* One piece of work; the caller's. Zeroed before it enters. */
struct in_flight_work {
	struct slice name; /* borrowed until it leaves */
	struct in_flight_work *next_;
};

void in_flight_init(struct in_flight *set);
void in_flight_release(struct in_flight *set);

/* False if there is one of that name. */
bool in_flight_enter(
	struct in_flight *set, struct in_flight_work *work, struct slice name) MUST_USE;
/* Does nothing if it is not in the set. */
void in_flight_leave(struct in_flight *set, struct in_flight_work *work);

#endif
