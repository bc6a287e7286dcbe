/* SPDX-License-Identifier: Apache-2.0 */
/* The sums of blocks: their pages, and what is checked by them. */
#include "store/local/large/sums.h"

#include "crypto/crc64.h"
#include "tap.h"

enum {
	FILE_NUMBER = 77
};

static char *content(size_t len)
{
	char *bytes = malloc(len + 1);
	if (!bytes)
		abort();
	for (size_t i = 0; i < len; i++)
		bytes[i] = (char)(i * 2654435761u >> 11);
	return bytes;
}

/* Pages of sums of `size` bytes that were added in pieces; on the heap. */
static unsigned char *pages_of(const char *bytes, size_t size)
{
	struct sums sums = {.each = NULL};
	bool ok = true;
	for (size_t at = 0; at < size; at += 1 << 20) {
		size_t len = size - at < 1 << 20 ? size - at : 1 << 20;
		ok = ok && sums_add(&sums, slice_of(bytes + at, len));
	}
	unsigned char *pages = malloc((size_t)sums_pages(size) * SUMS_PAGE_BYTES + 1);
	if (!ok || !pages)
		abort();
	for (uint64_t i = 0; i < sums_pages(size); i++)
		sums_page_write(&sums, FILE_NUMBER, i, pages + i * SUMS_PAGE_BYTES);
	sums_release(&sums);
	return pages;
}

static bool parse(const unsigned char *pages, uint64_t file, uint64_t size, uint64_t page,
	struct block_check *ret)
{
	return sums_page_parse(
		slice_of(pages + page * SUMS_PAGE_BYTES, SUMS_PAGE_BYTES), file, size, page, ret);
}

static void sizes(void)
{
	static const size_t rows[] = {1, BLOCK_CHECK_BYTES - 1, BLOCK_CHECK_BYTES,
		BLOCK_CHECK_BYTES + 1, (size_t)SUMS_PAGE_COVERS, (size_t)SUMS_PAGE_COVERS + 1,
		2 * (size_t)SUMS_PAGE_COVERS + 70000};
	char *bytes = content(rows[ARRAY_LEN(rows) - 1]);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		size_t size = rows[i];
		unsigned char *pages = pages_of(bytes, size);
		uint64_t covered = 0;
		bool ok = sums_offset(size) % SUMS_PAGE_BYTES == 0 && sums_offset(size) >= size;
		for (uint64_t page = 0; page < sums_pages(size); page++) {
			struct block_check check;
			uint64_t bad;
			ok = ok && parse(pages, FILE_NUMBER, size, page, &check) &&
			     check.kind == BLOCK_CHECK_BLOCKS && check.begin == covered &&
			     block_check_fits(&check, check.begin,
				     slice_of(bytes + check.begin, (size_t)check.size), &bad);
			covered += ok ? check.size : 0;
		}
		OK(ok && covered == size, "%zu bytes are what their sums say", size);
		free(pages);
	}
	free(bytes);
}

static void damaged_bytes(void)
{
	const size_t size = 3 * BLOCK_CHECK_BYTES + 9;
	char *bytes = content(size);
	unsigned char *pages = pages_of(bytes, size);
	struct block_check check;
	uint64_t bad;
	OK(parse(pages, FILE_NUMBER, size, 0, &check), "a page");
	size_t at[] = {0, BLOCK_CHECK_BYTES - 1, BLOCK_CHECK_BYTES, size - 1};
	for (size_t i = 0; i < ARRAY_LEN(at); i++) {
		uint64_t block = at[i] / BLOCK_CHECK_BYTES * BLOCK_CHECK_BYTES;
		bytes[at[i]] ^= 1;
		OK(!block_check_fits(&check, 0, slice_of(bytes, size), &bad) && bad == block,
			"a flipped bit of byte %zu is found in its block", at[i]);
		uint64_t begin;
		size_t len =
			block_check_span(&check, at[i], at[i] + 1, BLOCK_CHECK_WHOLE_MAX, &begin);
		OK(begin == block && len <= BLOCK_CHECK_BYTES &&
				!block_check_fits(
					&check, begin, slice_of(bytes + begin, len), &bad),
			"also when that block alone is read");
		bytes[at[i]] ^= 1;
	}
	free(pages);
	free(bytes);
}

static void damaged_pages(void)
{
	const size_t size = (size_t)SUMS_PAGE_COVERS + 5;
	char *bytes = content(size);
	unsigned char *pages = pages_of(bytes, size);
	struct block_check check;
	int wrong = 0;
	for (size_t bit = 0; bit < (size_t)SUMS_PAGE_BYTES * 8; bit++) {
		pages[bit / 8] ^= (unsigned char)(1 << bit % 8);
		wrong += parse(pages, FILE_NUMBER, size, 0, &check);
		pages[bit / 8] ^= (unsigned char)(1 << bit % 8);
	}
	OK(wrong == 0, "no bit of a page can be flipped");
	OK(!parse(pages, FILE_NUMBER + 1, size, 0, &check), "it is another file's");
	OK(!sums_page_parse(slice_of(pages, SUMS_PAGE_BYTES), FILE_NUMBER, size, 1, &check),
		"it is another page");
	OK(!parse(pages, FILE_NUMBER, size - 6, 1, &check), "the file has no such page");
	OK(!parse(pages, FILE_NUMBER, size + BLOCK_CHECK_BYTES, 1, &check),
		"the file has another size");
	OK(!sums_page_parse(slice_of(pages, SUMS_PAGE_BYTES - 1), FILE_NUMBER, size, 0, &check),
		"it is cut short");
	free(pages);
	free(bytes);
}

static void spans(void)
{
	struct block_check whole = {.kind = BLOCK_CHECK_WHOLE, .begin = 1000, .size = 300000};
	struct block_check blocks = {.kind = BLOCK_CHECK_BLOCKS, .begin = 0, .size = 1000000};
	uint64_t begin;
	OK(block_check_span(&whole, 5000, 5001, BLOCK_CHECK_WHOLE_MAX, &begin) == 300000 &&
			begin == 1000,
		"what has one sum is read whole");
	OK(block_check_span(&blocks, 70000, 900000, BLOCK_CHECK_BYTES * 4, &begin) ==
				BLOCK_CHECK_BYTES * 4 &&
			begin == BLOCK_CHECK_BYTES,
		"blocks, as many as there is room for");
	OK(block_check_span(&blocks, 999999, 1000000, BLOCK_CHECK_BYTES * 4, &begin) ==
				1000000 - BLOCK_CHECK_BYTES * 15 &&
			begin == BLOCK_CHECK_BYTES * 15,
		"the last may be shorter");
	OK(block_check_span(&blocks, 65530, 65540, BLOCK_CHECK_BYTES * 4, &begin) ==
				BLOCK_CHECK_BYTES * 2 &&
			begin == 0,
		"a few bytes of two blocks need both");
}

int main(void)
{
	sizes();
	damaged_bytes();
	damaged_pages();
	spans();
	return tap_done();
}
