/* SPDX-License-Identifier: Apache-2.0 */
#include "store/rados/list/page.h"

#include <errno.h>

void page_init(struct page *page, struct rados *r, uint64_t bucket, uint64_t rows_max)
{
	*page = (struct page){.r = r, .rows_max = rows_max};
	rados_tablet_name(page->name, bucket, 0);
}

void page_release(struct page *page)
{
	fetch_free(TAKE(page->fetch));
}

enum err page_read(struct page *page)
{
	size_t numbers[PAGE_RANGES];
	size_t exact = 0;
	page_release(page);
	for (size_t i = 0; i < page->range_count; i++)
		page->ranges[i].rows = NULL;
	page->fetch = fetch_new();
	if (!page->fetch)
		return ERR_UNAVAILABLE;
	uint64_t max = page->rows_max < FETCH_ROWS_MAX ? page->rows_max : FETCH_ROWS_MAX;
	for (size_t i = 0; i < page->range_count; i++)
		numbers[i] = fetch_range(page->fetch, page->ranges[i].after.bytes,
			page->ranges[i].prefix.bytes, max);
	if (page->exact.len)
		exact = fetch_keys(page->fetch, &page->exact, 1);
	int result = fetch_run(page->fetch, page->r->index, page->name);
	page->is_gone = result == -ENOENT;
	if (page->is_gone)
		return ERR_OK;
	enum err e = cluster_err(result, "reading", page->name);
	for (size_t i = 0; i < page->range_count && e == ERR_OK; i++) {
		page->ranges[i].rows = fetch_rows(page->fetch, numbers[i]);
		page->ranges[i].at = 0;
	}
	if (e == ERR_OK && page->exact.len)
		page->exact_value = fetched_value(fetch_rows(page->fetch, exact), page->exact);
	return e;
}

const struct row *page_row(const struct page *page, size_t range)
{
	const struct range *r = &page->ranges[range];
	return r->rows && r->at < r->rows->count ? &r->rows->rows[r->at] : NULL;
}

bool page_has_more(const struct page *page, size_t range)
{
	const struct range *r = &page->ranges[range];
	return r->rows && r->rows->more && r->rows->count;
}
