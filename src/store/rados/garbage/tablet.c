/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The garbage of the tablets of a bucket. A row is new until a collector gives it the epoch that is
 * read after the row: whoever may still read the data began in that epoch or in an earlier one. So
 * it goes when the oldest read of all gateways is of a later one.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include "base/log.h"
#include "store/rados/cluster/edit.h"
#include "store/rados/garbage/garbage_internal.h"
#include "store/rados/tablet/owns.h"
#include "store/rados/tablet/tablet.h"

enum {
	PAGE_ROWS = 256,
	EDIT_BYTES_MAX = 4 << 20, /* of rows that get their epoch in one operation */
	WORK_ENDS = 4, /* times as long as who works lets nobody hear: then others are looked at */
};

struct page {
	struct rados *r;
	uint64_t bucket;
	const char *name; /* the tablet's */
	uint64_t oldest;  /* epoch of a read */
	const struct gateway_list *gateways;
	size_t ended;     /* own rows of gateways that have ended */
	bool is_end;      /* what is behind it is too young */
	bool has_any;     /* garbage */
	uint64_t right;   /* the tablet that is behind it; 0: none */
	uint64_t objects; /* older versions and uploads, too */
	bool is_in_work;  /* it is split or merged, or its bucket is being deleted */
	enum store_versioning versioning;
	struct row_key row; /* the last one of the page */
};

static int damaged(const char *name)
{
	log_error("ceph: %s: a row of garbage is damaged, or of a later version", name);
	return -EBADMSG;
}

/* ---- New garbage ----------------------------------------------------------------------------- */

/* Gives so many rows, all of them new, the epoch. */
static int give_epoch(struct page *page, const struct row *rows, size_t count, uint64_t epoch)
{
	struct edit edit = edit_begin(page->r->index);
	for (size_t i = 0; i < count; i++) {
		uint64_t none;
		uint64_t revision;
		if (!row_key_parse_garbage(rows[i].key, &none, &revision))
			continue;
		struct row_key key = row_key_garbage(epoch, revision);
		edit_compare(&edit, rows[i].key, rows[i].value);
		edit_remove(&edit, rows[i].key);
		edit_set(&edit, row_key_slice(&key), rows[i].value);
	}
	int result = edit_run(&edit, page->name);
	/* Another collector was faster. */
	return result == -ECANCELED ? 0 : result;
}

/*
 * The epoch is read after the rows. Nothing has to be known of an operation whose outcome is lost:
 * if it comes late, the epoch is still one that the rows may have.
 */
static int take_new(struct page *page, const struct row *rows, size_t count)
{
	struct gateway_list now;
	int result = gateways_read(page->r, &now);
	uint64_t epoch = now.epoch;
	gateway_list_free(&now);
	/* 0 is what new garbage has. */
	if (result == 0 && epoch == GARBAGE_NEW)
		return 0;
	for (size_t i = 0; result == 0 && i < count;) {
		size_t first = i;
		size_t bytes = 0;
		do
			bytes += rows[i++].value.len;
		while (i < count && bytes + rows[i].value.len <= EDIT_BYTES_MAX);
		result = give_epoch(page, rows + first, i - first, epoch);
	}
	return result;
}

/* ---- Old garbage ----------------------------------------------------------------------------- */

static int remove_data(struct page *page, const struct row *rows, size_t count)
{
	struct chunk_removals removals;
	uint64_t removed = 0;
	int result = 0;
	chunk_removals_begin(&removals, page->r);
	for (size_t i = 0; i < count; i++) {
		struct extents extents;
		if (!extents_parse(rows[i].value, &extents)) {
			result = damaged(page->name);
			break;
		}
		for (size_t j = 0; j < extents.count && !garbage_stops(page->r); j++) {
			struct extent extent = extents_at(&extents, j);
			chunk_removals_add(&removals, &extent);
			removed++;
		}
	}
	int ended = chunk_removals_end(&removals);
	if (result == 0)
		result = garbage_stops(page->r) ? -ESHUTDOWN : ended;
	if (result == 0)
		(void)atomic_fetch_add(&page->r->removed, removed);
	return result;
}

/* First the data, then the rows: whoever comes after one that stopped removes it once more. */
static int take_old(struct page *page, const struct row *rows, size_t count)
{
	int result = remove_data(page, rows, count);
	if (result < 0)
		return result;
	struct edit edit = edit_begin(page->r->index);
	for (size_t i = 0; i < count; i++)
		edit_remove(&edit, rows[i].key);
	return edit_run(&edit, page->name);
}

/* ---- All ------------------------------------------------------------------------------------- */

