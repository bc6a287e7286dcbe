/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An ordered map: nodes by key, byte by byte, then by number. Each node is part of what it stands
 * for, so putting one in cannot fail. A treap: a search tree by key that is a heap by random
 * priorities, so that it is about as deep as a balanced one. Whoever uses it locks it.
 */
#ifndef STORE_MEMORY_MAP_H
#define STORE_MEMORY_MAP_H

#include "base/slice.h"

struct map_node {
	struct slice key; /* stays as long as the node is in a map */
	uint64_t number;
	uint32_t priority;
	struct map_node *parent;
	struct map_node *left;
	struct map_node *right;
};

/* Zeroed: empty. */
struct map {
	struct map_node *root;
	uint32_t random;
};

/* There must be none with that key and number. */
void map_insert(struct map *map, struct map_node *node);
void map_remove(struct map *map, struct map_node *node);

struct map_node *map_find(const struct map *map, struct slice key, uint64_t number);
/* The first with that key and at least that number, or with a greater key; NULL: there is none. */
struct map_node *map_from(const struct map *map, struct slice key, uint64_t number);
/* The first whose key is greater than `key`. */
struct map_node *map_behind(const struct map *map, struct slice key);
/* The first whose key is greater than `prefix` and does not begin with it. */
struct map_node *map_past(const struct map *map, struct slice prefix);
/* The one behind `node`, or NULL. */
struct map_node *map_next(const struct map_node *node);

#endif
