/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How fast the sums are that blocks of stored bytes could be checked by: bytes of one block after
 * the other, which lie in the cache as after a read. XXH3 is measured if its library is installed.
 *
 *	make build/release/bench/sum_bench && build/release/bench/sum_bench
 */
#include <dlfcn.h>
#include <isa-l/crc.h>
#include <isa-l/crc64.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
	LARGEST = 1 << 20,
	WINDOW = 512 << 10, /* the blocks lie in so much memory */
};

static const double seconds = 0.5;

static uint64_t (*xxh3)(const void *bytes, size_t len);

static uint64_t crc64_of(unsigned char *bytes, size_t len)
{
	return crc64_ecma_refl(0, bytes, len);
}

static uint64_t crc32c_of(unsigned char *bytes, size_t len)
{
	return crc32_iscsi(bytes, (int)len, 0);
}

static uint64_t xxh3_of(unsigned char *bytes, size_t len)
{
	return xxh3(bytes, len);
}

static double now(void)
{
	struct timespec t;
	(void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void measure(const char *name, uint64_t (*sum)(unsigned char *bytes, size_t len),
	unsigned char *bytes, size_t block)
{
	size_t window = block > WINDOW ? block : WINDOW;
	volatile uint64_t sink = 0;
	uint64_t done = 0;
	double began = now();
	double took;
	do {
		for (size_t at = 0; at < window; at += block)
			sink = sink + sum(bytes + at, block);
		done += window;
		took = now() - began;
	} while (took < seconds);
	printf("%-8s %8zu bytes %7.1f GB/s %8.2f us\n", name, block, (double)done / took / 1e9,
		took * 1e6 * (double)block / (double)done);
}

int main(void)
{
	static const size_t blocks[] = {4 << 10, 16 << 10, 64 << 10, 128 << 10, 256 << 10, 1 << 20};
	unsigned char *bytes = malloc(LARGEST);
	void *library = dlopen("libxxhash.so.0", RTLD_NOW);
	void *symbol = library ? dlsym(library, "XXH3_64bits") : NULL;
	if (!bytes)
		return 1;
	memcpy(&xxh3, &symbol, sizeof(xxh3));
	for (size_t i = 0; i < LARGEST; i++)
		bytes[i] = (unsigned char)(i * 2654435761u >> 13);
	for (size_t i = 0; i < sizeof(blocks) / sizeof(blocks[0]); i++) {
		measure("CRC-64", crc64_of, bytes, blocks[i]);
		measure("CRC-32C", crc32c_of, bytes, blocks[i]);
		if (xxh3)
			measure("XXH3", xxh3_of, bytes, blocks[i]);
	}
	free(bytes);
	return 0;
}