/* New rows come first, then others by their epochs. */
static int take_page(struct page *page, const struct rows *rows)
{
	size_t new = 0;
	size_t old = 0;
	for (size_t i = 0; i < rows->count && !page->is_end; i++) {
		uint64_t epoch;
		uint64_t revision;
		if (!row_key_parse_garbage(rows->rows[i].key, &epoch, &revision))
			return damaged(page->name);
		page->row = row_key_garbage(epoch, revision);
		page->has_any = true;
		if (epoch == GARBAGE_NEW)
			new ++;
		else if (epoch < page->oldest)
			old++;
		else
			page->is_end = true;
	}
	int result = new ? take_new(page, rows->rows, new) : 0;
	return result == 0 && old ? take_old(page, rows->rows + new, old) : result;
}

/* Whether it is in a state that ends soon, if whoever has brought it there lives. */
static bool is_passing(const struct head *head)
{
	return head_is_in_work(head) || head->state == HEAD_FROZEN;
}

/* What the tablet says of itself, and of those that have become part of it. */
static int take_rest(struct page *page, const struct head *head, const struct rows *owns,
	const struct rows *merged)
{
	struct store_bucket_stats counts = {.objects = 0};
	int result = 0;
	page->right = head->right;
	page->is_in_work = is_passing(head);
	page->versioning = head->versioning;
	page->ended = fold_count(owns, page->gateways);
	if (owns_add_up(page->r, page->bucket, page->name, owns, OWNS_ALL, &counts) != ERR_OK)
		return -EIO;
	page->objects = tablet_rows(&counts);
	for (size_t i = 0; i < merged->count && result == 0; i++)
		result = tablet_remove_merged(
			page->r, page->name, page->bucket, merged->rows[i].key);
	return result;
}

static int collect(struct page *page)
{
	static const struct slice key = SLICE_LIT(ROW_HEAD);
	static const char prefix[] = {ROW_GARBAGE, '\0'};
	static const char merged_prefix[] = {ROW_MERGED, '\0'};
	bool more = true;
	int result = 0;
	while (result == 0 && more && !page->is_end && !garbage_stops(page->r)) {
		struct fetch *fetch = fetch_new();
		if (!fetch)
			return -ENOMEM;
		struct head head;
		size_t head_number = fetch_keys(fetch, &key, 1);
		size_t number = fetch_range(fetch, page->row.bytes, prefix, PAGE_ROWS);
		size_t owns_number = owns_fetch(page->r, fetch);
		size_t merged_number = fetch_range(fetch, "", merged_prefix, PAGE_ROWS);
		result = fetch_run(fetch, page->r->index, page->name);
		if (result == 0 &&
			!head_parse(fetched_value(fetch_rows(fetch, head_number), key), &head))
			result = damaged(page->name);
		if (result == 0)
			result = take_rest(page, &head, fetch_rows(fetch, owns_number),
				fetch_rows(fetch, merged_number));
		if (result == 0) {
			const struct rows *rows = fetch_rows(fetch, number);
			more = rows->more && rows->count;
			result = take_page(page, rows);
		}
		fetch_free(fetch);
	}
	return result;
}

/* All tablets of a bucket, in the order of their keys. */
struct tablets {
	struct tablet_known {
		uint64_t number;
		uint64_t objects;
	} * list;
	size_t count;
	bool have_any; /* garbage */
	bool differ;   /* one keeps versions otherwise than the bucket's row says */
};

/* If whoever splits or merges it, or deletes its bucket, does not go on, and nobody else comes by,
 * it is undone here. */
static void see_work_end(struct rados *r, uint64_t bucket, uint64_t tablet)
{
	struct standstill still = {.since_ms = 0};
	int64_t until_ms = clock_monotonic_ms() + (int64_t)WORK_ENDS * r->timers.frozen_ms;
	bool waits = true;
	while (waits && !garbage_stops(r) && clock_monotonic_ms() < until_ms) {
		struct seen seen;
		struct epoch epoch = {.epoch = 0};
		waits = tablet_see(r, bucket, tablet, &seen) == ERR_OK && is_passing(&seen.head) &&
			epoch_parse(seen.epoch, &epoch);
		seen_release(&seen);
		/* Otherwise the bucket is gone. */
		waits = waits && tablet_wait(r, bucket, tablet, &epoch, &still) == FROZEN_WAIT;
	}
}

static int collect_all(struct rados *r, const struct listed_bucket *listed,
	const struct gateway_list *gateways, struct tablets *ret)
{
	uint64_t bucket = listed->id;
	uint64_t tablet = 0;
	int result = 0;
	do {
		char name[RADOS_NAME_BYTES];
		rados_tablet_name(name, bucket, tablet);
		struct page page = {.r = r,
			.bucket = bucket,
			.name = name,
			.oldest = gateways_oldest(gateways),
			.gateways = gateways};
		struct tablet_known *list = reallocarray(ret->list, ret->count + 1, sizeof(*list));
		if (!list)
			return -ENOMEM;
		ret->list = list;
		result = collect(&page);
		/*
		 * Those behind it have gone before it: see tablet_collect_deleted(). Or it was
		 * merged just now, and those are for the next collection.
		 */
		if (result == -ENOENT)
			return 0;
		if (result == 0 && page.is_in_work)
			see_work_end(r, bucket, tablet);
		if (result == 0 && page.ended >= r->sizes.fold)
			result = tablet_fold(r, bucket, tablet, gateways);
		ret->list[ret->count++] = (struct tablet_known){tablet, page.objects};
		ret->have_any = ret->have_any || page.has_any;
		ret->differ = ret->differ || page.versioning != listed->versioning;
		tablet = page.right;
	} while (result == 0 && tablet && !garbage_stops(r));
	return result == 0 && garbage_stops(r) ? -ESHUTDOWN : result;
}

