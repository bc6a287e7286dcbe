/* SPDX-License-Identifier: Apache-2.0 */
#include "store/memory/item.h"

#include <stdlib.h>

struct slice item_keep(struct slice s, char **to)
{
	char *begin = *to;
	if (s.len)
		memcpy(begin, s.ptr, s.len);
	*to += s.len;
	return slice_of(begin, s.len);
}

enum err item_new(struct slice key, const struct store_object *object, struct body *body,
	bool force, struct item **ret)
{
	struct item *item = NULL;
	struct budget_account memory = {.pool = BUDGET_STORE};
	size_t size = sizeof(*item) + key.len + object->headers.len + object->tags.len;
	bool fits = true;
	if (force)
		budget_count(&memory, size);
	else
		fits = budget_take(&memory, size);
	if (fits)
		item = malloc(size);
	if (!item) {
		budget_close(&memory);
		body_unref(body);
		return fits ? ERR_UNAVAILABLE : ERR_DISK_FULL;
	}
	char *to = item->text;
	item->node = (struct map_node){.key = item_keep(key, &to)};
	atomic_init(&item->refs, 1);
	item->memory = memory;
	item->object = *object;
	item->object.headers = item_keep(object->headers, &to);
	item->object.tags = item_keep(object->tags, &to);
	item->body = body;
	item->parts = (struct map){.root = NULL};
	*ret = item;
	return ERR_OK;
}

struct item *item_ref(struct item *item)
{
	if (item)
		(void)atomic_fetch_add(&item->refs, 1);
	return item;
}

void items_drop(struct map *map)
{
	while (map->root) {
		struct item *item = item_of(map->root);
		map_remove(map, &item->node);
		item_unref(item);
	}
}

/* Parts have no parts: it goes no deeper than that. */
void item_unref(struct item *item)
{
	if (!item || atomic_fetch_sub(&item->refs, 1) > 1)
		return;
	items_drop(&item->parts);
	body_unref(item->body);
	budget_close(&item->memory);
	free(item);
}
