/* SPDX-License-Identifier: Apache-2.0 */
/* The entries of a listing, with copies of all that they point to. */
#ifndef STORE_RADOS_LIST_LISTING_H
#define STORE_RADOS_LIST_LISTING_H

#include "base/arena.h"
#include "base/limits.h"
#include "store/rados/rows/entry.h"
#include "store/rados/state/state.h"

struct listing {
	struct task task;
	struct rados *r;
	struct store_list *list; /* one of these */
	struct store_list_multiparts *uploads;
	struct budget_account memory;
	struct arena texts;
	uint32_t max;
	union {
		struct store_entry entries[LIMIT_LIST_KEYS];
		struct store_multipart multiparts[LIMIT_LIST_KEYS];
	};
};

/* NULL without memory. */
struct listing *listing_new(struct rados *r, enum budget_pool pool, uint32_t max) MUST_USE;
/* NULL is allowed. */
void listing_free(struct listing *listing);

/* Adds a version, or, unless `rolled` is empty, a common prefix. ERR_UNAVAILABLE. */
enum err listing_add(struct listing *listing, struct slice key, struct slice rolled,
	const struct store_object *object, bool is_latest) MUST_USE;

/* Lists all versions (versions.c). Waits. */
enum err listing_versions(struct listing *listing) MUST_USE;

/* The common prefix that the marker belongs to, which is left out; empty if there is none. */
struct slice listing_rolled_marker(
	struct slice prefix, struct slice delimiter, struct slice marker);

#endif
