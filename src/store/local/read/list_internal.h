/* SPDX-License-Identifier: Apache-2.0 */
/* Shared by list.c (current objects) and list_versions.c (all versions). */
#ifndef STORE_LOCAL_READ_LIST_INTERNAL_H
#define STORE_LOCAL_READ_LIST_INTERNAL_H

#include "base/limits.h"
#include "base/strbuf.h"
#include "store/local/state/local_internal.h"

/* A listing: the job of a reader first, then what the caller holds. */
struct listing {
	struct task job;
	struct local *local;
	struct store_list *list;
	uint32_t max; /* entries */
	struct store_entry entries[LIMIT_LIST_KEYS];
	/* Where in `text`, which moves while it grows, each key lies; headers and tags follow. */
	size_t offsets[LIMIT_LIST_KEYS];
	struct strbuf text;
	struct budget_account memory; /* of all this */
};

/* There must be room for one more. False if the value is damaged. */
bool listing_add_object(
	struct listing *listing, struct slice key, struct slice value, bool is_latest) MUST_USE;
void listing_add_prefix(struct listing *listing, struct slice prefix);

/* What is rolled up with the marker, and so is left out; empty if nothing is. */
struct slice list_rolled_marker(const struct store_list *list);

/* Walks through all versions. */
enum err list_versions(struct listing *listing) MUST_USE;

#endif
