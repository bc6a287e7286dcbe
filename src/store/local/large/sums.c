/* SPDX-License-Identifier: Apache-2.0 */
#include "store/local/large/sums.h"

#include "crypto/crc64.h"
#include "store/local/disk/bytes.h"

/* Where the fields of a page lie. */
enum {
	AT_MAGIC = 0,
	AT_FILE = 8,
	AT_PAGE = 16,
	AT_COUNT = 24,
	AT_BLOCK = 28,
	AT_SUMS = 32,
	AT_CRC = 4088,
};

static const char magic[8] = {'P', 's', 'S', 'u', 'm', 's', '1', '\n'};

bool sums_add(struct sums *sums, struct slice bytes)
{
	while (bytes.len) {
		struct slice block = slice_head(bytes, BLOCK_CHECK_BYTES);
		if (sums->count == sums->size) {
			size_t size = sums->size ? sums->size * 2 : 64;
			uint64_t *each = realloc(sums->each, size * sizeof(*each));
			if (!each)
				return false;
			sums->each = each;
			sums->size = size;
		}
		sums->each[sums->count++] = crc64_update(0, block);
		bytes = slice_from(bytes, block.len);
	}
	return true;
}

void sums_release(struct sums *sums)
{
	free(sums->each);
	*sums = (struct sums){.each = NULL};
}

uint64_t sums_offset(uint64_t size)
{
	return (size + SUMS_PAGE_BYTES - 1) / SUMS_PAGE_BYTES * SUMS_PAGE_BYTES;
}

static uint64_t blocks_of(uint64_t size)
{
	return (size + BLOCK_CHECK_BYTES - 1) / BLOCK_CHECK_BYTES;
}

uint64_t sums_pages(uint64_t size)
{
	return (blocks_of(size) + SUMS_IN_PAGE - 1) / SUMS_IN_PAGE;
}

/* How many sums the page has. */
static uint64_t count_in(uint64_t blocks, uint64_t page)
{
	uint64_t before = page * SUMS_IN_PAGE;
	uint64_t left = blocks > before ? blocks - before : 0;
	return left < SUMS_IN_PAGE ? left : SUMS_IN_PAGE;
}

void sums_page_write(const struct sums *sums, uint64_t file, uint64_t page, unsigned char *to)
{
	uint64_t count = count_in(sums->count, page);
	memset(to, 0, SUMS_PAGE_BYTES);
	memcpy(to + AT_MAGIC, magic, sizeof(magic));
	le64_put(to + AT_FILE, file);
	le64_put(to + AT_PAGE, page);
	le32_put(to + AT_COUNT, (uint32_t)count);
	le32_put(to + AT_BLOCK, BLOCK_CHECK_BYTES);
	for (uint64_t i = 0; i < count; i++)
		le64_put(to + AT_SUMS + i * 8, sums->each[page * SUMS_IN_PAGE + i]);
	le64_put(to + AT_CRC, crc64_update(0, slice_of(to, AT_CRC)));
}

bool sums_page_parse(
	struct slice bytes, uint64_t file, uint64_t size, uint64_t page, struct block_check *ret)
{
	const unsigned char *p = (const unsigned char *)bytes.ptr;
	if (bytes.len != SUMS_PAGE_BYTES || page >= sums_pages(size) ||
		memcmp(p + AT_MAGIC, magic, sizeof(magic)) != 0 || le64_get(p + AT_FILE) != file ||
		le64_get(p + AT_PAGE) != page ||
		le32_get(p + AT_COUNT) != count_in(blocks_of(size), page) ||
		le32_get(p + AT_BLOCK) != BLOCK_CHECK_BYTES ||
		le64_get(p + AT_CRC) != crc64_update(0, slice_of(p, AT_CRC)))
		return false;
	uint64_t begin = page * SUMS_PAGE_COVERS;
	uint64_t left = size - begin;
	*ret = (struct block_check){
		.kind = BLOCK_CHECK_BLOCKS,
		.begin = begin,
		.size = left < SUMS_PAGE_COVERS ? left : SUMS_PAGE_COVERS,
		.sums = p + AT_SUMS,
	};
	return true;
}
