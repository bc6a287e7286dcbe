/* SPDX-License-Identifier: Apache-2.0 */
#include "store/rados/list/page.h"

#include <errno.h>

#include "base/log.h"
#include "store/rados/rows/tablet_rows.h"

static void take_tablet(struct page *page, uint64_t tablet)
{
	page->tablet = tablet;
	rados_tablet_name(page->name, page->bucket, tablet);
}

/* The tablet of that key, as far as is known. */
static void begin_at(struct page *page, struct slice key)
{
	if (key.len)
		memcpy(page->low, key.ptr, key.len);
	page->low_len = key.len;
	take_tablet(page, directory_find(page->r->directory, page->bucket, key));
}

static struct slice low_of(const struct page *page)
{
	return slice_of(page->low, page->low_len);
}

void page_init(struct page *page, struct rados *r, struct budget_account *memory, uint64_t bucket,
	struct slice from, uint64_t rows_max)
{
	*page = (struct page){.r = r, .memory = memory, .bucket = bucket, .rows_max = rows_max};
	begin_at(page, from);
}

void page_release(struct page *page)
{
	fetch_free(TAKE(page->fetch));
	if (page->counted)
		budget_give(page->memory, page->counted);
	page->counted = 0;
}

/* How much there is, is known when it is there. */
static enum err count_bytes(struct page *page)
{
	size_t bytes = fetch_bytes(page->fetch);
	if (!page->memory)
		return ERR_OK;
	if (!budget_take(page->memory, bytes))
		return ERR_UNAVAILABLE;
	page->counted = bytes;
	return ERR_OK;
}

/* The tablet is being taken over, or is no more. */
static enum err look_again(struct page *page)
{
	enum err e = tablet_wait_moved(page->r, page->bucket, page->tablet, &page->still);
	take_tablet(page, directory_find(page->r->directory, page->bucket, low_of(page)));
	return e;
}

/* Where the tablet ends. *ret_again: what is looked for is behind that. */
static enum err take_head(struct page *page, struct slice value, bool *ret_again)
{
	struct head head;
	if (!head_parse(value, &head) || head.bucket != page->bucket) {
		log_error("ceph: %s: its head is damaged, or of a later version", page->name);
		return ERR_INTERNAL;
	}
	*ret_again = head.state == HEAD_MOVED;
	if (*ret_again)
		return look_again(page);
	/* The bucket is deleted; what is behind it has perhaps gone before it. */
	if (head.state == HEAD_DEAD) {
		page->right = 0;
		return ERR_OK;
	}
	page->right = head.right;
	page->high_len = head.high.len;
	if (head.high.len)
		memcpy(page->high, head.high.ptr, head.high.len);
	if (head.right)
		directory_add(page->r->directory, page->bucket, head.right, head.high);
	*ret_again = head_is_behind(&head, low_of(page));
	if (*ret_again)
		take_tablet(page, head.right);
	return ERR_OK;
}

void page_want(struct page *page, bool rolled)
{
	if (rolled)
		page->rows_max = PAGE_ROWS_FIRST;
	else if (page->rows_max < FETCH_ROWS_MAX)
		page->rows_max *= 2;
}

void page_pass(struct page *page, struct slice rolled)
{
	memcpy(page->passed, rolled.ptr, rolled.len);
	page->passed[rolled.len] = (char)0xff;
	page->passed_len = rolled.len + 1;
}

bool page_go_right(struct page *page, struct slice prefix)
{
	struct slice high = slice_of(page->high, page->high_len);
	if (page->is_gone || !page->right ||
		(slice_cmp(high, prefix) > 0 && !slice_starts(high, prefix)))
		return false;
	/* Tablets that have nothing but what is passed over are not read, as far as they are known.
	 */
	struct slice passed = slice_of(page->passed, page->passed_len);
	if (slice_cmp(high, passed) <= 0) {
		begin_at(page, passed);
		return true;
	}
	memcpy(page->low, high.ptr, high.len);
	page->low_len = high.len;
	take_tablet(page, page->right);
	return true;
}

static enum err read_one(struct page *page, bool *ret_again)
{
	static const struct slice head = SLICE_LIT(ROW_HEAD);
	size_t numbers[PAGE_RANGES];
	size_t exact = 0;
	*ret_again = false;
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
	size_t head_number = fetch_keys(page->fetch, &head, 1);
	int result = fetch_run(page->fetch, page->r->index, page->name);
	*ret_again = result == -ENOENT && page->tablet != 0;
	if (*ret_again)
		return look_again(page);
	page->is_gone = result == -ENOENT;
	if (page->is_gone)
		return ERR_OK;
	enum err e = cluster_err(result, "reading", page->name);
	if (e == ERR_OK)
		e = count_bytes(page);
	if (e == ERR_OK)
		e = take_head(
			page, fetched_value(fetch_rows(page->fetch, head_number), head), ret_again);
	for (size_t i = 0; i < page->range_count && e == ERR_OK; i++) {
		page->ranges[i].rows = fetch_rows(page->fetch, numbers[i]);
		page->ranges[i].at = 0;
	}
	if (e == ERR_OK && page->exact.len)
		page->exact_value = fetched_value(fetch_rows(page->fetch, exact), page->exact);
	return e;
}

enum err page_read(struct page *page)
{
	bool again;
	enum err e;
	page->still = (struct standstill){.since_ms = 0};
	do
		e = read_one(page, &again);
	while (e == ERR_OK && again);
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
