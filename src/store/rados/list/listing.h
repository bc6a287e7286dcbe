/* SPDX-License-Identifier: Apache-2.0 */
/* The entries of a listing, with copies of all that they point to. */
#ifndef STORE_RADOS_LIST_LISTING_H
#define STORE_RADOS_LIST_LISTING_H

#include "base/arena.h"
#include "base/limits.h"
#include "store/rados/rows/entry.h"
#include "store/rados/state/state.h"

struct listing;

/* A request for a listing, and where its results go. */
struct listing_request {
	struct store_list *list; /* one of these */
	struct store_list_multiparts *uploads;
	enum budget_pool pool;
	uint32_t max;
	/* Fills in the entries, and on success where the caller finds them. Waits. */
	enum err (*collect)(struct listing *listing);
	struct store_wait *wait;
	uint32_t *count;
	bool *truncated;
	void **held;
};

struct listing {
	struct task task;
	struct rados *r;
	struct listing_request request;
	struct store_list *list; /* those of the request */
	struct store_list_multiparts *uploads;
	struct budget_account memory;
	struct arena texts;
	uint32_t max;
	union {
		struct store_entry entries[LIMIT_LIST_KEYS];
		struct store_multipart multiparts[LIMIT_LIST_KEYS];
	};
};

/* Carries out the request, and answers it. If it fails nothing is held. */
void listing_begin(struct rados *r, const struct listing_request *request);
/* What is held. NULL is allowed. */
void listing_free(struct listing *listing);

/* Adds a version, or, unless `rolled` is empty, a common prefix. ERR_UNAVAILABLE. */
enum err listing_add(struct listing *listing, struct slice key, struct slice rolled,
	const struct store_object *object, bool is_latest) MUST_USE;

/* Lists all versions (versions.c). Waits. */
enum err listing_versions(struct listing *listing) MUST_USE;

/* What all that is listed is behind, or is. */
static inline struct slice listing_from(struct slice prefix, struct slice marker)
{
	return slice_cmp(marker, prefix) > 0 ? marker : prefix;
}

/* The common prefix that the marker belongs to, which is left out; empty if there is none. */
struct slice listing_rolled_marker(
	struct slice prefix, struct slice delimiter, struct slice marker);

#endif
