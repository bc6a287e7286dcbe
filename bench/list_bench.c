/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a listing costs in a bucket of many objects:
 *
 *	list_bench FOLDER OBJECTS
 *
 * Puts OBJECTS empty objects in 1,000 folders, unless the store is there from an earlier run with
 *as many, then lists 1,000 keys from random places, and the folders by delimiter, and prints the
 * median of each.
 */
#include <stdatomic.h>
#include <stdio.h>
#include <time.h>

#include "base/clock.h"
#include "base/limits.h"
#include "scramble.h"
#include "store/local/local.h"
#include "unit/store/blocking.h"

enum {
	WRITERS = 64,
	FOLDERS = 1000,
	LISTS = 1001,
	KEY_BYTES = 64,
};

struct bench {
	struct store *store;
	uint64_t bucket;
	uint64_t objects;
	_Atomic uint64_t next;
	_Atomic uint64_t failed;
};

static struct slice key_of(uint64_t i, char *room)
{
	int len = snprintf(room, KEY_BYTES, "folder-%03llu/photo-%016llx.jpg",
		(unsigned long long)(i % FOLDERS), (unsigned long long)scramble(i));
	return slice_of(room, (size_t)len);
}

static void *write_objects(void *arg)
{
	struct bench *b = arg;
	struct put_how how = {.headers = S("Content-Type: image/jpeg\r\n")};
	char room[KEY_BYTES];
	uint64_t i;
	while ((i = atomic_fetch_add(&b->next, 1)) < b->objects)
		if (put_object(b->store, b->bucket, key_of(i, room), S(""), &how) != ERR_OK)
			(void)atomic_fetch_add(&b->failed, 1);
	return NULL;
}

static double now_us(void)
{
	struct timespec t;
	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a;
	double y = *(const double *)b;
	return (x > y) - (x < y);
}

/* The median of LISTS listings, in microseconds; negative if one has not `expect` entries. */
static double measure(struct bench *b, struct slice delimiter, uint32_t expect)
{
	static double took[LISTS];
	char room[KEY_BYTES];
	for (uint64_t i = 0; i < LISTS; i++) {
		struct store_list list = {
			.bucket_id = b->bucket, .delimiter = delimiter, .max_entries = expect};
		/* Far enough from the end for a full page. */
		if (!delimiter.len)
			list.marker =
				slice_head(key_of(scramble(i) % b->objects / FOLDERS * FOLDERS +
							   scramble(i + 7) % (FOLDERS / 2),
						   room),
					24);
		double began = now_us();
		if (list_objects(b->store, &list) != ERR_OK)
			return -1;
		took[i] = now_us() - began;
		bool full = list.count == expect;
		store_list_release(b->store, &list);
		if (!full)
			return -1;
	}
	qsort(took, LISTS, sizeof(took[0]), compare);
	return took[LISTS / 2];
}

static bool fill(struct bench *b)
{
	pthread_t threads[WRITERS];
	for (unsigned i = 0; i < WRITERS; i++)
		if (pthread_create(&threads[i], NULL, write_objects, b) != 0)
			return false;
	for (unsigned i = 0; i < WRITERS; i++)
		(void)pthread_join(threads[i], NULL);
	return b->failed == 0;
}

int main(int argc, char **argv)
{
	struct bench b = {.objects = 0};
	struct local_options options = {.path = argv[1], .clock = &clock_system};
	if (argc != 3 || !slice_to_u64(slice_str(argv[2]), &b.objects) || b.objects < 10000) {
		fprintf(stderr, "usage: list_bench FOLDER OBJECTS (10000 or more)\n");
		return 2;
	}
	if (local_store_open(&options, &b.store) != ERR_OK)
		return 1;
	b.bucket = bucket_id(b.store, S("bench"));
	bool is_new = b.bucket == 0;
	if (is_new && bucket_create(b.store, S("bench"), STORE_ACL_PRIVATE) != ERR_OK)
		return 1;
	b.bucket = bucket_id(b.store, S("bench"));
	if (is_new && !fill(&b))
		return 1;
	/* As after a start: nothing is only in memory. */
	store_close(b.store);
	if (local_store_open(&options, &b.store) != ERR_OK)
		return 1;
	double keys = measure(&b, S(""), 1000);
	double folders = measure(&b, S("/"), FOLDERS);
	printf("%llu objects: 1,000 keys in %.0f us, 1,000 folders in %.0f us\n",
		(unsigned long long)b.objects, keys, folders);
	store_close(b.store);
	return keys < 0 || folders < 0;
}
