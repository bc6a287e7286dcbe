/* SPDX-License-Identifier: Apache-2.0 */
#include "net/timers.h"

#include <stddef.h>

#include "base/limits.h"

void timers_init(struct timers *t)
{
	static const int64_t durations[TIMER_KINDS] = {
		[TIMER_HANDSHAKE] = LIMIT_HEAD_MS,
		[TIMER_IDLE] = LIMIT_IDLE_MS,
		[TIMER_HEAD] = LIMIT_HEAD_MS,
		[TIMER_BODY] = LIMIT_BODY_STALL_MS,
		[TIMER_WRITE] = LIMIT_WRITE_STALL_MS,
		[TIMER_LINGER] = LIMIT_LINGER_MS,
	};
	for (int kind = 0; kind < TIMER_KINDS; kind++) {
		struct timer *head = &t->lists[kind];
		*head = (struct timer){.prev = head, .next = head};
		t->duration_ms[kind] = durations[kind];
	}
}

void timers_cancel(struct timer *timer)
{
	if (!timer->prev)
		return;
	timer->prev->next = timer->next;
	timer->next->prev = timer->prev;
	timer->prev = NULL;
	timer->next = NULL;
}

void timers_set(struct timers *t, struct timer *timer, enum timer_kind kind, int64_t now_ms)
{
	timers_cancel(timer);
	struct timer *head = &t->lists[kind];
	timer->kind = kind;
	timer->deadline_ms = now_ms + t->duration_ms[kind];
	timer->prev = head->prev;
	timer->next = head;
	head->prev->next = timer;
	head->prev = timer;
}

struct timer *timers_each(struct timers *t, enum timer_kind kind, const struct timer *at)
{
	struct timer *head = &t->lists[kind];
	struct timer *next = at ? at->next : head->next;
	return next == head ? NULL : next;
}

struct timer *timers_due(struct timers *t, int64_t now_ms)
{
	for (int kind = 0; kind < TIMER_KINDS; kind++) {
		struct timer *first = t->lists[kind].next;
		if (first == &t->lists[kind] || first->deadline_ms > now_ms)
			continue;
		timers_cancel(first);
		return first;
	}
	return NULL;
}

int64_t timers_next_ms(const struct timers *t, int64_t now_ms)
{
	int64_t next = -1;
	for (int kind = 0; kind < TIMER_KINDS; kind++) {
		const struct timer *first = t->lists[kind].next;
		if (first == &t->lists[kind])
			continue;
		int64_t left = first->deadline_ms > now_ms ? first->deadline_ms - now_ms : 0;
		if (next < 0 || left < next)
			next = left;
	}
	return next;
}
