/* SPDX-License-Identifier: Apache-2.0 */
#include "app/jwt/jwt_cache.h"

#include <pthread.h>

#include "crypto/digest.h"

struct entry {
	uint8_t digest[SHA256_BYTES]; /* of the token */
	struct jwt_keys *keys;
	uint64_t rules;           /* their number */
	struct jwt_claims claims; /* its slices point behind the structure */
};

struct jwt_cache {
	pthread_mutex_t lock; /* protects the places */
	struct entry *places[LIMIT_JWT_CACHED];
};

static void entry_free(struct entry *entry)
{
	if (!entry)
		return;
	jwt_keys_release(entry->keys);
	free(entry);
}

struct jwt_cache *jwt_cache_new(void)
{
	struct jwt_cache *cache = calloc(1, sizeof(*cache));
	if (cache)
		(void)pthread_mutex_init(&cache->lock, NULL);
	return cache;
}

void jwt_cache_free(struct jwt_cache *cache)
{
	if (!cache)
		return;
	for (size_t i = 0; i < ARRAY_LEN(cache->places); i++)
		entry_free(cache->places[i]);
	(void)pthread_mutex_destroy(&cache->lock);
	free(cache);
}

static struct entry **place_of(struct jwt_cache *cache, const uint8_t digest[SHA256_BYTES])
{
	size_t at = (size_t)digest[0] << 8 | digest[1];
	return &cache->places[at % LIMIT_JWT_CACHED];
}

static bool copy_claims(
	const struct jwt_claims *from, size_t count, struct arena *arena, struct jwt_claims *ret)
{
	*ret = (struct jwt_claims){.expires = from->expires};
	ret->subject = arena_copy(arena, from->subject);
	bool ok = ret->subject.ptr != NULL;
	for (size_t i = 0; i < count; i++) {
		ret->values[i] = arena_copy(arena, from->values[i]);
		ok = ok && ret->values[i].ptr;
	}
	return ok;
}

bool jwt_cache_find(struct jwt_cache *cache, const struct jwt_keys *keys,
	const struct jwt_rules *rules, struct slice token, int64_t now, struct arena *arena,
	struct jwt_claims *ret)
{
	uint8_t digest[SHA256_BYTES];
	sha256_of(token, digest);
	(void)pthread_mutex_lock(&cache->lock);
	const struct entry *entry = *place_of(cache, digest);
	bool found = entry && entry->keys == keys && entry->rules == rules->number &&
		     memcmp(entry->digest, digest, sizeof(digest)) == 0 &&
		     now < entry->claims.expires + rules->leeway &&
		     copy_claims(&entry->claims, rules->claim_count, arena, ret);
	(void)pthread_mutex_unlock(&cache->lock);
	return found;
}

static struct slice keep(char **to, struct slice text)
{
	char *at = *to;
	if (text.len > 0)
		memcpy(at, text.ptr, text.len);
	*to += text.len;
	return slice_of(at, text.len);
}

void jwt_cache_add(struct jwt_cache *cache, struct jwt_keys *keys, const struct jwt_rules *rules,
	struct slice token, const struct jwt_claims *claims)
{
	size_t len = claims->subject.len;
	for (size_t i = 0; i < rules->claim_count; i++)
		len += claims->values[i].len;
	struct entry *entry = calloc(1, sizeof(*entry) + len);
	if (!entry)
		return;
	char *to = (char *)(entry + 1);
	sha256_of(token, entry->digest);
	entry->keys = jwt_keys_share(keys);
	entry->rules = rules->number;
	entry->claims.expires = claims->expires;
	entry->claims.subject = keep(&to, claims->subject);
	for (size_t i = 0; i < rules->claim_count; i++)
		entry->claims.values[i] = keep(&to, claims->values[i]);
	(void)pthread_mutex_lock(&cache->lock);
	struct entry **place = place_of(cache, entry->digest);
	struct entry *before = *place;
	*place = entry;
	(void)pthread_mutex_unlock(&cache->lock);
	entry_free(before);
}
