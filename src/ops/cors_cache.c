/* SPDX-License-Identifier: Apache-2.0 */
#include "ops/cors_cache.h"

#include <pthread.h>

#include "base/log.h"

enum {
	SLOTS = 64
};

struct cors_cache {
	pthread_mutex_t
		lock; /* the slots; held while rules are matched, which takes microseconds */
	struct {
		uint64_t generation; /* 0: empty */
		struct cors *cors;
	} slots[SLOTS];
};

struct cors_cache *cors_cache_new(void)
{
	struct cors_cache *cache = calloc(1, sizeof(*cache));
	if (cache)
		(void)pthread_mutex_init(&cache->lock, NULL);
	return cache;
}

void cors_cache_free(struct cors_cache *cache)
{
	if (!cache)
		return;
	for (size_t i = 0; i < SLOTS; i++)
		cors_free(cache->slots[i].cors);
	(void)pthread_mutex_destroy(&cache->lock);
	free(cache);
}

static bool configured(const struct store_bucket *bucket)
{
	return bucket && bucket->settings[STORE_SETTING_CORS].len;
}

/* The rules of the bucket, which has some; under the lock. NULL if they cannot be read. */
static const struct cors *find(struct cors_cache *cache, const struct store_bucket *bucket)
{
	size_t at = (size_t)(bucket->generation % SLOTS);
	if (cache->slots[at].generation == bucket->generation)
		return cache->slots[at].cors;
	struct cors *cors = NULL;
	SCOPED_STRBUF(reason, 512);
	if (cors_parse(bucket->settings[STORE_SETTING_CORS], &cors, &reason) != ERR_OK) {
		log_error("the stored CORS rules of bucket %.*s cannot be read: %s",
			SLICE_FMT(bucket->name), reason.ptr);
		return NULL;
	}
	cors_free(cache->slots[at].cors);
	cache->slots[at].cors = cors;
	cache->slots[at].generation = bucket->generation;
	return cors;
}

void cors_cache_actual(struct cors_cache *cache, const struct store_bucket *bucket,
	struct slice origin, struct slice method, struct strbuf *out)
{
	if (!configured(bucket))
		return;
	(void)pthread_mutex_lock(&cache->lock);
	cors_actual(find(cache, bucket), origin, method, out);
	(void)pthread_mutex_unlock(&cache->lock);
}

enum err cors_cache_preflight(struct cors_cache *cache, const struct store_bucket *bucket,
	const struct cors_request *request, struct strbuf *out)
{
	if (!configured(bucket))
		return cors_preflight(NULL, request, out);
	(void)pthread_mutex_lock(&cache->lock);
	enum err e = cors_preflight(find(cache, bucket), request, out);
	(void)pthread_mutex_unlock(&cache->lock);
	return e;
}