/* Makes one of two that have little, again and again. */
static void merge_all(struct rados *r, uint64_t bucket, const struct tablets *tablets)
{
	struct tablet_known left = {.number = 0};
	for (size_t i = 0; i < tablets->count && !garbage_stops(r); i++) {
		const struct tablet_known *right = &tablets->list[i];
		if (i > 0 && left.objects + right->objects < r->sizes.merge &&
			tablet_merge(r, bucket, left.number))
			left.objects += right->objects;
		else
			left = *right;
	}
}

/*
 * Whoever changes the versioning of a bucket tells all its tablets, one after the other, and may
 * die before it has told the last one: this tells all of them.
 */
static int follow_versioning(struct rados *r, const struct listed_bucket *bucket)
{
	log_info("ceph: not all tablets of the bucket %016" PRIx64
		 " keep versions as its row says; they are told",
		bucket->id);
	enum err e = tablet_follow_versioning(r, bucket->id, bucket->row);
	return e == ERR_OK || e == ERR_NO_SUCH_BUCKET ? 0 : -EAGAIN;
}

int tablet_collect(
	struct rados *r, const struct listed_bucket *bucket, const struct gateway_list *gateways)
{
	struct tablets tablets = {.count = 0};
	int result = collect_all(r, bucket, gateways, &tablets);
	if (result == 0 && tablets.differ)
		result = follow_versioning(r, bucket);
	if (result == 0)
		merge_all(r, bucket->id, &tablets);
	free(tablets.list);
	return result;
}

/* Removes a tablet if there is still no garbage in it, which would have changed its epoch. */
static int remove_tablet(struct rados *r, uint64_t bucket, const char *name)
{
	static const struct slice heads[] = {SLICE_LIT(ROW_EPOCH), SLICE_LIT(ROW_HEAD)};
	static const char prefix[] = {ROW_GARBAGE, '\0'};
	struct head head;
	struct fetch *fetch = fetch_new();
	if (!fetch)
		return -ENOMEM;
	size_t head_number = fetch_keys(fetch, heads, ARRAY_LEN(heads));
	size_t number = fetch_range(fetch, "", prefix, 1);
	int result = fetch_run(fetch, r->index, name);
	if (result == 0 &&
		!head_parse(fetched_value(fetch_rows(fetch, head_number), S(ROW_HEAD)), &head))
		result = damaged(name);
	if (result == 0 && head.state != HEAD_DEAD) {
		/* Whoever deleted the bucket did not come so far. */
		tablet_kill(r, bucket);
		result = -EAGAIN;
	}
	if (result == 0 && fetch_rows(fetch, number)->count)
		result = -EAGAIN;
	if (result == 0) {
		struct edit edit = edit_begin(r->index);
		edit_compare(&edit, S(ROW_EPOCH),
			fetched_value(fetch_rows(fetch, head_number), S(ROW_EPOCH)));
		edit_remove_object(&edit);
		result = edit_run(&edit, name);
	}
	fetch_free(fetch);
	return result;
}

/* From the last to the first, as each is found by the one in front of it. */
static int remove_all(struct rados *r, uint64_t bucket, const struct tablets *tablets)
{
	int result = 0;
	for (size_t i = tablets->count; i-- > 0 && (result == 0 || result == -ENOENT);) {
		char name[RADOS_NAME_BYTES];
		result = remove_tablet(
			r, bucket, rados_tablet_name(name, bucket, tablets->list[i].number));
	}
	return result;
}

int tablet_collect_deleted(
	struct rados *r, const struct listed_bucket *bucket, const struct gateway_list *gateways)
{
	struct tablets tablets = {.count = 0};
	int result = collect_all(r, bucket, gateways, &tablets);
	if (result == 0)
		result = tablets.have_any ? -EAGAIN : remove_all(r, bucket->id, &tablets);
	free(tablets.list);
	if (result == -EAGAIN || result == -ECANCELED)
		return 0;
	if (result < 0 && result != -ENOENT)
		return result;
	struct row_key key = row_key_number(RADOS_DELETED_ROW, bucket->id);
	struct edit edit = edit_begin(r->index);
	edit_remove(&edit, row_key_slice(&key));
	return edit_run(&edit, RADOS_BUCKETS);
}
