/* SPDX-License-Identifier: Apache-2.0 */
#include "store/shared/buckets.h"

#include <assert.h>
#include <pthread.h>
#include <stdatomic.h>

#include "base/limits.h"

struct buckets {
	pthread_mutex_t lock; /* protects all below; a leaf, never held while calling out */
	const struct store_bucket *table[LIMIT_BUCKETS]; /* by name, ascending */
	struct store_bucket_stats counts[LIMIT_BUCKETS];
	size_t count;
};

struct snapshot {
	struct store_bucket bucket;
	atomic_uint refs;
	char bytes[]; /* what the slices of `bucket` point to */
};

struct buckets *buckets_new(void)
{
	struct buckets *buckets = calloc(1, sizeof(*buckets));
	if (buckets)
		(void)pthread_mutex_init(&buckets->lock, NULL);
	return buckets;
}

void buckets_free(struct buckets *buckets)
{
	if (!buckets)
		return;
	for (size_t i = 0; i < buckets->count; i++)
		bucket_unref(buckets->table[i]);
	(void)pthread_mutex_destroy(&buckets->lock);
	free(buckets);
}

/* Copies `*s` to *to, which moves on, and lets it point there. */
static void keep(struct slice *s, char **to)
{
	if (s->len)
		memcpy(*to, s->ptr, s->len);
	s->ptr = *to;
	*to += s->len;
}

struct store_bucket *bucket_copy(const struct store_bucket *from)
{
	size_t bytes = from->name.len;
	for (size_t i = 0; i < STORE_SETTING_COUNT; i++)
		bytes += from->settings[i].len;
	struct snapshot *copy = malloc(sizeof(*copy) + bytes);
	if (!copy)
		return NULL;
	copy->bucket = *from;
	atomic_init(&copy->refs, 1);
	char *to = copy->bytes;
	keep(&copy->bucket.name, &to);
	for (size_t i = 0; i < STORE_SETTING_COUNT; i++)
		keep(&copy->bucket.settings[i], &to);
	return &copy->bucket;
}

/* The counter of a snapshot changes though the bucket does not. */
static struct snapshot *snapshot_of(const struct store_bucket *bucket)
{
	union {
		const struct store_bucket *from;
		struct snapshot *to;
	} cast = {.from = bucket};
	static_assert(offsetof(struct snapshot, bucket) == 0, "the bucket comes first");
	return cast.to;
}

void bucket_unref(const struct store_bucket *bucket)
{
	struct snapshot *snapshot = snapshot_of(bucket);
	if (snapshot && atomic_fetch_sub(&snapshot->refs, 1) == 1)
		free(snapshot);
}

/* The index of the first bucket whose name is not smaller; *ret_equal if it is this one. */
static size_t position(const struct buckets *buckets, struct slice name, bool *ret_equal)
{
	size_t low = 0;
	size_t high = buckets->count;
	while (low < high) {
		size_t middle = (low + high) / 2;
		if (slice_cmp(buckets->table[middle]->name, name) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	*ret_equal = low < buckets->count && slice_eq(buckets->table[low]->name, name);
	return low;
}

const struct store_bucket *buckets_get(struct buckets *buckets, struct slice name)
{
	bool equal;
	const struct store_bucket *found = NULL;
	(void)pthread_mutex_lock(&buckets->lock);
	size_t at = position(buckets, name, &equal);
	if (equal) {
		found = buckets->table[at];
		(void)atomic_fetch_add(&snapshot_of(found)->refs, 1);
	}
	(void)pthread_mutex_unlock(&buckets->lock);
	return found;
}

/* Where the incarnation is; buckets->count if it does not exist. Under the lock. */
static size_t find_id(const struct buckets *buckets, uint64_t id)
{
	size_t i = 0;
	while (i < buckets->count && buckets->table[i]->id != id)
		i++;
	return i;
}

bool buckets_find(struct buckets *buckets, uint64_t id, enum store_versioning *ret)
{
	(void)pthread_mutex_lock(&buckets->lock);
	size_t at = find_id(buckets, id);
	bool found = at < buckets->count;
	if (found)
		*ret = buckets->table[at]->versioning;
	(void)pthread_mutex_unlock(&buckets->lock);
	return found;
}

bool buckets_counts(struct buckets *buckets, uint64_t id, struct store_bucket_stats *ret)
{
	memset(ret, 0, sizeof(*ret));
	(void)pthread_mutex_lock(&buckets->lock);
	size_t at = find_id(buckets, id);
	bool found = at < buckets->count;
	if (found)
		*ret = buckets->counts[at];
	(void)pthread_mutex_unlock(&buckets->lock);
	return found;
}

void buckets_set_counts(
	struct buckets *buckets, uint64_t id, const struct store_bucket_stats *counts)
{
	(void)pthread_mutex_lock(&buckets->lock);
	size_t at = find_id(buckets, id);
	if (at < buckets->count)
		buckets->counts[at] = *counts;
	(void)pthread_mutex_unlock(&buckets->lock);
}

size_t buckets_count(struct buckets *buckets)
{
	(void)pthread_mutex_lock(&buckets->lock);
	size_t count = buckets->count;
	(void)pthread_mutex_unlock(&buckets->lock);
	return count;
}

void buckets_each(struct buckets *buckets,
	void (*row)(const struct store_bucket *bucket, void *ctx), void *ctx)
{
	const struct store_bucket *rows[LIMIT_BUCKETS];
	(void)pthread_mutex_lock(&buckets->lock);
	size_t count = buckets->count;
	for (size_t i = 0; i < count; i++) {
		rows[i] = buckets->table[i];
		(void)atomic_fetch_add(&snapshot_of(rows[i])->refs, 1);
	}
	(void)pthread_mutex_unlock(&buckets->lock);
	for (size_t i = 0; i < count; i++) {
		row(rows[i], ctx);
		bucket_unref(rows[i]);
	}
}

void buckets_put(struct buckets *buckets, const struct store_bucket *bucket)
{
	bool equal;
	const struct store_bucket *old = NULL;
	(void)pthread_mutex_lock(&buckets->lock);
	size_t at = position(buckets, bucket->name, &equal);
	if (equal) {
		old = buckets->table[at];
	} else {
		assert(buckets->count < LIMIT_BUCKETS);
		memmove(buckets->table + at + 1, buckets->table + at,
			(buckets->count - at) * sizeof(buckets->table[0]));
		memmove(buckets->counts + at + 1, buckets->counts + at,
			(buckets->count - at) * sizeof(buckets->counts[0]));
		buckets->count++;
	}
	if (!old || old->id != bucket->id)
		buckets->counts[at] = (struct store_bucket_stats){.objects = 0};
	buckets->table[at] = bucket;
	(void)pthread_mutex_unlock(&buckets->lock);
	bucket_unref(old);
}

void buckets_remove(struct buckets *buckets, struct slice name)
{
	bool equal;
	const struct store_bucket *old = NULL;
	(void)pthread_mutex_lock(&buckets->lock);
	size_t at = position(buckets, name, &equal);
	if (equal) {
		old = buckets->table[at];
		buckets->count--;
		memmove(buckets->table + at, buckets->table + at + 1,
			(buckets->count - at) * sizeof(buckets->table[0]));
		memmove(buckets->counts + at, buckets->counts + at + 1,
			(buckets->count - at) * sizeof(buckets->counts[0]));
	}
	(void)pthread_mutex_unlock(&buckets->lock);
	bucket_unref(old);
}
