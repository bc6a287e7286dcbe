/* SPDX-License-Identifier: Apache-2.0 */
#include "store/rados/state/life.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"

static void add(struct marks *marks, struct mark *mark)
{
	mark->next = NULL;
	mark->previous = marks->last;
	if (marks->last)
		marks->last->next = mark;
	else
		marks->first = mark;
	marks->last = mark;
}

static void take_out(struct marks *marks, struct mark *mark)
{
	if (mark->previous)
		mark->previous->next = mark->next;
	else
		marks->first = mark->next;
	if (mark->next)
		mark->next->previous = mark->previous;
	else
		marks->last = mark->previous;
}

void life_init(struct life *life, uint64_t first, uint64_t ahead)
{
	*life = (struct life){.next = first, .claimed = first, .wanted_ahead = ahead};
	(void)pthread_mutex_init(&life->lock, NULL);
	sleeper_init(&life->beats);
}

void life_destroy(struct life *life)
{
	while (life->open.first) {
		struct mark *mark = life->open.first;
		take_out(&life->open, mark);
		free(mark);
	}
	sleeper_destroy(&life->beats);
	(void)pthread_mutex_destroy(&life->lock);
}

bool life_is_well(struct life *life)
{
	return !atomic_load(&life->is_expelled) &&
	       life_unheard_ms(life) <= atomic_load(&life->lapse_ms);
}

int64_t life_unheard_ms(struct life *life)
{
	return clock_monotonic_ms() - atomic_load(&life->beat_ms);
}

void life_expel(struct life *life)
{
	if (!atomic_exchange(&life->is_expelled, true))
		log_error("ceph: the others have taken this gateway for dead, because it did not "
			  "move for a while; it serves nobody any more");
}

void life_begin_read(struct life *life, struct mark *mark)
{
	(void)pthread_mutex_lock(&life->lock);
	mark->number = life->epoch;
	add(&life->reads, mark);
	(void)pthread_mutex_unlock(&life->lock);
}

void life_end_read(struct life *life, struct mark *mark)
{
	(void)pthread_mutex_lock(&life->lock);
	take_out(&life->reads, mark);
	(void)pthread_mutex_unlock(&life->lock);
}

bool life_begin_data(struct life *life, struct mark *mark)
{
	(void)pthread_mutex_lock(&life->lock);
	bool ok = life->next < life->claimed;
	if (ok) {
		mark->number = life->next++;
		add(&life->data, mark);
	}
	bool is_scarce = life->claimed - life->next < life->wanted_ahead / 2;
	(void)pthread_mutex_unlock(&life->lock);
	if (is_scarce)
		sleeper_wake(&life->beats);
	return ok;
}

void life_end_data(struct life *life, struct mark *mark)
{
	if (!mark)
		return;
	(void)pthread_mutex_lock(&life->lock);
	take_out(&life->data, mark);
	(void)pthread_mutex_unlock(&life->lock);
	free(mark);
}

void life_leave_data(struct life *life, struct mark *mark)
{
	(void)pthread_mutex_lock(&life->lock);
	take_out(&life->data, mark);
	add(&life->open, mark);
	(void)pthread_mutex_unlock(&life->lock);
}

void life_look(struct life *life, struct life_view *ret)
{
	(void)pthread_mutex_lock(&life->lock);
	*ret = (struct life_view){
		.oldest = life->reads.first ? life->reads.first->number : life->epoch,
		.low = life->data.first ? life->data.first->number : life->next,
		.end = life->next + life->wanted_ahead};
	for (const struct mark *mark = life->open.first; mark; mark = mark->next) {
		if (ret->open_count < LIFE_OPEN_MAX)
			ret->open[ret->open_count++] = mark->number;
		else if (mark->number < ret->low)
			ret->low = mark->number;
	}
	(void)pthread_mutex_unlock(&life->lock);
}

void life_told(struct life *life, const struct life_view *view, int64_t now_ms)
{
	(void)pthread_mutex_lock(&life->lock);
	life->claimed = view->end;
	(void)pthread_mutex_unlock(&life->lock);
	atomic_store(&life->beat_ms, now_ms);
}

void life_see(struct life *life, uint64_t epoch)
{
	(void)pthread_mutex_lock(&life->lock);
	if (epoch > life->epoch)
		life->epoch = epoch;
	(void)pthread_mutex_unlock(&life->lock);
}
