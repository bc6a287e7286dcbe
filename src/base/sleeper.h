/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Lets one thread that works periodically sleep until a time has passed, or another thread wakes or
 * stops it.
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
/* When no thread uses it any more. */
void sleeper_destroy(struct sleeper *sleeper);

void sleeper_wake(struct sleeper *sleeper);
/* Ends this sleep and all later ones. */
void sleeper_stop(struct sleeper *sleeper);
bool sleeper_stopped(struct sleeper *sleeper);

/* Sleeps for `ms` milliseconds even if it is woken; false if it was stopped. */
bool sleeper_sleep(struct sleeper *sleeper, uint64_t ms);
/*
 * Sleeps for at most `ms` milliseconds, and not at all if it was woken since the last call; false
 * if it was stopped.
 */
bool sleeper_sleep_until_woken(struct sleeper *sleeper, uint64_t ms);

#endif
