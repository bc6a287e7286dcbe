/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A page of the rows of a bucket: one range, or two of the same moment. It is of one tablet; the
 * next one is perhaps of that which is behind it.
 */
#ifndef STORE_RADOS_LIST_PAGE_H
#define STORE_RADOS_LIST_PAGE_H

#include "store/rados/cluster/fetch.h"
#include "store/rados/rows/key.h"
#include "store/rados/state/state.h"
#include "store/rados/tablet/tablet.h"

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
	uint64_t bucket;
	uint64_t tablet;
	char name[RADOS_NAME_BYTES]; /* the tablet's */
	/* What is looked for is here or behind it: where the tablet began when it was found. */
	char low[LIMIT_KEY_BYTES + 1];
	size_t low_len;
	struct standstill still;
	uint64_t right;             /* the tablet that is behind it; 0: none */
	char high[LIMIT_KEY_BYTES]; /* where that begins */
	size_t high_len;
	/* Behind the last common prefix that was passed over; keys up to this are not looked for.
	 */
	char passed[LIMIT_KEY_BYTES + 1];
	size_t passed_len;
	uint64_t rows_max; /* of the next page */
	struct range ranges[PAGE_RANGES];
	size_t range_count;
	struct slice exact; /* a row that is read with it; empty: none */
	struct slice exact_value;
	bool is_gone; /* there is no such bucket, and so are no rows */
	struct fetch *fetch;
	struct budget_account *memory; /* where what it holds is counted */
	size_t counted;
};

enum {
	PAGE_ROWS_FIRST = 32 /* where much may be skipped */
};

/*
 * `from` is in front of all that is looked for. What a page holds is counted in `memory`, unless
 * that is NULL, and given back with the next one or by page_release().
 */
void page_init(struct page *page, struct rados *r, struct budget_account *memory, uint64_t bucket,
	struct slice from, uint64_t rows_max);
void page_release(struct page *page);
/* Reads what is behind `after` of each range. ERR_UNAVAILABLE, also without room in `memory`. */
enum err page_read(struct page *page) MUST_USE;
/* The next row of a range, or NULL if it has none in this page. */
const struct row *page_row(const struct page *page, size_t range);
/* Whether there are, or may be, rows of the range in this tablet that are not in this page. */
bool page_has_more(const struct page *page, size_t range);
/* How many rows the next page has: few where common prefixes are passed over, many elsewhere. */
void page_want(struct page *page, bool rolled);
/* All that begins with `rolled` is passed over from now on; the ranges say so, too. */
void page_pass(struct page *page, struct slice rolled);
/*
 * When no range has more: whether there may be rows with that prefix in the tablet that is behind
 * this one. If so the next page is of that.
 */
bool page_go_right(struct page *page, struct slice prefix);

#endif
