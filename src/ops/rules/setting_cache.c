/* SPDX-License-Identifier: Apache-2.0 */
#include "ops/rules/setting_cache.h"

#include <pthread.h>

#include "base/limits.h"
#include "base/log.h"

struct slot {
	uint64_t generation;
	uint64_t used; /* when, by the cache's own count */
	void *value;
};

struct setting_cache {
	const struct setting_kind *kind;
	pthread_mutex_t
		lock; /* all below; held while a value is in use, which takes microseconds */
	uint64_t uses;
	uint64_t buckets[LIMIT_BUCKETS]; /* whose the slot is; 0: empty */
	struct slot slots[LIMIT_BUCKETS];
};

struct setting_cache *setting_cache_new(const struct setting_kind *kind)
{
	struct setting_cache *cache = calloc(1, sizeof(*cache));
	if (!cache)
		return NULL;
	cache->kind = kind;
	(void)pthread_mutex_init(&cache->lock, NULL);
	return cache;
}

void setting_cache_free(struct setting_cache *cache)
{
	if (!cache)
		return;
	for (size_t i = 0; i < LIMIT_BUCKETS; i++)
		cache->kind->free(cache->slots[i].value);
	(void)pthread_mutex_destroy(&cache->lock);
	free(cache);
}

/*
 * The slot of the bucket, or the one that it may have: an empty one, else that which was not used
 * for longest. There is one for each bucket that there can be, so then it is of a deleted one.
 */
static size_t find_slot(const struct setting_cache *cache, uint64_t bucket_id)
{
	size_t oldest = 0;
	for (size_t i = 0; i < LIMIT_BUCKETS; i++) {
		if (cache->buckets[i] == bucket_id)
			return i;
		if (cache->slots[i].used < cache->slots[oldest].used)
			oldest = i;
	}
	return oldest;
}

/* The setting of the bucket, which has it; under the lock. */
static enum err find(
	struct setting_cache *cache, const struct store_bucket *bucket, const void **ret)
{
	size_t at = find_slot(cache, bucket->id);
	struct slot *slot = &cache->slots[at];
	if (cache->buckets[at] != bucket->id || slot->generation != bucket->generation) {
		void *value = NULL;
		SCOPED_STRBUF(reason, 512);
		enum err e =
			cache->kind->parse(bucket->settings[cache->kind->setting], &value, &reason);
		if (e == ERR_UNAVAILABLE)
			return e;
		if (e != ERR_OK) {
			log_error("the stored %s of bucket %.*s cannot be read: %s",
				cache->kind->name, SLICE_FMT(bucket->name), reason.ptr);
			return ERR_INTERNAL;
		}
		cache->kind->free(slot->value);
		slot->value = value;
		slot->generation = bucket->generation;
		cache->buckets[at] = bucket->id;
	}
	slot->used = ++cache->uses;
	*ret = slot->value;
	return ERR_OK;
}

enum err setting_cache_take(
	struct setting_cache *cache, const struct store_bucket *bucket, const void **ret)
{
	*ret = NULL;
	if (!bucket || bucket->settings[cache->kind->setting].len == 0)
		return ERR_OK;
	(void)pthread_mutex_lock(&cache->lock);
	enum err e = find(cache, bucket, ret);
	if (!*ret)
		(void)pthread_mutex_unlock(&cache->lock);
	return e;
}

void setting_cache_done(struct setting_cache *cache)
{
	(void)pthread_mutex_unlock(&cache->lock);
}
