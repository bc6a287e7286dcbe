/* SPDX-License-Identifier: Apache-2.0 */
#include "store/shared/buckets.h"

#include <assert.h>
#include <pthread.h>
#include <stdatomic.h>

#include "base/limits.h"

struct row {
	const struct store_bucket *bucket;
	struct store_bucket_stats counts;
};

struct buckets {
	pthread_mutex_t lock; /* protects all below; a leaf, never held while calling out */
	struct row *rows;     /* by name, ascending */
	size_t count;
	size_t size; /* of `rows`: LIMIT_BUCKETS or more */
};

struct snapshot {
	struct store_bucket bucket;
	atomic_uint refs;
	char bytes[]; /* what the slices of `bucket` point to */
};

struct buckets *buckets_new(void)
{
	struct buckets *buckets = calloc(1, sizeof(*buckets));
	if (!buckets)
		return NULL;
	(void)pthread_mutex_init(&buckets->lock, NULL);
	buckets->size = LIMIT_BUCKETS;
	buckets->rows = calloc(buckets->size, sizeof(*buckets->rows));
	if (!buckets->rows) {
		buckets_free(buckets);
		return NULL;
	}
	return buckets;
}

void buckets_free(struct buckets *buckets)
{
	if (!buckets)
		return;
	for (size_t i = 0; i < buckets->count; i++)
		bucket_unref(buckets->rows[i].bucket);
	(void)pthread_mutex_destroy(&buckets->lock);
	free(buckets->rows);
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
		if (slice_cmp(buckets->rows[middle].bucket->name, name) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	*ret_equal = low < buckets->count && slice_eq(buckets->rows[low].bucket->name, name);
	return low;
}

const struct store_bucket *buckets_get(struct buckets *buckets, struct slice name)
{
	bool equal;
	const struct store_bucket *found = NULL;
	(void)pthread_mutex_lock(&buckets->lock);
	size_t at = position(buckets, name, &equal);
	if (equal) {
		found = buckets->rows[at].bucket;
		(void)atomic_fetch_add(&snapshot_of(found)->refs, 1);
	}
	(void)pthread_mutex_unlock(&buckets->lock);
	return found;
}

/* Where the incarnation is; buckets->count if it does not exist. Under the lock. */
static size_t find_id(const struct buckets *buckets, uint64_t id)
{
	size_t i = 0;
	while (i < buckets->count && buckets->rows[i].bucket->id != id)
		i++;
	return i;
}

bool buckets_find(struct buckets *buckets, uint64_t id, enum store_versioning *ret)
{
	(void)pthread_mutex_lock(&buckets->lock);
	size_t at = find_id(buckets, id);
	bool found = at < buckets->count;
	if (found)
		*ret = buckets->rows[at].bucket->versioning;
	(void)pthread_mutex_unlock(&buckets->lock);
	return found;
}

struct slice buckets_name(struct buckets *buckets, uint64_t id)
{
	(void)pthread_mutex_lock(&buckets->lock);
	size_t at = find_id(buckets, id);
	struct slice name = at < buckets->count ? buckets->rows[at].bucket->name : S("");
	(void)pthread_mutex_unlock(&buckets->lock);
	return name;
}

bool buckets_counts(struct buckets *buckets, uint64_t id, struct store_bucket_stats *ret)
{
	memset(ret, 0, sizeof(*ret));
	(void)pthread_mutex_lock(&buckets->lock);
	size_t at = find_id(buckets, id);
	bool found = at < buckets->count;
	if (found)
		*ret = buckets->rows[at].counts;
	(void)pthread_mutex_unlock(&buckets->lock);
	return found;
}

void buckets_set_counts(
	struct buckets *buckets, uint64_t id, const struct store_bucket_stats *counts)
{
	(void)pthread_mutex_lock(&buckets->lock);
	size_t at = find_id(buckets, id);
	if (at < buckets->count)
		buckets->rows[at].counts = *counts;
	(void)pthread_mutex_unlock(&buckets->lock);
}

size_t buckets_count(struct buckets *buckets)
{
	(void)pthread_mutex_lock(&buckets->lock);
	size_t count = buckets->count;
	(void)pthread_mutex_unlock(&buckets->lock);
	return count;
}

/* The first bucket behind `before`, or of all; with a reference. */
static const struct store_bucket *next_after(
	struct buckets *buckets, const struct store_bucket *before)
{
	bool equal = false;
	const struct store_bucket *found = NULL;
	(void)pthread_mutex_lock(&buckets->lock);
	size_t at = before ? position(buckets, before->name, &equal) : 0;
	at += equal;
	if (at < buckets->count) {
		found = buckets->rows[at].bucket;
		(void)atomic_fetch_add(&snapshot_of(found)->refs, 1);
	}
	(void)pthread_mutex_unlock(&buckets->lock);
	return found;
}

void buckets_each(struct buckets *buckets,
	void (*row)(const struct store_bucket *bucket, void *ctx), void *ctx)
{
	const struct store_bucket *bucket = next_after(buckets, NULL);
	while (bucket) {
		row(bucket, ctx);
		const struct store_bucket *next = next_after(buckets, bucket);
		bucket_unref(bucket);
		bucket = next;
	}
}

bool buckets_make_room(struct buckets *buckets)
{
	bool ok = true;
	(void)pthread_mutex_lock(&buckets->lock);
	if (buckets->count == buckets->size) {
		struct row *rows = reallocarray(buckets->rows, buckets->size * 2, sizeof(*rows));
		ok = rows != NULL;
		if (ok) {
			buckets->rows = rows;
			buckets->size *= 2;
		}
	}
	(void)pthread_mutex_unlock(&buckets->lock);
	return ok;
}

void buckets_put(struct buckets *buckets, const struct store_bucket *bucket)
{
	bool equal;
	const struct store_bucket *old = NULL;
	(void)pthread_mutex_lock(&buckets->lock);
	size_t at = position(buckets, bucket->name, &equal);
	struct row *row = buckets->rows + at;
	if (equal) {
		old = row->bucket;
	} else {
		assert(buckets->count < buckets->size);
		memmove(row + 1, row, (buckets->count - at) * sizeof(*row));
		buckets->count++;
	}
	if (!old || old->id != bucket->id)
		row->counts = (struct store_bucket_stats){.objects = 0};
	row->bucket = bucket;
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
		struct row *row = buckets->rows + at;
		old = row->bucket;
		buckets->count--;
		memmove(row, row + 1, (buckets->count - at) * sizeof(*row));
	}
	(void)pthread_mutex_unlock(&buckets->lock);
	bucket_unref(old);
}
