/* SPDX-License-Identifier: Apache-2.0 */
/*
 * All versions of a bucket's objects. A version may become an older one between two pages; so the
 * place to go on is a key and a version, in the rows of both kinds.
 */
#include "base/log.h"
#include "store/rados/list/listing.h"
#include "store/rados/list/page.h"
#include "store/shared/roll_up.h"

enum {
	CURRENT,
	OLDER,
};

struct walk {
	struct listing *listing;
	struct page page;
	struct row_key exact;       /* the current object of the marker */
	char seen[LIMIT_KEY_BYTES]; /* the key whose newest version was listed, or passed over */
	size_t seen_len;
	bool is_within; /* it begins with the older versions of the marker */
};

static void see(struct walk *walk, struct slice key)
{
	memcpy(walk->seen, key.ptr, key.len);
	walk->seen_len = key.len;
}

static enum err damaged(const struct walk *walk)
{
	log_error("ceph: %s: a row is damaged, or of a later version", walk->page.name);
	return ERR_INTERNAL;
}

/* Goes on behind all versions of what begins with, or is, `key`. */
static void go_past(struct walk *walk, struct slice key, bool rolled)
{
	struct range *ranges = walk->page.ranges;
	ranges[CURRENT].after = row_key_of(ROW_OBJECT, key);
	if (rolled) {
		struct row_key older = row_key_of(ROW_VERSION, key);
		ranges[CURRENT].after = row_key_past(&ranges[CURRENT].after);
		ranges[OLDER].after = row_key_past(&older);
		page_pass(&walk->page, key);
	} else {
		struct row_key older = row_key_all_of(ROW_VERSION, key);
		ranges[OLDER].after = row_key_past(&older);
	}
}

/* Goes on behind one version. */
static void go_behind(struct walk *walk, struct slice key, uint64_t version)
{
	walk->page.ranges[CURRENT].after = row_key_of(ROW_OBJECT, key);
	walk->page.ranges[OLDER].after = row_key_version(ROW_VERSION, key, version);
}

static void begin(struct walk *walk)
{
	const struct store_list *list = walk->listing->list;
	struct slice rolled = listing_rolled_marker(list->prefix, list->delimiter, list->marker);
	struct range *ranges = walk->page.ranges;
	walk->page.range_count = PAGE_RANGES;
	ranges[CURRENT] = (struct range){.prefix = row_key_of(ROW_OBJECT, list->prefix)};
	ranges[OLDER] = (struct range){.prefix = row_key_of(ROW_VERSION, list->prefix)};
	if (list->marker.len == 0 || slice_cmp(list->marker, list->prefix) < 0)
		return;
	if (rolled.len) {
		go_past(walk, rolled, true);
	} else if (list->after_version && slice_starts(list->marker, list->prefix)) {
		go_behind(walk, list->marker, list->after_version);
		walk->is_within = true;
		walk->exact = row_key_of(ROW_OBJECT, list->marker);
		walk->page.exact = row_key_slice(&walk->exact);
	} else {
		go_past(walk, list->marker, false);
	}
}

/*
 * Whether a version of the marker that is newer than those that are listed is there, so that none
 * of these is the latest. If it is not, perhaps the current object itself is to be listed.
 */
static enum err begin_within(struct walk *walk)
{
	const struct store_list *list = walk->listing->list;
	struct entry entry;
	struct row_name name;
	struct slice value = walk->page.exact_value;
	walk->is_within = false;
	walk->page.exact = S("");
	if (value.len && !entry_read(value, &entry))
		return damaged(walk);
	if (value.len && entry.object.version >= list->after_version) {
		see(walk, list->marker);
		return ERR_OK;
	}
	if (value.len) {
		see(walk, list->marker);
		return listing_add(walk->listing, list->marker, S(""), &entry.object, true);
	}
	/* The newest of the older ones is passed over, or it is the first that comes. */
	struct page newest;
	page_init(&newest, walk->listing->r, &walk->listing->memory, list->bucket_id, list->marker,
		1);
	newest.range_count = 1;
	newest.ranges[0] = (struct range){.prefix = row_key_all_of(ROW_VERSION, list->marker)};
	enum err e = page_read(&newest);
	const struct row *row = e == ERR_OK ? page_row(&newest, 0) : NULL;
	if (row && !row_key_parse(row->key, &name))
		e = damaged(walk);
	else if (row && name.number >= list->after_version)
		see(walk, list->marker);
	page_release(&newest);
	return e;
}

