/* SPDX-License-Identifier: Apache-2.0 */
#include "ops/rules/setting_cache.h"

#include <pthread.h>

#include "base/log.h"

enum {
	SLOTS = 64
};

struct setting_cache {
	const struct setting_kind *kind;
	pthread_mutex_t
		lock; /* the slots; held while a value is in use, which takes microseconds */
	struct {
		uint64_t generation; /* 0: empty */
		void *value;
	} slots[SLOTS];
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
	for (size_t i = 0; i < SLOTS; i++)
		cache->kind->free(cache->slots[i].value);
	(void)pthread_mutex_destroy(&cache->lock);
	free(cache);
}

/* The setting of the bucket, which has it; under the lock. NULL if it cannot be read. */
static const void *find(struct setting_cache *cache, const struct store_bucket *bucket)
{
	size_t at = (size_t)(bucket->generation % SLOTS);
	if (cache->slots[at].generation == bucket->generation)
		return cache->slots[at].value;
	void *value = NULL;
	SCOPED_STRBUF(reason, 512);
	if (cache->kind->parse(bucket->settings[cache->kind->setting], &value, &reason) != ERR_OK) {
		log_error("the stored %s of bucket %.*s cannot be read: %s", cache->kind->name,
			SLICE_FMT(bucket->name), reason.ptr);
		return NULL;
	}
	cache->kind->free(cache->slots[at].value);
	cache->slots[at].value = value;
	cache->slots[at].generation = bucket->generation;
	return value;
}

const void *setting_cache_take(struct setting_cache *cache, const struct store_bucket *bucket)
{
	if (!bucket || bucket->settings[cache->kind->setting].len == 0)
		return NULL;
	(void)pthread_mutex_lock(&cache->lock);
	const void *value = find(cache, bucket);
	if (!value)
		(void)pthread_mutex_unlock(&cache->lock);
	return value;
}

void setting_cache_done(struct setting_cache *cache)
{
	(void)pthread_mutex_unlock(&cache->lock);
}
