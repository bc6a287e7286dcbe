/* SPDX-License-Identifier: Apache-2.0 */
#include "app/in_flight.h"

void in_flight_init(struct in_flight *set)
{
	(void)pthread_mutex_init(&set->lock, NULL);
	set->first = NULL;
}

void in_flight_release(struct in_flight *set)
{
	(void)pthread_mutex_destroy(&set->lock);
}

bool in_flight_enter(struct in_flight *set, struct in_flight_work *work, struct slice name)
{
	(void)pthread_mutex_lock(&set->lock);
	const struct in_flight_work *other = set->first;
	while (other && !slice_eq(other->name, name))
		other = other->next_;
	if (!other) {
		work->name = name;
		work->next_ = set->first;
		set->first = work;
	}
	(void)pthread_mutex_unlock(&set->lock);
	return !other;
}

void in_flight_leave(struct in_flight *set, struct in_flight_work *work)
{
	(void)pthread_mutex_lock(&set->lock);
	struct in_flight_work **at = &set->first;
	while (*at && *at != work)
		at = &(*at)->next_;
	if (*at)
		*at = work->next_;
	(void)pthread_mutex_unlock(&set->lock);
}
