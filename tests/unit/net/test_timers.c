/* SPDX-License-Identifier: Apache-2.0 */
#include "net/timers.h"
#include "tap.h"

static struct timers fresh(void)
{
	struct timers t;
	timers_init(&t);
	return t;
}

static void deadlines(void)
{
	static struct timers t;
	timers_init(&t);
	t.duration_ms[TIMER_IDLE] = 100;
	t.duration_ms[TIMER_HEAD] = 10;
	struct timer a = {.prev = NULL};
	struct timer b = {.prev = NULL};
	struct timer c = {.prev = NULL};
	IS_INT(timers_next_ms(&t, 0), -1, "nothing set, nothing to wait for");
	timers_set(&t, &a, TIMER_IDLE, 0);
	timers_set(&t, &b, TIMER_IDLE, 5);
	timers_set(&t, &c, TIMER_HEAD, 50);
	IS_INT(timers_next_ms(&t, 50), 10, "the nearest of all kinds");
	OK(timers_due(&t, 59) == NULL, "not before its time");
	OK(timers_due(&t, 60) == &c, "at its time");
	OK(timers_due(&t, 60) == NULL, "once");
	IS_INT(timers_next_ms(&t, 60), 40, "then the next kind");
	timers_set(&t, &a, TIMER_IDLE, 60);
	OK(timers_due(&t, 120) == &b, "one that was set again is due later");
	OK(timers_due(&t, 159) == NULL && timers_due(&t, 160) == &a, "at its new time");
	IS_INT(timers_next_ms(&t, 500), -1, "none is left");
}

static void cancelling(void)
{
	static struct timers t;
	timers_init(&t);
	struct timer a = {.prev = NULL};
	timers_cancel(&a);
	OK(a.prev == NULL, "cancelling one that is not set does nothing");
	timers_set(&t, &a, TIMER_BODY, 0);
	timers_set(&t, &a, TIMER_WRITE, 0);
	timers_cancel(&a);
	OK(timers_next_ms(&t, 0) == -1 && timers_due(&t, INT64_MAX) == NULL, "cancelled");
	timers_set(&t, &a, TIMER_LINGER, 0);
	IS_INT(timers_next_ms(&t, INT64_MAX / 2), 0, "overdue is now");
	OK(timers_due(&t, INT64_MAX / 2) == &a && a.kind == TIMER_LINGER, "and knows its kind");
}

int main(void)
{
	deadlines();
	cancelling();
	OK(fresh().duration_ms[TIMER_IDLE] > 0, "durations come from the limits");
	return tap_done();
}
