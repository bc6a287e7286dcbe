/* SPDX-License-Identifier: Apache-2.0 */
/* All versions of a bucket's objects: the current ones and the older ones, merged. */
#include "store/memory/list_internal.h"
#include "store/shared/roll_up.h"

struct walk {
	struct map_node *current;
	struct map_node *old;
	struct slice seen; /* the key whose newest version was listed, or passed over */
	bool has_seen;
};

static void see(struct walk *walk, struct slice key)
{
	walk->seen = key;
	walk->has_seen = true;
}

/* Behind all versions of the marker that are not older than list->after_version. */
static void begin_within(const struct area *area, const struct store_list *list, struct walk *walk)
{
	struct slice marker = list->marker;
	walk->current = map_from(&area->current, marker, 0);
	if (walk->current && slice_eq(walk->current->key, marker) &&
		item_of(walk->current)->object.version >= list->after_version) {
		see(walk, marker);
		walk->current = map_next(walk->current);
	}
	const struct map_node *newest = map_from(&area->old, marker, 0);
	walk->old = map_from(&area->old, marker, ~(list->after_version - 1));
	if (newest != walk->old)
		see(walk, marker);
}

static void begin(const struct area *area, const struct store_list *list, struct walk *walk)
{
	struct slice rolled = memory_rolled_marker(list);
	if (list->marker.len == 0 || slice_cmp(list->marker, list->prefix) < 0) {
		walk->current = map_from(&area->current, list->prefix, 0);
		walk->old = map_from(&area->old, list->prefix, 0);
	} else if (rolled.len) {
		walk->current = map_past(&area->current, rolled);
		walk->old = map_past(&area->old, rolled);
	} else if (list->after_version) {
		begin_within(area, list, walk);
	} else {
		walk->current = map_behind(&area->current, list->marker);
		walk->old = map_behind(&area->old, list->marker);
	}
}

static bool is_listed(const struct map_node *node, const struct store_list *list)
{
	return node && slice_starts(node->key, list->prefix);
}

/* Where the next version is; NULL: that was all. The current version is the newest of its key. */
static struct map_node **next(struct walk *walk, const struct store_list *list)
{
	bool current = is_listed(walk->current, list);
	bool old = is_listed(walk->old, list);
	if (!current && !old)
		return NULL;
	if (current && (!old || slice_cmp(walk->current->key, walk->old->key) <= 0))
		return &walk->current;
	return &walk->old;
}

void memory_list_versions(const struct area *area, struct store_list *list)
{
	const struct listing *listing = list->held;
	struct walk walk = {.current = NULL};
	struct map_node **at;
	begin(area, list, &walk);
	while ((at = next(&walk, list))) {
		struct item *item = item_of(*at);
		struct slice key = item->node.key;
		struct slice rolled = roll_up(list->prefix, list->delimiter, key);
		if (list->count == listing->max) {
			list->truncated = true;
			return;
		}
		memory_listing_add(list, item, rolled, !walk.has_seen || !slice_eq(walk.seen, key));
		if (rolled.len) {
			walk.current = map_past(&area->current, rolled);
			walk.old = map_past(&area->old, rolled);
		} else {
			see(&walk, key);
			*at = map_next(*at);
		}
	}
}
