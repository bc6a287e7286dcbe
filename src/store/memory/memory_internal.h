/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the files of the back end in memory share. One lock protects the maps and what is below it;
 * it is held while something is looked up or changed, never while bytes are copied or the caller is
 * answered. The table of buckets and the pools of the budget are below it.
 */
#ifndef STORE_MEMORY_MEMORY_INTERNAL_H
#define STORE_MEMORY_MEMORY_INTERNAL_H

#include <pthread.h>

#include "base/clock.h"
#include "base/limits.h"
#include "store/memory/item.h"
#include "store/shared/buckets.h"
#include "store/store.h"

enum {
	HEADERS_MAX = 32 << 10, /* as store.h says */
	TAGS_MAX = 8 << 10,
};

/* The objects of a bucket. */
struct area {
	uint64_t id; /* the bucket's; 0: free */
	struct map current;
	struct map old; /* older versions and markers, by key and `~version`: the newest first */
	struct map uploads; /* by key and number */
};

struct memory {
	struct store store;
	const struct clock *clock;
	pthread_mutex_t lock;
	struct buckets *buckets;
	struct area areas[LIMIT_BUCKETS];
	uint64_t sequence; /* of the last change */
	struct store_stats stats;
};

static inline struct memory *memory_of(struct store *store)
{
	return CONTAINER_OF(store, struct memory, store);
}

static inline void memory_lock(struct memory *m)
{
	(void)pthread_mutex_lock(&m->lock);
}

static inline void memory_unlock(struct memory *m)
{
	(void)pthread_mutex_unlock(&m->lock);
}

/* Under the lock; NULL if the bucket does not exist. With 0, one that is free. */
struct area *memory_area(struct memory *m, uint64_t bucket_id);

static inline bool memory_key_fits(struct slice key)
{
	return key.len > 0 && key.len <= LIMIT_KEY_BYTES;
}

/* ---- Looking up, under the lock -------------------------------------------------------------- */

/* The current object; without one, NULL. */
struct item *find_current(const struct area *area, struct slice key);
/* The older version, or marker, that is named by its number, or "null". */
struct item *find_old(const struct area *area, struct slice key, const struct store_version *which);
/* The newest of the older versions and markers, but for the one that is named, if any. */
struct item *find_newest(
	const struct area *area, struct slice key, const struct store_version *except);

/* ---- The operations -------------------------------------------------------------------------- */

enum err memory_put_begin(
	struct store *store, const struct store_put_spec *spec, struct store_put **ret) MUST_USE;
enum store_now memory_put_write(struct store_put *put, struct slice bytes, struct store_wait *wait);
void memory_put_commit(struct store_put *put, struct store_put_commit *commit);
void memory_put_abort(struct store_put *put);

/* What a put has brought. */
struct brought {
	uint64_t bucket_id;
	struct slice key;
	enum store_put_kind kind;
	struct store_object object;
	uint64_t upload;
	uint32_t part;
	uint64_t position;
	struct body *body; /* stays the caller's */
};

/* Makes what the put has brought visible, or refuses it; commit->object is the result. */
enum err memory_commit(
	struct memory *m, const struct brought *brought, struct store_put_commit *commit) MUST_USE;

void memory_delete(struct store *store, struct store_delete *del);
void memory_object_change(struct store *store, struct store_metadata_update *change);
void memory_upload_begin(struct store *store, struct store_multipart_begin *begin);
void memory_upload_abort(struct store *store, struct store_multipart_abort *abort);
void memory_upload_complete(struct store *store, struct store_multipart_complete *complete);

enum store_now memory_get(struct store *store, struct store_get *get);
void memory_get_release(struct store *store, struct store_get *get);
enum store_now memory_read(struct store *store, struct store_read *read);
void memory_read_release(struct store *store, struct store_read *read);

void memory_list(struct store *store, struct store_list *list);
void memory_list_release(struct store *store, struct store_list *list);
void memory_list_parts(struct store *store, struct store_list_parts *list);
void memory_list_parts_release(struct store *store, struct store_list_parts *list);
void memory_list_uploads(struct store *store, struct store_list_multiparts *list);
void memory_list_uploads_release(struct store *store, struct store_list_multiparts *list);

#endif
