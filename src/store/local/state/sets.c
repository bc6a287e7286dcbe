/* SPDX-License-Identifier: Apache-2.0 */
#include "store/local/state/sets.h"

#include <pthread.h>
#include <stdlib.h>

enum {
	CHAINS = 256
};

struct held_set {
	struct held_set *next;
	uint64_t set;
	unsigned holders;
};

struct sets {
	pthread_mutex_t lock;
	struct held_set *chains[CHAINS];
};

struct sets *sets_new(void)
{
	struct sets *sets = calloc(1, sizeof(*sets));
	if (sets)
		(void)pthread_mutex_init(&sets->lock, NULL);
	return sets;
}

void sets_free(struct sets *sets)
{
	if (!sets)
		return;
	(void)pthread_mutex_destroy(&sets->lock);
	free(sets);
}

/* Where the set is, or would be added. Under the lock. */
static struct held_set **find(struct sets *sets, uint64_t set)
{
	struct held_set **at = &sets->chains[set % CHAINS];
	while (*at && (*at)->set != set)
		at = &(*at)->next;
	return at;
}

bool sets_hold(struct sets *sets, uint64_t set)
{
	(void)pthread_mutex_lock(&sets->lock);
	struct held_set **at = find(sets, set);
	if (!*at) {
		*at = calloc(1, sizeof(**at));
		if (*at)
			(*at)->set = set;
	}
	bool ok = *at != NULL;
	if (ok)
		(*at)->holders++;
	(void)pthread_mutex_unlock(&sets->lock);
	return ok;
}

void sets_release(struct sets *sets, uint64_t set)
{
	(void)pthread_mutex_lock(&sets->lock);
	struct held_set **at = find(sets, set);
	struct held_set *held = *at;
	if (--held->holders == 0) {
		*at = held->next;
		free(held);
	}
	(void)pthread_mutex_unlock(&sets->lock);
}

bool sets_held(struct sets *sets, uint64_t set)
{
	(void)pthread_mutex_lock(&sets->lock);
	bool held = *find(sets, set) != NULL;
	(void)pthread_mutex_unlock(&sets->lock);
	return held;
}
