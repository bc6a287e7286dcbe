/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The sleep of a thread that works now and then: until a time has passed, or somebody wakes it,
 * or tells it to stop. Any thread may wake and stop; one sleeps.
 */
#ifndef BASE_SLEEPER_H
#define BASE_SLEEPER_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

struct sleeper {
	pthread_mutex_t lock; /* a leaf */
	pthread_cond_t cond;
	bool woken; /* since the last sleeper_sleep_until_woken() */
	bool stopped;
};

void sleeper_init(struct sleeper *sleeper);
/* When nobody sleeps, wakes or stops any more. */
void sleeper_destroy(struct sleeper *sleeper);

void sleeper_wake(struct sleeper *sleeper);
/* Ends this sleep, and those to come. */
void sleeper_stop(struct sleeper *sleeper);
bool sleeper_stopped(struct sleeper *sleeper);

/* Sleeps for `ms` milliseconds, whoever wakes it; false if it was stopped. */
bool sleeper_sleep(struct sleeper *sleeper, uint64_t ms);
/* Sleeps no longer than that, and not at all if it was woken meanwhile; false if it was stopped. */
bool sleeper_sleep_until_woken(struct sleeper *sleeper, uint64_t ms);

#endif
