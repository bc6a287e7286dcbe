/* SPDX-License-Identifier: Apache-2.0 */
/* A page of the rows of a tablet: one range, or two of the same moment. */
#ifndef STORE_RADOS_LIST_PAGE_H
#define STORE_RADOS_LIST_PAGE_H

#include "store/rados/cluster/fetch.h"
#include "store/rados/rows/key.h"
#include "store/rados/state/state.h"

enum {
	PAGE_RANGES = 2
};

/* Rows of one kind, and how far they have been read. */
struct range {
	struct row_key prefix;
	struct row_key after; /* the next rows are behind this */
	const struct rows *rows;
	size_t at; /* of the next one in `rows` */
};

struct page {
	struct rados *r;
	char name[RADOS_NAME_BYTES]; /* the tablet's */
	uint64_t rows_max;           /* of the next page */
	struct range ranges[PAGE_RANGES];
	size_t range_count;
	struct slice exact; /* a row that is read with it; empty: none */
	struct slice exact_value;
	bool is_gone; /* there is no such tablet, and so are no rows */
	struct fetch *fetch;
};

enum {
	PAGE_ROWS_FIRST = 32 /* where much may be skipped */
};

void page_init(struct page *page, struct rados *r, uint64_t bucket, uint64_t rows_max);
void page_release(struct page *page);
/* Reads what is behind `after` of each range. ERR_UNAVAILABLE. */
enum err page_read(struct page *page) MUST_USE;
/* The next row of a range, or NULL if it has none in this page. */
const struct row *page_row(const struct page *page, size_t range);
/* Whether there are, or may be, rows of the range that are not in this page. */
bool page_has_more(const struct page *page, size_t range);

#endif
