/* SPDX-License-Identifier: Apache-2.0 */
#include "store/rados/list/list.h"

#include "base/log.h"
#include "store/rados/list/listing.h"
#include "store/rados/list/page.h"
#include "store/shared/roll_up.h"

/* Behind what the first object that may be listed stands. */
static struct row_key begin(const struct store_list *list)
{
	struct row_key none = {.len = 0};
	struct slice rolled = listing_rolled_marker(list->prefix, list->delimiter, list->marker);
	if (list->marker.len == 0 || slice_cmp(list->marker, list->prefix) < 0)
		return none;
	/* What is rolled up with the marker is a roll-up that is not greater than it. */
	struct row_key key = row_key_of(ROW_OBJECT, rolled.len ? rolled : list->marker);
	return rolled.len ? row_key_past(&key) : key;
}

/* Takes the rows of a page. Sets list->truncated, and then stops, if there are more than enough. */
static enum err take_page(struct listing *listing, struct page *page, bool *ret_rolled)
{
	struct store_list *list = listing->list;
	struct range *range = &page->ranges[0];
	const struct row *row;
	while ((row = page_row(page, 0))) {
		struct row_name name;
		struct entry entry;
		range->at++;
		/* What is under a common prefix that has been passed over. */
		if (slice_cmp(row->key, row_key_slice(&range->after)) <= 0)
			continue;
		if (list->count == listing->max) {
			list->truncated = true;
			return ERR_OK;
		}
		if (!row_key_parse(row->key, &name) || !entry_read(row->value, &entry)) {
			log_error("ceph: %s: a row is damaged, or of a later version", page->name);
			return ERR_INTERNAL;
		}
		struct slice key = row_name_key(&name);
		struct slice rolled = roll_up(list->prefix, list->delimiter, key);
		enum err e = listing_add(listing, key, rolled, &entry.object, false);
		if (e != ERR_OK)
			return e;
		range->after = row_key_of(ROW_OBJECT, rolled.len ? rolled : key);
		if (rolled.len) {
			range->after = row_key_past(&range->after);
			page_pass(page, rolled);
		}
		*ret_rolled = *ret_rolled || rolled.len > 0;
	}
	return ERR_OK;
}

static enum err list_objects(struct listing *listing)
{
	struct store_list *list = listing->list;
	struct page page;
	enum err e = ERR_OK;
	bool more = true;
	page_init(&page, listing->r, &listing->memory, list->bucket_id,
		listing_from(list->prefix, list->marker),
		list->delimiter.len ? PAGE_ROWS_FIRST : listing->max + 1);
	page.range_count = 1;
	page.ranges[0] = (struct range){
		.prefix = row_key_of(ROW_OBJECT, list->prefix), .after = begin(list)};
	while (more && e == ERR_OK) {
		bool rolled = false;
		e = page_read(&page);
		if (e == ERR_OK)
			e = take_page(listing, &page, &rolled);
		more = !list->truncated &&
		       (page_has_more(&page, 0) || page_go_right(&page, list->prefix));
		if (list->delimiter.len)
			page_want(&page, rolled);
		else
			page.rows_max = listing->max + 1 - list->count;
	}
	page_release(&page);
	return e;
}

static enum err collect(struct listing *listing)
{
	struct store_list *list = listing->list;
	enum err e = ERR_OK;
	if (list->bucket_id && list->prefix.len <= LIMIT_KEY_BYTES &&
		list->marker.len <= LIMIT_KEY_BYTES)
		e = list->versions ? listing_versions(listing) : list_objects(listing);
	if (e == ERR_OK)
		list->entries = listing->entries;
	return e;
}

void rados_list(struct store *store, struct store_list *list)
{
	const struct listing_request request = {.list = list,
		.pool = list->pool,
		.max = list->max_entries,
		.collect = collect,
		.wait = &list->wait,
		.count = &list->count,
		.truncated = &list->truncated,
		.held = &list->held};
	list->entries = NULL;
	listing_begin(rados_of(store), &request);
}

void rados_list_release(struct store *store UNUSED, struct store_list *list)
{
	listing_free(TAKE(list->held));
}
