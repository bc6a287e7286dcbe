/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/deadline.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/thread.h"

static struct {
	pthread_mutex_t lock; /* of `over` */
	pthread_cond_t changed;
	bool over;
	bool running;
	int64_t ms;
	int64_t until_ms; /* monotonic */
	const char *_Atomic step;
	pthread_t thread;
} deadline = {.lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER};

static void *watch(void *arg)
{
	const struct timespec until = {
		.tv_sec = deadline.until_ms / 1000, .tv_nsec = deadline.until_ms % 1000 * 1000000};
	(void)pthread_mutex_lock(&deadline.lock);
	while (!deadline.over && clock_monotonic_ms() < deadline.until_ms)
		(void)pthread_cond_clockwait(
			&deadline.changed, &deadline.lock, CLOCK_MONOTONIC, &until);
	bool over = deadline.over;
	(void)pthread_mutex_unlock(&deadline.lock);
	if (over)
		return arg;
	log_error("stopping takes longer than %" PRId64
		  " ms, waiting for %s: the process ends without it",
		deadline.ms, deadline.step);
	log_stop();
	_exit(1);
}

void deadline_begin(int64_t ms)
{
	deadline.over = false;
	deadline.ms = ms;
	deadline.until_ms = clock_monotonic_ms() + ms;
	deadline.step = "the first step";
	deadline.running = thread_start(&deadline.thread, "deadline", THREAD_DISK, watch, NULL);
	if (!deadline.running)
		log_error("there is no thread that bounds how long stopping takes");
}

void deadline_step(const char *what)
{
	deadline.step = what;
}

void deadline_end(void)
{
	if (!deadline.running)
		return;
	(void)pthread_mutex_lock(&deadline.lock);
	deadline.over = true;
	(void)pthread_cond_signal(&deadline.changed);
	(void)pthread_mutex_unlock(&deadline.lock);
	(void)pthread_join(deadline.thread, NULL);
	deadline.running = false;
}
