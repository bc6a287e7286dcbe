/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Timeouts of a loop. There are few durations and very many timers, so each duration has a list in
 * which deadlines ascend by construction. Setting, cancelling and finding what is due take constant
 * time. Used by the loop's own thread only.
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
/* Sets a timer, again if it was set: due one duration of its kind after `now_ms`, which must not
 * decrease. */
void timers_set(struct timers *t, struct timer *timer, enum timer_kind kind, int64_t now_ms);
void timers_cancel(struct timer *timer);
/* Iterates over the timers of one kind, oldest first: begins with NULL and ends with NULL. */
struct timer *timers_each(struct timers *t, enum timer_kind kind, const struct timer *at);
/* Removes and returns a timer that is due; NULL if there is none. */
struct timer *timers_due(struct timers *t, int64_t now_ms);
/* Milliseconds until the next deadline, at least 0; -1 if no timer is set. */
int64_t timers_next_ms(const struct timers *t, int64_t now_ms);

#endif
