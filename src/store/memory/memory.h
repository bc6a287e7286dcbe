/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The back end in memory, of --ephemeral: all that store.h promises but for what outlives the
 * process. Nothing touches a disk, and all is gone when it is closed. What is stored is bounded by
 * the share BUDGET_STORE of the memory budget; above it changes fail as on a full disk.
 *
 *	memory.c   opening, closing, buckets
 *	mutation.c of objects and uploads: looks up, has it decided by store/rules, and does it
 *	put.c      bytes that come
 *	get.c      and go
 *	list.c, list_versions.c, list_uploads.c   listings
 *	item.h     what stands in the maps: versions, uploads, parts
 *	body.h     bytes
 *	map.h      an ordered map
 */
#ifndef STORE_MEMORY_MEMORY_H
#define STORE_MEMORY_MEMORY_H

#include "base/clock.h"
#include "store/store.h"

/* An empty store. ERR_UNAVAILABLE. */
enum err memory_store_open(const struct clock *clock, struct store **ret) MUST_USE;

#endif
