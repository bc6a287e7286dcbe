/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/block_check.h"

#include <assert.h>

#include "crypto/crc64.h"

static uint64_t min_u64(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

size_t block_check_span(const struct block_check *check, uint64_t offset, uint64_t end, size_t max,
	uint64_t *ret_begin)
{
	uint64_t run_end = check->begin + check->size;
	assert(offset >= check->begin && offset < run_end && end <= run_end);
	if (check->kind == BLOCK_CHECK_WHOLE) {
		*ret_begin = check->begin;
		return (size_t)check->size;
	}
	uint64_t at = offset - check->begin;
	uint64_t begin = check->begin + at / BLOCK_CHECK_BYTES * BLOCK_CHECK_BYTES;
	uint64_t blocks = (end - begin + BLOCK_CHECK_BYTES - 1) / BLOCK_CHECK_BYTES;
	blocks = min_u64(blocks, max / BLOCK_CHECK_BYTES);
	*ret_begin = begin;
	return (size_t)min_u64(blocks * BLOCK_CHECK_BYTES, run_end - begin);
}

static uint64_t sum_at(const unsigned char *sum)
{
	uint64_t value = 0;
	for (int i = 7; i >= 0; i--)
		value = value << 8 | sum[i];
	return value;
}

bool block_check_fits(
	const struct block_check *check, uint64_t begin, struct slice bytes, uint64_t *ret_bad)
{
	*ret_bad = begin;
	if (check->kind == BLOCK_CHECK_WHOLE)
		return crc64_update(0, bytes) == check->crc64;
	const unsigned char *sum = check->sums + (begin - check->begin) / BLOCK_CHECK_BYTES * 8;
	for (; bytes.len; sum += 8) {
		struct slice block = slice_head(bytes, BLOCK_CHECK_BYTES);
		if (crc64_update(0, block) != sum_at(sum))
			return false;
		*ret_bad += block.len;
		bytes = slice_from(bytes, block.len);
	}
	return true;
}
