/* SPDX-License-Identifier: Apache-2.0 */
#include "store/local/state/part_pins.h"

#include <pthread.h>
#include <stdlib.h>

enum {
	CHAINS = 256
};

struct pinned_list {
	struct pinned_list *next;
	uint64_t list;
	unsigned pins;
};

struct part_pins {
	pthread_mutex_t lock;
	struct pinned_list *chains[CHAINS];
};

struct part_pins *part_pins_new(void)
{
	struct part_pins *pins = calloc(1, sizeof(*pins));
	if (pins)
		(void)pthread_mutex_init(&pins->lock, NULL);
	return pins;
}

void part_pins_free(struct part_pins *pins)
{
	if (!pins)
		return;
	(void)pthread_mutex_destroy(&pins->lock);
	free(pins);
}

/* Where the list is, or would be added. Under the lock. */
static struct pinned_list **find(struct part_pins *pins, uint64_t list)
{
	struct pinned_list **at = &pins->chains[list % CHAINS];
	while (*at && (*at)->list != list)
		at = &(*at)->next;
	return at;
}

bool part_pins_add(struct part_pins *pins, uint64_t list)
{
	(void)pthread_mutex_lock(&pins->lock);
	struct pinned_list **at = find(pins, list);
	if (!*at) {
		*at = calloc(1, sizeof(**at));
		if (*at)
			(*at)->list = list;
	}
	bool ok = *at != NULL;
	if (ok)
		(*at)->pins++;
	(void)pthread_mutex_unlock(&pins->lock);
	return ok;
}

void part_pins_drop(struct part_pins *pins, uint64_t list)
{
	(void)pthread_mutex_lock(&pins->lock);
	struct pinned_list **at = find(pins, list);
	struct pinned_list *held = *at;
	if (--held->pins == 0) {
		*at = held->next;
		free(held);
	}
	(void)pthread_mutex_unlock(&pins->lock);
}

bool part_pins_any(struct part_pins *pins, uint64_t list)
{
	(void)pthread_mutex_lock(&pins->lock);
	bool pinned = *find(pins, list) != NULL;
	(void)pthread_mutex_unlock(&pins->lock);
	return pinned;
}