/* Of which range the next version is; PAGE_RANGES: of none that is in this page. */
static size_t next(const struct page *page, struct row_name *ret)
{
	const struct row *rows[PAGE_RANGES];
	struct row_name names[PAGE_RANGES];
	bool there[PAGE_RANGES];
	for (size_t i = 0; i < PAGE_RANGES; i++) {
		rows[i] = page_row(page, i);
		there[i] = rows[i] && row_key_parse(rows[i]->key, &names[i]);
		/* What comes next may be in the part of the range that is not here. */
		if (!rows[i] && page_has_more(page, i))
			return PAGE_RANGES;
	}
	size_t which = PAGE_RANGES;
	if (there[CURRENT] && (!there[OLDER] || slice_cmp(row_name_key(&names[CURRENT]),
							row_name_key(&names[OLDER])) <= 0))
		which = CURRENT;
	else if (there[OLDER])
		which = OLDER;
	if (which < PAGE_RANGES)
		*ret = names[which];
	return which;
}

static void skip_passed(struct page *page)
{
	for (size_t i = 0; i < PAGE_RANGES; i++) {
		struct range *range = &page->ranges[i];
		const struct row *row;
		while ((row = page_row(page, i)) &&
			slice_cmp(row->key, row_key_slice(&range->after)) <= 0)
			range->at++;
	}
}

static enum err take_page(struct walk *walk, bool *ret_rolled)
{
	struct listing *listing = walk->listing;
	struct store_list *list = listing->list;
	struct page *page = &walk->page;
	struct row_name name;
	for (;;) {
		skip_passed(page);
		size_t which = next(page, &name);
		if (which == PAGE_RANGES)
			return ERR_OK;
		if (list->count == listing->max) {
			list->truncated = true;
			return ERR_OK;
		}
		struct entry entry;
		const struct row *row = page_row(page, which);
		struct slice key = row_name_key(&name);
		struct slice rolled = roll_up(list->prefix, list->delimiter, key);
		if (!entry_read(row->value, &entry))
			return damaged(walk);
		bool is_latest = !slice_eq(slice_of(walk->seen, walk->seen_len), key);
		enum err e = listing_add(listing, key, rolled, &entry.object, is_latest);
		if (e != ERR_OK)
			return e;
		if (rolled.len) {
			go_past(walk, rolled, true);
			*ret_rolled = true;
		} else {
			see(walk, key);
			go_behind(walk, key, entry.object.version);
		}
	}
}

enum err listing_versions(struct listing *listing)
{
	struct walk walk = {.listing = listing};
	const struct store_list *list = listing->list;
	enum err e = ERR_OK;
	bool more = true;
	page_init(&walk.page, listing->r, &listing->memory, list->bucket_id,
		listing_from(list->prefix, list->marker),
		list->delimiter.len ? PAGE_ROWS_FIRST : listing->max + 1);
	begin(&walk);
	while (more && e == ERR_OK) {
		bool rolled = false;
		e = page_read(&walk.page);
		if (e == ERR_OK && walk.is_within)
			e = begin_within(&walk);
		if (e == ERR_OK)
			e = take_page(&walk, &rolled);
		more = !list->truncated &&
		       (page_has_more(&walk.page, CURRENT) || page_has_more(&walk.page, OLDER) ||
			       page_go_right(&walk.page, list->prefix));
		page_want(&walk.page, rolled);
	}
	page_release(&walk.page);
	return e;
}
