/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Pages of the sums of a large object's blocks. The first bytes are what is expected of the page;
 * its checksum is made right, or nothing behind it would ever be reached.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/crc64.h"
#include "store/local/disk/bytes.h"
#include "store/local/large/sums.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	unsigned char expected[24] = {0};
	memcpy(expected, data, size < sizeof(expected) ? size : sizeof(expected));
	uint64_t file = le64_get(expected);
	uint64_t bytes = le64_get(expected + 8);
	uint64_t page = le64_get(expected + 16);
	unsigned char *copy = calloc(1, SUMS_PAGE_BYTES);
	if (!copy)
		abort();
	if (size > sizeof(expected)) {
		size_t len = size - sizeof(expected);
		memcpy(copy, data + sizeof(expected),
			len < SUMS_PAGE_BYTES ? len : SUMS_PAGE_BYTES);
	}
	le64_put(copy + 4088, crc64_update(0, slice_of(copy, 4088)));
	struct block_check check;
	if (sums_page_parse(slice_of(copy, SUMS_PAGE_BYTES), file, bytes, page, &check)) {
		uint64_t bad;
		assert(check.begin < bytes && check.size <= bytes - check.begin);
		assert(check.size <= SUMS_PAGE_COVERS && check.size > 0);
		/* The sum of the last block lies in the page. */
		uint64_t last = (check.size - 1) / BLOCK_CHECK_BYTES * BLOCK_CHECK_BYTES;
		bool fits = block_check_fits(&check, check.begin + last, S("x"), &bad);
		assert(fits || bad == check.begin + last);
	}
	free(copy);
	return 0;
}
