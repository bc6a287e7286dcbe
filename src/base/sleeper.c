/* SPDX-License-Identifier: Apache-2.0 */
#include "base/sleeper.h"

#include <errno.h>
#include <time.h>

void sleeper_init(struct sleeper *sleeper)
{
	pthread_condattr_t monotonic;
	(void)pthread_mutex_init(&sleeper->lock, NULL);
	(void)pthread_condattr_init(&monotonic);
	(void)pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	(void)pthread_cond_init(&sleeper->cond, &monotonic);
	(void)pthread_condattr_destroy(&monotonic);
	sleeper->woken = false;
	sleeper->stopped = false;
}

void sleeper_destroy(struct sleeper *sleeper)
{
	(void)pthread_cond_destroy(&sleeper->cond);
	(void)pthread_mutex_destroy(&sleeper->lock);
}

static void raise_flag(struct sleeper *sleeper, bool *flag)
{
	(void)pthread_mutex_lock(&sleeper->lock);
	*flag = true;
	(void)pthread_cond_signal(&sleeper->cond);
	(void)pthread_mutex_unlock(&sleeper->lock);
}

void sleeper_wake(struct sleeper *sleeper)
{
	raise_flag(sleeper, &sleeper->woken);
}

void sleeper_stop(struct sleeper *sleeper)
{
	raise_flag(sleeper, &sleeper->stopped);
}

bool sleeper_stopped(struct sleeper *sleeper)
{
	(void)pthread_mutex_lock(&sleeper->lock);
	bool stopped = sleeper->stopped;
	(void)pthread_mutex_unlock(&sleeper->lock);
	return stopped;
}

static struct timespec after(uint64_t ms)
{
	struct timespec until;
	(void)clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += (time_t)(ms / 1000);
	until.tv_nsec += (long)(ms % 1000) * 1000000;
	if (until.tv_nsec >= 1000000000) {
		until.tv_nsec -= 1000000000;
		until.tv_sec++;
	}
	return until;
}

static bool sleep_for(struct sleeper *sleeper, uint64_t ms, bool wakeable)
{
	struct timespec until = after(ms);
	(void)pthread_mutex_lock(&sleeper->lock);
	while (ms > 0 && !sleeper->stopped && !(wakeable && sleeper->woken))
		if (pthread_cond_timedwait(&sleeper->cond, &sleeper->lock, &until) == ETIMEDOUT)
			break;
	if (wakeable)
		sleeper->woken = false;
	bool stopped = sleeper->stopped;
	(void)pthread_mutex_unlock(&sleeper->lock);
	return !stopped;
}

bool sleeper_sleep(struct sleeper *sleeper, uint64_t ms)
{
	return sleep_for(sleeper, ms, false);
}

bool sleeper_sleep_until_woken(struct sleeper *sleeper, uint64_t ms)
{
	return sleep_for(sleeper, ms, true);
}
