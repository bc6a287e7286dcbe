/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The sums of the blocks of a large object's file, which stand behind its bytes in pages of 4 KiB:
 * docs/on-disk.md draws them. A page is found by its number and read alone, so that a range of a
 * file of any size can be checked by one of them.
 */
#ifndef STORE_LOCAL_LARGE_SUMS_H
#define STORE_LOCAL_LARGE_SUMS_H

#include <stddef.h>

#include "crypto/block_check.h"

enum {
	SUMS_PAGE_BYTES = 4096,
	SUMS_IN_PAGE = 507,
};

/* The bytes of the file that one page is about. */
#define SUMS_PAGE_COVERS ((uint64_t)SUMS_IN_PAGE * BLOCK_CHECK_BYTES)

/* The sums of an object that arrives. All zero to begin with. */
struct sums {
	uint64_t *each;
	size_t count;
	size_t size;
};

/* Adds those of the next bytes; only the last are no whole blocks. False without memory. */
bool sums_add(struct sums *sums, struct slice bytes) MUST_USE;
void sums_release(struct sums *sums);

/* Where the pages of a file with `size` bytes begin, and how many there are. */
uint64_t sums_offset(uint64_t size);
uint64_t sums_pages(uint64_t size);

/* Writes page number `page` of `file`: SUMS_PAGE_BYTES at `to`. */
void sums_page_write(const struct sums *sums, uint64_t file, uint64_t page, unsigned char *to);

/*
 * Reads it, of a file with `size` bytes: how the bytes it is about are checked; *ret points into
 * the page. False if it is not that page, or damaged.
 */
bool sums_page_parse(struct slice bytes, uint64_t file, uint64_t size, uint64_t page,
	struct block_check *ret) MUST_USE;

#endif
