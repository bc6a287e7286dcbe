/* SPDX-License-Identifier: Apache-2.0 */
#include "base/sleeper.h"

#include "base/clock.h"
#include "base/condition.h"

void sleeper_init(struct sleeper *sleeper)
{
	(void)pthread_mutex_init(&sleeper->lock, NULL);
	condition_init(&sleeper->cond);
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

static bool sleep_for(struct sleeper *sleeper, uint64_t ms, bool wakeable)
{
	const uint64_t for_ever = INT64_MAX / 2;
	/* The time that it is now was rounded down. */
	int64_t until_ms = clock_monotonic_ms() + 1 + (int64_t)(ms < for_ever ? ms : for_ever);
	(void)pthread_mutex_lock(&sleeper->lock);
	while (ms > 0 && !sleeper->stopped && !(wakeable && sleeper->woken))
		if (!condition_wait_until(&sleeper->cond, &sleeper->lock, until_ms))
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
