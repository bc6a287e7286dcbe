/* SPDX-License-Identifier: Apache-2.0 */
/* Shared by the lists. */
#ifndef STORE_LOCAL_READ_LIST_INTERNAL_H
#define STORE_LOCAL_READ_LIST_INTERNAL_H

#include "base/limits.h"
#include "base/strbuf.h"
#include "store/local/state/local_internal.h"

/* ---- Lists of all kinds (list_job.c) ---------------------------------------------------------
 */

/*
 * The common part of all lists: first it is the job of a reader, then the caller holds it until it
 * is released. A list embeds it as its first member, with the rows behind it.
 */
struct list_job {
	struct task job;
	struct local *local;
	/* The caller's: */
	struct store_wait *wait;
	uint32_t *count; /* of rows; 0 if the list fails */
	void **held;     /* the listing itself, or NULL if it fails */
	/* Fills the rows, in a reader. */
	enum err (*fill)(struct list_job *job);
	struct strbuf text; /* of the rows; it moves while it grows */
	struct budget_account memory;
};

/* What list_job_new() needs to know. */
struct list_job_spec {
	size_t size; /* of the structure that embeds a struct list_job */
	enum budget_pool pool;
	size_t text_bytes_max;
	struct store_wait *wait;
	uint32_t *count;
	void **held;
	enum err (*fill)(struct list_job *job);
};

/* NULL without memory; then it is answered. Else the caller completes it, and sends it. */
struct list_job *list_job_new(struct store *store, const struct list_job_spec *spec) MUST_USE;
void list_job_send(struct list_job *job);
/* NULL is allowed. */
void list_job_release(struct list_job *job);

/* How many rows there may be, of those that are asked for. */
static inline uint32_t list_rows_max(uint32_t asked)
{
	return asked == 0 || asked > LIMIT_LIST_KEYS ? LIMIT_LIST_KEYS : asked;
}

/* ---- Objects and versions -------------------------------------------------------------------- */

/* For list.c (current objects) and list_versions.c (all versions). */
struct object_listing {
	struct list_job job;
	struct store_list *list;
	uint32_t max; /* entries */
	struct store_entry entries[LIMIT_LIST_KEYS];
	/* Where in the text each key lies; headers and tags follow. */
	size_t offsets[LIMIT_LIST_KEYS];
};

/* There must be room for one more. False if the value is damaged. */
bool listing_add_object(struct object_listing *listing, struct slice key, struct slice value,
	bool is_latest) MUST_USE;
void listing_add_prefix(struct object_listing *listing, struct slice prefix);

/* The common prefix that the marker belongs to, which is left out; empty if there is none. */
struct slice list_rolled_marker(const struct store_list *list);

/* Walks through all versions. */
enum err list_versions(struct object_listing *listing) MUST_USE;

#endif
