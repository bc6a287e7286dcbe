/* SPDX-License-Identifier: Apache-2.0 */
#include "store/memory/map.h"

/* ---- Finding --------------------------------------------------------------------------------- */

static int compare(const struct map_node *node, struct slice key, uint64_t number)
{
	int order = slice_cmp(node->key, key);
	if (order != 0)
		return order;
	return node->number < number ? -1 : node->number > number;
}

struct map_node *map_find(const struct map *map, struct slice key, uint64_t number)
{
	struct map_node *node = map_from(map, key, number);
	return node && compare(node, key, number) == 0 ? node : NULL;
}

struct map_node *map_from(const struct map *map, struct slice key, uint64_t number)
{
	struct map_node *found = NULL;
	for (struct map_node *node = map->root; node;) {
		bool here = compare(node, key, number) >= 0;
		if (here)
			found = node;
		node = here ? node->left : node->right;
	}
	return found;
}

struct map_node *map_behind(const struct map *map, struct slice key)
{
	struct map_node *found = NULL;
	for (struct map_node *node = map->root; node;) {
		bool here = slice_cmp(node->key, key) > 0;
		if (here)
			found = node;
		node = here ? node->left : node->right;
	}
	return found;
}

struct map_node *map_past(const struct map *map, struct slice prefix)
{
	struct map_node *found = NULL;
	for (struct map_node *node = map->root; node;) {
		bool here = slice_cmp(node->key, prefix) > 0 && !slice_starts(node->key, prefix);
		if (here)
			found = node;
		node = here ? node->left : node->right;
	}
	return found;
}

struct map_node *map_next(const struct map_node *node)
{
	struct map_node *next = node->right;
	if (next) {
		while (next->left)
			next = next->left;
		return next;
	}
	next = node->parent;
	while (next && next->right == node) {
		node = next;
		next = node->parent;
	}
	return next;
}

/* ---- Changing -------------------------------------------------------------------------------- */

/* Xorshift: what a client sends has no part in it. */
static uint32_t next_random(struct map *map)
{
	uint32_t x = map->random ? map->random : 2463534242;
	x ^= x << 13;
	x ^= x >> 17;
	x ^= x << 5;
	map->random = x;
	return x;
}

/* Where the tree points to the node. */
static struct map_node **place_of(struct map *map, const struct map_node *node)
{
	struct map_node *parent = node->parent;
	if (!parent)
		return &map->root;
	return parent->left == node ? &parent->left : &parent->right;
}

/* Puts a child of the node in its place, and the node below the child. */
static void lift(struct map *map, struct map_node *child)
{
	struct map_node *node = child->parent;
	bool from_left = node->left == child;
	struct map_node *between = from_left ? child->right : child->left;
	*place_of(map, node) = child;
	child->parent = node->parent;
	node->parent = child;
	if (from_left) {
		child->right = node;
		node->left = between;
	} else {
		child->left = node;
		node->right = between;
	}
	if (between)
		between->parent = node;
}

void map_insert(struct map *map, struct map_node *node)
{
	struct map_node **at = &map->root;
	node->parent = NULL;
	node->left = NULL;
	node->right = NULL;
	node->priority = next_random(map);
	while (*at) {
		node->parent = *at;
		at = compare(*at, node->key, node->number) < 0 ? &(*at)->right : &(*at)->left;
	}
	*at = node;
	while (node->parent && node->parent->priority < node->priority)
		lift(map, node);
}

void map_remove(struct map *map, struct map_node *node)
{
	while (node->left && node->right)
		lift(map, node->left->priority > node->right->priority ? node->left : node->right);
	struct map_node *child = node->left ? node->left : node->right;
	*place_of(map, node) = child;
	if (child)
		child->parent = node->parent;
}
