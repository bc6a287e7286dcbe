/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "store/memory/list_internal.h"
#include "store/shared/roll_up.h"

void memory_listing_add(
	struct store_list *list, struct item *item, struct slice rolled, bool is_latest)
{
	struct listing *listing = list->held;
	struct store_entry *entry = &listing->entries[list->count];
	listing->items[list->count++] = item_ref(item);
	*entry = (struct store_entry){.is_prefix = rolled.len > 0};
	entry->key = slice_head(item->node.key, rolled.len ? rolled.len : item->node.key.len);
	if (entry->is_prefix)
		return;
	entry->is_latest = is_latest;
	entry->object = item->object;
}

struct slice memory_rolled_marker(const struct store_list *list)
{
	if (!slice_starts(list->marker, list->prefix))
		return S("");
	return roll_up(list->prefix, list->delimiter, list->marker);
}

/* The first object that may be listed. */
static struct map_node *first(const struct area *area, const struct store_list *list)
{
	struct slice rolled = memory_rolled_marker(list);
	if (list->marker.len == 0 || slice_cmp(list->marker, list->prefix) < 0)
		return map_from(&area->current, list->prefix, 0);
	/* What is rolled up with the marker is a roll-up that is not greater than it. */
	if (rolled.len)
		return map_past(&area->current, rolled);
	return map_behind(&area->current, list->marker);
}

static void list_objects(const struct area *area, struct store_list *list)
{
	const struct listing *listing = list->held;
	struct map_node *node = first(area, list);
	while (node && slice_starts(node->key, list->prefix)) {
		struct slice rolled = roll_up(list->prefix, list->delimiter, node->key);
		if (list->count == listing->max) {
			list->truncated = true;
			return;
		}
		memory_listing_add(list, item_of(node), rolled, false);
		node = rolled.len ? map_past(&area->current, rolled) : map_next(node);
	}
}

void memory_list(struct store *store, struct store_list *list)
{
	struct memory *m = memory_of(store);
	struct budget_account memory = {.pool = list->pool};
	struct listing *listing = NULL;
	list->entries = NULL;
	list->count = 0;
	list->truncated = false;
	list->held = NULL;
	if (budget_take(&memory, sizeof(*listing)) && !(listing = malloc(sizeof(*listing))))
		budget_close(&memory);
	if (!listing) {
		store_answer(&list->wait, ERR_UNAVAILABLE);
		return;
	}
	listing->memory = memory;
	listing->max = list->max_entries;
	if (listing->max == 0 || listing->max > LIMIT_LIST_KEYS)
		listing->max = LIMIT_LIST_KEYS;
	list->held = listing;
	list->entries = listing->entries;
	memory_lock(m);
	const struct area *area = list->bucket_id ? memory_area(m, list->bucket_id) : NULL;
	if (area && list->versions)
		memory_list_versions(area, list);
	else if (area)
		list_objects(area, list);
	memory_unlock(m);
	store_answer(&list->wait, ERR_OK);
}

void memory_list_release(struct store *store UNUSED, struct store_list *list)
{
	struct listing *listing = TAKE(list->held);
	if (!listing)
		return;
	for (uint32_t i = 0; i < list->count; i++)
		item_unref(listing->items[i]);
	budget_close(&listing->memory);
	free(listing);
}
