/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Timeouts of a loop. There are few different durations and very many timers, so each duration has
 * a list in which deadlines ascend by themselves: to set, to cancel and to find what is due cost
 * the same however many there are. Used by the loop's own thread only.
 */
#ifndef NET_TIMERS_H
#define NET_TIMERS_H

#include <stdbool.h>
#include <stdint.h>

enum timer_kind {
	TIMER_HANDSHAKE,
	TIMER_IDLE,
	TIMER_HEAD,
	TIMER_BODY,
	TIMER_WRITE,
	TIMER_LINGER,
	TIMER_KINDS
};

struct timer {
	struct timer *prev; /* NULL while not set */
	struct timer *next;
	int64_t deadline_ms;
	enum timer_kind kind;
};

struct timers {
	struct timer lists[TIMER_KINDS]; /* ring heads */
	int64_t duration_ms[TIMER_KINDS];
};

/* With the durations of base/limits.h; tests may change duration_ms before the first timer. */
void timers_init(struct timers *t);
/* Sets, or sets again, a timer: due in its kind's duration from `now_ms`, which must not go back.
 */
void timers_set(struct timers *t, struct timer *timer, enum timer_kind kind, int64_t now_ms);
void timers_cancel(struct timer *timer);
/* The timers of one kind, those that were set first first: from NULL on, until NULL. */
struct timer *timers_each(struct timers *t, enum timer_kind kind, const struct timer *at);
/* Takes one timer that is due out of the lists; NULL if none is. */
struct timer *timers_due(struct timers *t, int64_t now_ms);
/* Milliseconds until the next deadline, at least 0; -1 if no timer is set. */
int64_t timers_next_ms(const struct timers *t, int64_t now_ms);

#endif
