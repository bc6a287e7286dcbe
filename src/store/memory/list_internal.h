/* SPDX-License-Identifier: Apache-2.0 */
/* Shared by list.c (current objects) and list_versions.c (all versions). */
#ifndef STORE_MEMORY_LIST_INTERNAL_H
#define STORE_MEMORY_LIST_INTERNAL_H

#include "store/memory/memory_internal.h"

/* A listing, which the caller holds: it keeps alive what its entries point to. */
struct listing {
	struct budget_account memory;
	uint32_t max;
	struct store_entry entries[LIMIT_LIST_KEYS];
	struct item *items[LIMIT_LIST_KEYS];
};

/* Adds an object, or, unless `rolled` is empty, a prefix that the item begins with. */
void memory_listing_add(
	struct store_list *list, struct item *item, struct slice rolled, bool is_latest);

/* The common prefix that the marker belongs to, which is left out; empty if there is none. */
struct slice memory_rolled_marker(const struct store_list *list);

/* Walks through all versions. Under the lock. */
void memory_list_versions(const struct area *area, struct store_list *list);

#endif
