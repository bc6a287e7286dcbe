/* SPDX-License-Identifier: Apache-2.0 */
#include "store/local/index/gate.h"

#include "base/clock.h"
#include "base/condition.h"

#define CLOSED (UINT64_C(1) << 63)

void gate_init(struct gate *gate)
{
	atomic_init(&gate->uses, 0);
	(void)pthread_mutex_init(&gate->lock, NULL);
	condition_init(&gate->changed);
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

bool gate_close(struct gate *gate, unsigned ms)
{
	int64_t until_ms = clock_monotonic_ms() + ms;
	bool left = false;
	bool more = true;
	(void)atomic_fetch_or(&gate->uses, CLOSED);
	(void)pthread_mutex_lock(&gate->lock);
	while (!(left = atomic_load(&gate->uses) == CLOSED) && more)
		more = condition_wait_until(&gate->changed, &gate->lock, until_ms);
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
