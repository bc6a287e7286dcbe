/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads all bytes of a large file, and compares them with the checksums that there are: those of
 * its blocks, and that of the whole.
 */
#ifndef STORE_LOCAL_LARGE_VERIFY_H
#define STORE_LOCAL_LARGE_VERIFY_H

#include <stdbool.h>

#include "store/local/large/sums.h"
#include "store/local/wal/record.h"

#define VERIFY_BLOCK_BYTES ((size_t)1 << 20)

struct verify {
	int fd;
	const struct object_meta *meta; /* OBJECT_FILE */
	char *block;                    /* VERIFY_BLOCK_BYTES, the caller's */
	struct sums *gather;            /* or NULL: gets the sums of its blocks */
	/* Told of each place that is not as it should be; of a run of blocks the first. */
	void (*bad)(uint64_t offset, const char *what, void *ctx);
	/* Told of bytes that were read; false to break off. */
	bool (*read)(uint64_t offset, uint64_t bytes, void *ctx);
	void *ctx;
};

enum verify_result {
	VERIFY_GOOD,
	VERIFY_SUMS_DAMAGED, /* the bytes are what was stored, the sums of their blocks are not */
	VERIFY_DAMAGED,
	VERIFY_UNREADABLE, /* but not for damage, and that was told as if it were */
	VERIFY_BROKEN_OFF,
	VERIFY_NO_MEMORY,
};

enum verify_result verify_file(const struct verify *verify) MUST_USE;

#endif
