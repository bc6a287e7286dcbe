/* SPDX-License-Identifier: Apache-2.0 */
#include "store/rados/state/directory.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "store/rules/rules.h"

struct known {
	uint64_t bucket;
	uint64_t tablet;
	char *low; /* on the heap; NULL: the tablet is the leftmost */
	size_t low_len;
	bool is_counted;
	struct store_bucket_stats counts;
};

struct directory {
	pthread_mutex_t lock; /* a leaf */
	struct known *list;   /* by bucket, and by where they begin */
	size_t count;
	size_t size;
};

struct directory *directory_new(void)
{
	struct directory *d = calloc(1, sizeof(*d));
	if (d)
		(void)pthread_mutex_init(&d->lock, NULL);
	return d;
}

void directory_free(struct directory *d)
{
	if (!d)
		return;
	for (size_t i = 0; i < d->count; i++)
		free(d->list[i].low);
	free(d->list);
	(void)pthread_mutex_destroy(&d->lock);
	free(d);
}

static int compare(const struct known *known, uint64_t bucket, struct slice low)
{
	if (known->bucket != bucket)
		return known->bucket < bucket ? -1 : 1;
	return slice_cmp(slice_of(known->low, known->low_len), low);
}

/* How many are not behind that place. */
static size_t count_up_to(const struct directory *d, uint64_t bucket, struct slice low)
{
	size_t first = 0;
	size_t last = d->count;
	while (first < last) {
		size_t middle = (first + last) / 2;
		if (compare(&d->list[middle], bucket, low) <= 0)
			first = middle + 1;
		else
			last = middle;
	}
	return first;
}

uint64_t directory_find(struct directory *d, uint64_t bucket, struct slice key)
{
	(void)pthread_mutex_lock(&d->lock);
	size_t count = count_up_to(d, bucket, key);
	const struct known *known = count ? &d->list[count - 1] : NULL;
	uint64_t tablet = known && known->bucket == bucket ? known->tablet : 0;
	(void)pthread_mutex_unlock(&d->lock);
	return tablet;
}

uint64_t directory_before(struct directory *d, uint64_t bucket, struct slice low)
{
	(void)pthread_mutex_lock(&d->lock);
	size_t count = count_up_to(d, bucket, low);
	if (count && compare(&d->list[count - 1], bucket, low) == 0)
		count--;
	const struct known *known = count ? &d->list[count - 1] : NULL;
	uint64_t tablet = known && known->bucket == bucket ? known->tablet : 0;
	(void)pthread_mutex_unlock(&d->lock);
	return tablet;
}

static bool make_room(struct directory *d)
{
	if (d->count < d->size)
		return true;
	size_t size = d->size ? 2 * d->size : 64;
	struct known *list = reallocarray(d->list, size, sizeof(*list));
	if (!list)
		return false;
	d->list = list;
	d->size = size;
	return true;
}

static void add(struct directory *d, struct known known, struct slice low)
{
	size_t at = count_up_to(d, known.bucket, low);
	if (at && compare(&d->list[at - 1], known.bucket, low) == 0)
		return;
	known.low = malloc(low.len + 1);
	if (!known.low || !make_room(d)) {
		free(known.low);
		return;
	}
	if (low.len)
		memcpy(known.low, low.ptr, low.len);
	known.low_len = low.len;
	memmove(&d->list[at + 1], &d->list[at], (d->count - at) * sizeof(known));
	d->list[at] = known;
	d->count++;
}

void directory_add(struct directory *d, uint64_t bucket, uint64_t tablet, struct slice low)
{
	(void)pthread_mutex_lock(&d->lock);
	add(d, (struct known){.bucket = bucket, .tablet = tablet}, low);
	(void)pthread_mutex_unlock(&d->lock);
}

/* The first tablet of the bucket, if it is known. */
static size_t first_of(const struct directory *d, uint64_t bucket)
{
	size_t at = count_up_to(d, bucket, S(""));
	return at && d->list[at - 1].bucket == bucket ? at - 1 : at;
}

void directory_count(struct directory *d, uint64_t bucket, uint64_t tablet,
	const struct store_bucket_stats *counts, struct store_bucket_stats *ret)
{
	*ret = (struct store_bucket_stats){.objects = 0};
	(void)pthread_mutex_lock(&d->lock);
	for (size_t i = first_of(d, bucket); i < d->count && d->list[i].bucket == bucket; i++) {
		struct known *known = &d->list[i];
		if (known->tablet == tablet) {
			known->is_counted = true;
			known->counts = *counts;
		}
		rules_add_counts(ret, &known->counts);
	}
	(void)pthread_mutex_unlock(&d->lock);
}

bool directory_has_counted(struct directory *d, uint64_t bucket, uint64_t tablet)
{
	bool found = false;
	(void)pthread_mutex_lock(&d->lock);
	for (size_t i = first_of(d, bucket); i < d->count && d->list[i].bucket == bucket; i++)
		found = found || (d->list[i].tablet == tablet && d->list[i].is_counted);
	(void)pthread_mutex_unlock(&d->lock);
	return found;
}

/* Those from `first` up to, but without, `last`. */
static void forget(struct directory *d, size_t first, size_t last)
{
	for (size_t i = first; i < last; i++)
		free(d->list[i].low);
	if (last > first)
		memmove(&d->list[first], &d->list[last], (d->count - last) * sizeof(*d->list));
	d->count -= last - first;
}

void directory_forget_tablet(struct directory *d, uint64_t bucket, uint64_t tablet)
{
	if (tablet == 0)
		return;
	(void)pthread_mutex_lock(&d->lock);
	for (size_t i = first_of(d, bucket); i < d->count && d->list[i].bucket == bucket; i++)
		if (d->list[i].tablet == tablet) {
			forget(d, i, i + 1);
			break;
		}
	(void)pthread_mutex_unlock(&d->lock);
}

void directory_forget_within(
	struct directory *d, uint64_t bucket, struct slice low, struct slice high)
{
	(void)pthread_mutex_lock(&d->lock);
	size_t first = count_up_to(d, bucket, low);
	size_t last = first;
	while (last < d->count && d->list[last].bucket == bucket &&
		(!high.len || compare(&d->list[last], bucket, high) < 0))
		last++;
	forget(d, first, last);
	(void)pthread_mutex_unlock(&d->lock);
}

size_t directory_tablets(struct directory *d)
{
	(void)pthread_mutex_lock(&d->lock);
	size_t count = d->count;
	(void)pthread_mutex_unlock(&d->lock);
	return count;
}

void directory_forget(struct directory *d, uint64_t bucket)
{
	(void)pthread_mutex_lock(&d->lock);
	size_t first = first_of(d, bucket);
	size_t last = first;
	while (last < d->count && d->list[last].bucket == bucket)
		last++;
	forget(d, first, last);
	(void)pthread_mutex_unlock(&d->lock);
}
