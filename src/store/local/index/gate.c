/* SPDX-License-Identifier: Apache-2.0 */
#include "store/local/index/gate.h"

#include <errno.h>
#include <time.h>

#define CLOSED (UINT64_C(1) << 63)

void gate_init(struct gate *gate)
{
	pthread_condattr_t monotonic;
	atomic_init(&gate->uses, 0);
	(void)pthread_mutex_init(&gate->lock, NULL);
	(void)pthread_condattr_init(&monotonic);
	(void)pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	(void)pthread_cond_init(&gate->changed, &monotonic);
	(void)pthread_condattr_destroy(&monotonic);
	gate->is_empty = false;
}

void gate_destroy(struct gate *gate)
{
	(void)pthread_cond_destroy(&gate->changed);
	(void)pthread_mutex_destroy(&gate->lock);
}

bool gate_try(struct gate *gate)
{
	if (!(atomic_fetch_add(&gate->uses, 1) & CLOSED))
		return true;
	gate_leave(gate);
	return false;
}

bool gate_enter(struct gate *gate)
{
	while (!gate_try(gate)) {
		(void)pthread_mutex_lock(&gate->lock);
		while (!gate->is_empty && (atomic_load(&gate->uses) & CLOSED))
			(void)pthread_cond_wait(&gate->changed, &gate->lock);
		bool is_empty = gate->is_empty;
		(void)pthread_mutex_unlock(&gate->lock);
		if (is_empty)
			return false;
	}
	return true;
}

void gate_enter_again(struct gate *gate)
{
	(void)atomic_fetch_add(&gate->uses, 1);
}

static void tell(struct gate *gate)
{
	(void)pthread_mutex_lock(&gate->lock);
	(void)pthread_cond_broadcast(&gate->changed);
	(void)pthread_mutex_unlock(&gate->lock);
}

void gate_leave(struct gate *gate)
{
	if (atomic_fetch_sub(&gate->uses, 1) == (CLOSED | 1))
		tell(gate);
}

static struct timespec after(unsigned ms)
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

bool gate_close(struct gate *gate, unsigned ms)
{
	struct timespec until = after(ms);
	bool left = false;
	int e = 0;
	(void)atomic_fetch_or(&gate->uses, CLOSED);
	(void)pthread_mutex_lock(&gate->lock);
	while (!(left = atomic_load(&gate->uses) == CLOSED) && e != ETIMEDOUT)
		e = pthread_cond_timedwait(&gate->changed, &gate->lock, &until);
	(void)pthread_mutex_unlock(&gate->lock);
	if (!left)
		gate_open(gate);
	return left;
}

void gate_set_empty(struct gate *gate)
{
	(void)pthread_mutex_lock(&gate->lock);
	gate->is_empty = true;
	(void)pthread_cond_broadcast(&gate->changed);
	(void)pthread_mutex_unlock(&gate->lock);
}

void gate_open(struct gate *gate)
{
	(void)pthread_mutex_lock(&gate->lock);
	gate->is_empty = false;
	(void)atomic_fetch_and(&gate->uses, ~CLOSED);
	(void)pthread_cond_broadcast(&gate->changed);
	(void)pthread_mutex_unlock(&gate->lock);
}
