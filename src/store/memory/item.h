/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What stands in the maps of a bucket: a version of an object, a delete marker, an upload, or a
 * part. But for its place in a map it never changes; whoever holds a reference reads it under no
 * lock.
 */
#ifndef STORE_MEMORY_ITEM_H
#define STORE_MEMORY_ITEM_H

#include <stdatomic.h>

#include "store/memory/body.h"
#include "store/memory/map.h"
#include "store/store.h"

struct item {
	struct map_node node; /* the store's, under its lock; the key stays */
	atomic_uint refs;
	struct budget_account memory;
	struct store_object object; /* headers and tags in `text` */
	struct body *body;          /* NULL: no bytes */
	struct map parts;           /* of an upload, by number; under the store's lock */
	char text[];                /* key, headers, tags */
};

/*
 * An item as `object` says, with a copy of the key, and the caller's reference to the body, also
 * if it fails. With `force` it is made though the budget has no room, for what frees some in the
 * end. ERR_DISK_FULL, ERR_UNAVAILABLE.
 */
enum err item_new(struct slice key, const struct store_object *object, struct body *body,
	bool force, struct item **ret) MUST_USE;
struct item *item_ref(struct item *item);
/* Of an upload, with its parts. NULL is allowed. */
void item_unref(struct item *item);

/* Copies a text to *to, which moves on. */
struct slice item_keep(struct slice s, char **to);
/* Whether it is that version; none is named by a number of 0. */
static inline bool item_is(const struct item *item, const struct store_version *which)
{
	return which->is_null ? item->object.is_null
			      : which->number && item->object.version == which->number;
}

/* Takes all out of a map that nobody uses any more. */
void items_drop(struct map *map);

static inline struct item *item_of(struct map_node *node)
{
	return node ? CONTAINER_OF(node, struct item, node) : NULL;
}

#endif
