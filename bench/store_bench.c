/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How many durable objects a second the embedded back end takes:
 *
 *	store_bench FOLDER [OBJECTS [BYTES [WRITERS]]]
 *
 * The folder must not exist. Prints objects/s, MB/s, and syncs.
 */
#include <stdatomic.h>
#include <stdio.h>

#include "base/clock.h"
#include "base/limits.h"
#include "store/local/local.h"
#include "unit/store/blocking.h"

struct bench {
	struct store *store;
	uint64_t bucket;
	uint64_t objects;
	size_t size;
	char *bytes;
	_Atomic uint64_t next;
	_Atomic uint64_t failed;
};

static void *write_objects(void *arg)
{
	struct bench *b = arg;
	uint64_t i;
	while ((i = atomic_fetch_add(&b->next, 1)) < b->objects) {
		char key[32];
		int len = snprintf(key, sizeof(key), "k/%016llx",
			(unsigned long long)(i * 0x9e3779b97f4a7c15u));
		struct put_how how = {.hint = true, .piece = MIB(1)};
		if (put_object(b->store, b->bucket, slice_of(key, (size_t)len),
			    slice_of(b->bytes, b->size), &how) != ERR_OK)
			(void)atomic_fetch_add(&b->failed, 1);
	}
	return NULL;
}

static uint64_t number(int argc, char **argv, int at, uint64_t otherwise)
{
	uint64_t value;
	return at < argc && slice_to_u64(slice_str(argv[at]), &value) ? value : otherwise;
}

int main(int argc, char **argv)
{
	if (argc < 2) {
		fprintf(stderr, "usage: store_bench FOLDER [OBJECTS [BYTES [WRITERS]]]\n");
		return 2;
	}
	struct bench b = {.objects = number(argc, argv, 2, 200000),
		.size = (size_t)number(argc, argv, 3, 4096)};
	unsigned writers = (unsigned)number(argc, argv, 4, 32);
	struct local_options options = {.path = argv[1], .clock = &clock_system};
	b.bytes = malloc(b.size);
	pthread_t *threads = calloc(writers, sizeof(*threads));
	if (!b.bytes || !threads || local_store_open(&options, &b.store) != ERR_OK ||
		bucket_create(b.store, S("bench"), STORE_ACL_PRIVATE) != ERR_OK)
		return 1;
	memset(b.bytes, 'x', b.size);
	b.bucket = bucket_id(b.store, S("bench"));
	struct store_stats before;
	struct store_stats after;
	store_stats(b.store, &before);
	int64_t start = clock_monotonic_ms();
	for (unsigned i = 0; i < writers; i++)
		if (pthread_create(&threads[i], NULL, write_objects, &b) != 0)
			return 1;
	for (unsigned i = 0; i < writers; i++)
		(void)pthread_join(threads[i], NULL);
	double seconds = (double)(clock_monotonic_ms() - start) / 1000;
	store_stats(b.store, &after);
	uint64_t syncs = after.syncs - before.syncs;
	printf("%llu objects of %zu bytes by %u writers: %.2f s, %.0f objects/s, %.0f MB/s, "
	       "%llu syncs (%.1f objects each), %llu failed\n",
		(unsigned long long)b.objects, b.size, writers, seconds,
		(double)b.objects / seconds, (double)b.objects * (double)b.size / seconds / 1e6,
		(unsigned long long)syncs, syncs ? (double)b.objects / (double)syncs : 0.0,
		(unsigned long long)b.failed);
	store_close(b.store);
	free(threads);
	free(b.bytes);
	return b.failed != 0;
}
