/* SPDX-License-Identifier: Apache-2.0 */
/* Tablets of a bucket that two gateways serve, and the lists that they make. */
#ifndef TESTS_STORE_TABLETS_H
#define TESTS_STORE_TABLETS_H

#include <stdatomic.h>

#include "store/rados/state/state.h"
#include "store/rados/tablet/heads.h"
#include "unit/store/two_gateways.h"

enum {
	NAME_BYTES = 32
};

/* Of keys in an order that is not theirs; every seventh is in a folder. */
static inline struct slice key_of(char *text, unsigned i)
{
	unsigned n = i * 7919 % 10007;
	int len = snprintf(text, NAME_BYTES, n % 7 ? "k%05u" : "folder/%05u", n);
	return slice_of(text, (size_t)len);
}

/*
 * How many tablets the bucket has, from the first to the last; 0 if one does not begin where the
 * one before it ends, or has not the counts of its rows, or is just being split or merged.
 */
static inline unsigned count_now(struct two *two)
{
	struct rados *r = rados_of(two->one);
	char end[LIMIT_KEY_BYTES];
	size_t end_len = 0;
	uint64_t tablet = 0;
	unsigned count = 0;
	bool ok = true;
	do {
		struct seen seen;
		enum err e = tablet_see(r, two->id, tablet, &seen);
		if (e == ERR_NO_SUCH_BUCKET && tablet) {
			seen_release(&seen);
			return 0;
		}
		if (e != ERR_OK)
			abort();
		ok = ok && seen.head.state == HEAD_ACTIVE &&
		     slice_eq(seen.head.low, slice_of(end, end_len)) &&
		     seen.is_empty == (tablet_rows(&seen.counts) == 0);
		count++;
		tablet = seen.head.right;
		end_len = seen.head.high.len;
		if (end_len)
			memcpy(end, seen.head.high.ptr, end_len);
		seen_release(&seen);
	} while (tablet);
	return ok ? count : 0;
}

enum {
	PATIENCE = 6000 /* times 10 ms */
};

/* Of when nobody is splitting or merging one: that comes after what is the reason has been
 * answered. */
static inline unsigned count_tablets(struct two *two)
{
	unsigned count = 0;
	for (unsigned i = 0; count == 0 && i < PATIENCE; i++) {
		count = count_now(two);
		if (count == 0)
			(void)usleep(10000);
	}
	return count;
}

static inline int compare_keys(const void *a, const void *b)
{
	return strcmp(a, b);
}

/* Lists in pages of 7; whether that is exactly the keys, which are sorted. */
static inline bool lists(struct store *s, uint64_t id, struct slice delimiter,
	char (*keys)[NAME_BYTES], size_t count)
{
	char marker[LIMIT_KEY_BYTES];
	struct store_list list = {.bucket_id = id, .max_entries = 7, .delimiter = delimiter};
	size_t at = 0;
	bool ok = true;
	for (bool more = true; ok && more;) {
		if (list_objects(s, &list) != ERR_OK)
			return false;
		for (uint32_t i = 0; ok && i < list.count; i++, at++)
			ok = at < count && slice_eq(list.entries[i].key, slice_str(keys[at]));
		struct slice last = list.count ? list.entries[list.count - 1].key : S("");
		memcpy(marker, last.ptr, last.len);
		more = list.truncated;
		store_list_release(s, &list);
		list.marker = slice_of(marker, last.len);
	}
	return ok && at == count;
}

/* ---- At the same time ------------------------------------------------------------------------ */

enum {
	WRITERS = 4,
	LISTERS = 2,
	STEADY = 60, /* keys that stay */
	ROUNDS = 150,
};

struct worker {
	pthread_t thread;
	struct two *two;
	unsigned number;
	atomic_bool *ends;
	unsigned done;
	unsigned wrong;
};

static inline struct store *store_of(const struct worker *w)
{
	return w->number % 2 ? w->two->one : w->two->other;
}

static inline struct slice steady_key(char *text, unsigned i)
{
	int len = snprintf(text, NAME_BYTES, "s%05u", i * 7919 % 10007);
	return slice_of(text, (size_t)len);
}

/* Appends to one object of its own, and puts others between all. */
static inline void *write_on(void *arg)
{
	struct worker *w = arg;
	struct store *s = store_of(w);
	char text[NAME_BYTES];
	char own[NAME_BYTES];
	int own_len = snprintf(own, sizeof(own), "s%05u-own", w->number * 2500);
	struct slice own_key = slice_of(own, (size_t)own_len);
	for (unsigned i = 0; i < ROUNDS; i++) {
		int len = snprintf(
			text, sizeof(text), "s%05u-%u", (i * 5003 + w->number) % 10007, w->number);
		struct slice key = slice_of(text, (size_t)len);
		w->wrong += put_object(s, w->two->id, key, key, NULL) != ERR_OK;
		w->wrong += append(s, w->two->id, own_key, i, S("."), NULL) != ERR_OK;
		if (i % 3 == 0)
			w->wrong += delete_object(s, w->two->id, key, NULL) != ERR_OK;
		else
			w->done++;
	}
	return NULL;
}

/* Each list has the keys that stay, once each and in order. */
static inline void *list_on(void *arg)
{
	struct worker *w = arg;
	struct store *s = store_of(w);
	while (!atomic_load(w->ends) || w->done == 0) {
		struct store_list list = {.bucket_id = w->two->id, .max_entries = 50};
		char marker[LIMIT_KEY_BYTES];
		char before[LIMIT_KEY_BYTES];
		size_t before_len = 0;
		unsigned steady = 0;
		for (bool more = true; more;) {
			if (list_objects(s, &list) != ERR_OK) {
				w->wrong++;
				return NULL;
			}
			for (uint32_t i = 0; i < list.count; i++) {
				struct slice key = list.entries[i].key;
				w->wrong += slice_cmp(slice_of(before, before_len), key) >= 0;
				memcpy(before, key.ptr, key.len);
				before_len = key.len;
				steady += key.len == 6;
			}
			memcpy(marker, before, before_len);
			more = list.truncated;
			store_list_release(s, &list);
			list.marker = slice_of(marker, before_len);
		}
		w->wrong += steady != STEADY;
		w->done++;
	}
	return NULL;
}

#endif
