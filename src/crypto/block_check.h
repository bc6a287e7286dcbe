/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How bytes of a file are known to be those that were stored. A run of them has either one CRC-64,
 * or one for each block of BLOCK_CHECK_BYTES; what is checked together has to be read together.
 *
 * Values and pure functions; offsets are the file's.
 */
#ifndef CRYPTO_BLOCK_CHECK_H
#define CRYPTO_BLOCK_CHECK_H

#include <stdbool.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/slice.h"

enum {
	BLOCK_CHECK_BYTES = 64 << 10,
	BLOCK_CHECK_WHOLE_MAX = 1 << 20, /* of a run that is one block */
};

enum block_check_kind {
	BLOCK_CHECK_NONE,   /* nothing is known */
	BLOCK_CHECK_WHOLE,  /* the run is one block */
	BLOCK_CHECK_BLOCKS, /* `sums` has one for each block; the last may be shorter */
	BLOCK_CHECK_LATE,   /* one CRC-64 for a run of any size: whoever has read all of it can tell
			     */
};

struct block_check {
	enum block_check_kind kind;
	uint64_t begin; /* where the run begins */
	uint64_t size;
	uint64_t crc64;            /* WHOLE, LATE */
	const unsigned char *sums; /* BLOCKS: 8 bytes each, little-endian */
};

/*
 * For WHOLE and BLOCKS: the span that has to be read to check the byte at `offset`, with as many
 * blocks behind it as fit into `max` bytes and begin before `end`. `max` is at least
 * BLOCK_CHECK_WHOLE_MAX, or for BLOCKS a block. *ret_begin is where the span begins; returns its
 * length.
 */
size_t block_check_span(const struct block_check *check, uint64_t offset, uint64_t end, size_t max,
	uint64_t *ret_begin) MUST_USE;

/*
 * Whether the bytes of a span are what was stored. If not *ret_bad is where the first block that is
 * damaged begins.
 */
bool block_check_fits(const struct block_check *check, uint64_t begin, struct slice bytes,
	uint64_t *ret_bad) MUST_USE;

#endif
