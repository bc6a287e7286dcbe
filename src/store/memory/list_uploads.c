/* SPDX-License-Identifier: Apache-2.0 */
/* Uploads that are not complete, and their parts. */
#include <stdlib.h>

#include "store/memory/memory_internal.h"
#include "store/shared/roll_up.h"

/* ---- Uploads --------------------------------------------------------------------------------- */

struct uploads {
	struct budget_account memory;
	struct store_multipart uploads[LIMIT_LIST_KEYS];
	struct item *items[LIMIT_LIST_KEYS]; /* what the keys are kept alive by */
};

/* The first upload that may be listed. */
static struct map_node *first(const struct map *map, const struct store_list_multiparts *list)
{
	struct slice marker = list->key_marker;
	if (marker.len == 0 || slice_cmp(marker, list->prefix) < 0)
		return map_from(map, list->prefix, 0);
	/* What is rolled up with the marker is a roll-up that is not greater than it. */
	struct slice rolled = slice_starts(marker, list->prefix)
				      ? roll_up(list->prefix, list->delimiter, marker)
				      : S("");
	if (rolled.len)
		return map_past(map, rolled);
	if (list->upload_marker && list->upload_marker < UINT64_MAX)
		return map_from(map, marker, list->upload_marker + 1);
	return map_behind(map, marker);
}

static void add(struct store_list_multiparts *list, struct item *item, struct slice rolled)
{
	struct uploads *held = list->held;
	struct store_multipart *row = &held->uploads[list->count];
	struct slice key = item->node.key;
	held->items[list->count++] = item_ref(item);
	*row = (struct store_multipart){.is_prefix = rolled.len > 0};
	row->key = slice_head(key, rolled.len ? rolled.len : key.len);
	if (row->is_prefix)
		return;
	row->upload = item->node.number;
	row->initiated_ms = item->object.modified_ms;
}

static void walk(const struct map *map, struct store_list_multiparts *list)
{
	uint32_t max = list->max_uploads;
	if (max == 0 || max > LIMIT_LIST_KEYS)
		max = LIMIT_LIST_KEYS;
	struct map_node *node = first(map, list);
	while (node && slice_starts(node->key, list->prefix)) {
		struct slice rolled = roll_up(list->prefix, list->delimiter, node->key);
		if (list->count == max) {
			list->truncated = true;
			return;
		}
		add(list, item_of(node), rolled);
		node = rolled.len ? map_past(map, rolled) : map_next(node);
	}
}

void memory_list_uploads(struct store *store, struct store_list_multiparts *list)
{
	struct memory *m = memory_of(store);
	struct budget_account memory = {.pool = list->pool};
	struct uploads *held = NULL;
	list->uploads = NULL;
	list->count = 0;
	list->truncated = false;
	list->held = NULL;
	if (budget_take(&memory, sizeof(*held)) && !(held = malloc(sizeof(*held))))
		budget_close(&memory);
	if (!held) {
		store_answer(&list->wait, ERR_UNAVAILABLE);
		return;
	}
	held->memory = memory;
	list->held = held;
	list->uploads = held->uploads;
	memory_lock(m);
	const struct area *area = list->bucket_id ? memory_area(m, list->bucket_id) : NULL;
	if (area)
		walk(&area->uploads, list);
	memory_unlock(m);
	store_answer(&list->wait, ERR_OK);
}

void memory_list_uploads_release(struct store *store UNUSED, struct store_list_multiparts *list)
{
	struct uploads *held = TAKE(list->held);
	if (!held)
		return;
	for (uint32_t i = 0; i < list->count; i++)
		item_unref(held->items[i]);
	budget_close(&held->memory);
	free(held);
}

/* ---- Parts ----------------------------------------------------------------------------------- */

static void add_part(struct store_list_parts *list, const struct item *item)
{
	const struct store_object *object = &item->object;
	struct store_part *part = &list->parts[list->count++];
	part->number = (uint32_t)item->node.number;
	part->size = object->size;
	part->modified_ms = object->modified_ms;
	part->crc64 = object->crc64;
	memcpy(part->md5, object->md5, sizeof(part->md5));
}

static enum err list_parts(struct memory *m, struct store_list_parts *list)
{
	struct area *area = list->bucket_id ? memory_area(m, list->bucket_id) : NULL;
	const struct item *upload =
		area ? item_of(map_find(&area->uploads, list->key, list->upload)) : NULL;
	if (!upload)
		return ERR_NO_SUCH_UPLOAD;
	if (list->max_parts == 0)
		return ERR_OK;
	struct map_node *node = map_from(&upload->parts, S(""), (uint64_t)list->after + 1);
	for (; node && list->count < list->max_parts; node = map_next(node))
		add_part(list, item_of(node));
	list->truncated = node != NULL;
	return ERR_OK;
}

void memory_list_parts(struct store *store, struct store_list_parts *list)
{
	struct memory *m = memory_of(store);
	if (list->max_parts > LIMIT_LIST_KEYS)
		list->max_parts = LIMIT_LIST_KEYS;
	list->count = 0;
	list->truncated = false;
	list->parts = list->held = malloc((list->max_parts + 1) * sizeof(list->parts[0]));
	if (!list->held) {
		store_answer(&list->wait, ERR_UNAVAILABLE);
		return;
	}
	memory_lock(m);
	enum err e = list_parts(m, list);
	memory_unlock(m);
	if (e != ERR_OK)
		free(TAKE(list->held));
	store_answer(&list->wait, e);
}

void memory_list_parts_release(struct store *store UNUSED, struct store_list_parts *list)
{
	free(TAKE(list->held));
}
