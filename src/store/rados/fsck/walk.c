/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One tablet, a page of keys at a time. A page is one operation: head, counts, and the next rows of
 * each kind; so all rows of a key that is complete in it are of one moment. If the tablet is split
 * meanwhile it is begun anew.
 */
#include <errno.h>
#include <stdlib.h>

#include "store/rados/fsck/survey.h"

enum {
	ATTEMPTS_MAX = 1000,
	PAGE_ROWS = 256, /* of each kind */
	GUARD_BYTES_MAX = 1 << 20,
	EPOCH_VALUE_BYTES = 16,
};

struct page {
	struct fetch *fetch;
	size_t heads;
	size_t owns;
	struct rows rows[KINDS]; /* what is left of them */
	bool more[KINDS];
	struct head head;
	bool has_bound; /* keys at or behind this are perhaps not complete */
	struct row_name bound;
};

struct walk {
	struct survey *f;
	struct place place;
	bool has_begun; /* up to `position` all has been checked */
	struct row_name position;
	struct row_key skipped[KINDS]; /* rows up to these were told, and have no key */
	struct bounds bounds;
	struct strbuf guard; /* epoch and counts in the first page */
	bool is_still;       /* they were the same in all of them */
	struct kept_head head;
	struct store_bucket_stats rows;
	struct store_bucket_stats owns;
	bool owns_parse;
};

enum page_result {
	PAGE_NEXT,
	PAGE_END,
	PAGE_SPLIT, /* begin anew */
	PAGE_GONE,
	PAGE_BROKEN,
};

/* ---- Reading --------------------------------------------------------------------------------- */

/* Behind what a kind has of all that was checked. */
static struct row_key begin_of(const struct walk *w, enum kind kind)
{
	struct row_key begin = {.len = 0};
	struct slice key = row_name_key(&w->position);
	if (w->has_begun && (kind == KIND_OBJECT || kind == KIND_HIDDEN)) {
		begin = row_key_of(kind_letters[kind], key);
	} else if (w->has_begun) {
		begin = row_key_all_of(kind_letters[kind], key);
		begin = row_key_past(&begin);
	}
	const struct row_key *skipped = &w->skipped[kind];
	return slice_cmp(row_key_slice(&begin), row_key_slice(skipped)) < 0 ? *skipped : begin;
}

static int fetch_page(struct walk *w, struct page *page)
{
	static const struct slice heads[] = {SLICE_LIT(ROW_EPOCH), SLICE_LIT(ROW_HEAD)};
	static const char own_prefix[] = {ROW_OWN, '\0'};
	size_t numbers[KINDS];
	*page = (struct page){.fetch = fetch_new()};
	if (!page->fetch)
		return -ENOMEM;
	page->heads = fetch_keys(page->fetch, heads, ARRAY_LEN(heads));
	page->owns = fetch_range(page->fetch, "", own_prefix, FETCH_ROWS_MAX);
	for (enum kind kind = 0; kind < KINDS; kind++) {
		const char prefix[] = {kind_letters[kind], '\0'};
		struct row_key begin = begin_of(w, kind);
		numbers[kind] = fetch_range(page->fetch, begin.bytes, prefix, PAGE_ROWS);
	}
	int result = fetch_run(page->fetch, w->f->r->index, w->place.name);
	for (enum kind kind = 0; kind < KINDS && result == 0; kind++) {
		page->rows[kind] = *fetch_rows(page->fetch, numbers[kind]);
		page->more[kind] = page->rows[kind].more && page->rows[kind].count;
	}
	return result;
}

/* Takes epoch and counts of the page, and looks whether they are those of the first one. */
static void take_guard(struct walk *w, const struct page *page, struct slice epoch)
{
	const struct rows *owns = fetch_rows(page->fetch, page->owns);
	SCOPED_STRBUF(now, GUARD_BYTES_MAX);
	strbuf_add_slice(&now, epoch);
	for (size_t i = 0; i < owns->count; i++) {
		strbuf_add_slice(&now, owns->rows[i].key);
		strbuf_add_slice(&now, owns->rows[i].value);
	}
	if (strbuf_broken(&now) || owns->more)
		w->is_still = false;
	else if (w->guard.len == 0)
		strbuf_add_slice(&w->guard, strbuf_slice(&now));
	else if (!slice_eq(strbuf_slice(&w->guard), strbuf_slice(&now)))
		w->is_still = false;
	w->owns = (struct store_bucket_stats){.objects = 0};
	w->owns_parse = counts_of(owns, &w->owns);
}

static void tell_head(struct walk *w, const char *what)
{
	char object[SURVEY_OBJECT_BYTES];
	survey_tell(w->f, FATE_STAYS, &(struct subject){.bucket = w->place.bucket},
		survey_object(w->f, w->f->r->index, w->place.name, object), what);
}

static enum page_result take_head(struct walk *w, struct page *page)
{
	const struct rows *rows = fetch_rows(page->fetch, page->heads);
	struct slice value = fetched_value(rows, S(ROW_EPOCH));
	struct epoch epoch;
	bool is_first = w->guard.len == 0;
	if (!epoch_parse(value, &epoch) || epoch.tablet != w->place.tablet) {
		tell_head(w, "its row E does not parse, or is another tablet's");
		return PAGE_BROKEN;
	}
	if (!head_parse(fetched_value(rows, S(ROW_HEAD)), &page->head) ||
		page->head.bucket != w->place.bucket->id) {
		tell_head(w, "its row H does not parse, or is another bucket's");
		return PAGE_BROKEN;
	}
	if (!is_first && !slice_eq(page->head.high, kept_high(&w->head)))
		return PAGE_SPLIT;
	head_keep(&page->head, &w->head);
	take_guard(w, page, value);
	return PAGE_NEXT;
}

/* ---- Keys ------------------------------------------------------------------------------------ */

static void drop_front(struct rows *rows, size_t count)
{
	if (count)
		rows->rows += count;
	rows->count -= count;
}

/* Tells a row without a key, once. */
static void tell_front(struct walk *w, enum kind kind, struct page *page)
{
	const struct row *row = &page->rows[kind].rows[0];
	struct row_key *skipped = &w->skipped[kind];
	rest_loose(w->f, &w->place, row, "a row whose key does not parse");
	skipped->len = row->key.len < ROW_KEY_BYTES_MAX ? row->key.len : ROW_KEY_BYTES_MAX;
	memcpy(skipped->bytes, row->key.ptr, skipped->len);
	skipped->bytes[skipped->len] = '\0';
	drop_front(&page->rows[kind], 1);
}

/*
 * Up to which key the page is complete. False: of a kind there is nothing but rows without a key,
 * which are told; then the page has to be read again behind them.
 */
static bool find_bound(struct walk *w, struct page *page)
{
	for (enum kind kind = 0; kind < KINDS; kind++) {
		struct row_name name;
		const struct rows *rows = &page->rows[kind];
		size_t i = rows->count;
		if (!page->more[kind])
			continue;
		while (i > 0 && !row_key_parse(rows->rows[i - 1].key, &name))
			i--;
		if (i == 0) {
			while (page->rows[kind].count)
				tell_front(w, kind, page);
			return false;
		}
		if (!page->has_bound ||
			slice_cmp(row_name_key(&name), row_name_key(&page->bound)) < 0)
			page->bound = name;
		page->has_bound = true;
	}
	return true;
}

static bool is_in_bound(const struct page *page, struct slice key)
{
	return !page->has_bound || slice_cmp(key, row_name_key(&page->bound)) < 0;
}

/* Whether a row without a key comes before the bound. */
static bool is_raw_in_bound(const struct page *page, enum kind kind, struct slice row)
{
	struct row_key bound = row_key_of(kind_letters[kind], row_name_key(&page->bound));
	return !page->has_bound || slice_cmp(row, row_key_slice(&bound)) < 0;
}

/* The least key of the page. False if there is none. */
static bool least_key(struct walk *w, struct page *page, struct row_name *ret)
{
	bool found = false;
	for (enum kind kind = 0; kind < KINDS; kind++) {
		struct rows *rows = &page->rows[kind];
		struct row_name name;
		while (rows->count && !row_key_parse(rows->rows[0].key, &name)) {
			if (!is_raw_in_bound(page, kind, rows->rows[0].key))
				rows->count = 0;
			else
				tell_front(w, kind, page);
		}
		if (!rows->count)
			continue;
		if (!found || slice_cmp(row_name_key(&name), row_name_key(ret)) < 0)
			*ret = name;
		found = true;
	}
	return found;
}

static void cut_group(const struct page *page, struct slice key, struct group *ret)
{
	*ret = (struct group){.key = key};
	for (enum kind kind = 0; kind < KINDS; kind++) {
		const struct rows *rows = &page->rows[kind];
		struct row_name name;
		size_t count = 0;
		while (count < rows->count && row_key_parse(rows->rows[count].key, &name) &&
			slice_eq(row_name_key(&name), key))
			count++;
		ret->kinds[kind] = (struct rows){.rows = rows->rows, .count = count};
	}
}

static void check_group(struct walk *w, const struct head *head, const struct group *group)
{
	if (!head_has(head, group->key)) {
		for (enum kind kind = 0; kind < KINDS; kind++)
			for (size_t i = 0; i < group->kinds[kind].count; i++)
				rest_outside(w->f, &w->place, &group->kinds[kind].rows[i]);
		return;
	}
	struct key_check c = {.f = w->f, .is_first = true, .counts = &w->rows, .place = &w->place};
	key_check(&c, group);
	bounds_note(&w->bounds, group);
	bool is_suspicious = c.fault_count > 0;
	key_check_free(&c);
	if (is_suspicious)
		confirm(w->f, &w->place, group->key);
}

/* A key that has more rows of a kind than a page. */
static void check_large(struct walk *w, struct slice key)
{
	struct gathered g;
	enum gathering gathering = gather(w->f, &w->place, key, &g);
	if (gathering == GATHERED)
		check_group(w, &g.head, &g.group);
	else if (gathering == GATHER_MOVING)
		w->f->result->moving++;
	gathered_free(&g);
}

/* Whether there are rows behind those of the page. */
static bool has_more(const struct page *page)
{
	for (enum kind kind = 0; kind < KINDS; kind++)
		if (page->more[kind])
			return true;
	return false;
}

static enum page_result check_page(struct walk *w, struct page *page)
{
	struct row_name name;
	bool any = false;
	if (!find_bound(w, page))
		return PAGE_NEXT;
	while (w->f->err == ERR_OK && least_key(w, page, &name)) {
		struct slice key = row_name_key(&name);
		if (!is_in_bound(page, key)) {
			if (!any) {
				check_large(w, key);
				w->position = name;
				w->has_begun = true;
				any = true;
			}
			break;
		}
		struct group group;
		cut_group(page, key, &group);
		check_group(w, &page->head, &group);
		for (enum kind kind = 0; kind < KINDS; kind++)
			drop_front(&page->rows[kind], group.kinds[kind].count);
		w->position = name;
		w->has_begun = true;
		any = true;
	}
	return has_more(page) ? PAGE_NEXT : PAGE_END;
}

static enum page_result take_page(struct walk *w)
{
	struct page page;
	enum page_result result = PAGE_END;
	int fetched = fetch_page(w, &page);
	if (fetched == 0)
		result = take_head(w, &page);
	else if (fetched == -ENOENT)
		result = PAGE_GONE;
	else
		survey_fail_ceph(w->f, fetched, w->place.name);
	if (fetched == 0 && result == PAGE_NEXT)
		result = check_page(w, &page);
	fetch_free(page.fetch);
	return w->f->err == ERR_OK ? result : PAGE_END;
}

/* ---- All of it ------------------------------------------------------------------------------- */

static void begin(struct walk *w)
{
	w->has_begun = false;
	bounds_clear(&w->bounds);
	strbuf_clear(&w->guard);
	w->is_still = true;
	w->rows = (struct store_bucket_stats){.objects = 0};
}

/* False: it was split meanwhile. */
static bool compare_counts(struct walk *w)
{
	struct survey *f = w->f;
	enum counted counted = COUNTED;
	if (!w->owns_parse) {
		tell_head(w, "one of its rows g does not parse");
		return true;
	}
	if (!w->is_still || !rules_same_counts(&w->rows, &w->owns))
		counted = counts_at_once(
			f, &w->place, &w->bounds, kept_high(&w->head), &w->rows, &w->owns);
	f->result->moving += counted == COUNT_MOVING;
	if (counted == COUNTED && !rules_same_counts(&w->rows, &w->owns))
		counts_differ(f, &w->place, &w->rows, &w->owns);
	return counted != COUNT_AGAIN;
}

static enum page_result attempt(struct walk *w)
{
	enum page_result result;
	begin(w);
	do
		result = take_page(w);
	while (result == PAGE_NEXT);
	if (result == PAGE_END && w->f->err == ERR_OK && !compare_counts(w))
		result = PAGE_SPLIT;
	return result;
}

/* Whoever changes it sets the row first: so the head is read, and then the row. */
static bool versioning_differs(
	struct survey *f, const struct place *place, const struct kept_head *seen)
{
	struct kept_head head;
	if (place->bucket->is_deleted ||
		buckets_versioning_is(f, place->bucket, seen->versioning) ||
		head_read(f, place, &head) != 0)
		return false;
	return !buckets_versioning_is(f, place->bucket, head.versioning);
}

enum walked walk_tablet(struct survey *f, const struct place *place, struct kept_head *ret)
{
	struct walk *w = calloc(1, sizeof(*w));
	enum page_result result = PAGE_SPLIT;
	if (!w) {
		survey_fail(f, ERR_UNAVAILABLE);
		return WALK_GONE;
	}
	w->f = f;
	w->place = *place;
	strbuf_init(&w->guard, GUARD_BYTES_MAX);
	for (unsigned i = 0; result == PAGE_SPLIT && i < ATTEMPTS_MAX; i++) {
		struct rados_fsck_tally tally = f->result->tally;
		uint64_t moving = f->result->moving;
		references_begin(f->refs);
		result = attempt(w);
		if (result == PAGE_END) {
			references_keep(f->refs);
			continue;
		}
		references_drop(f->refs);
		f->result->tally = tally;
		f->result->moving = moving;
	}
	f->result->moving += result == PAGE_SPLIT;
	if (result == PAGE_END && f->err == ERR_OK) {
		f->result->tablets++;
		f->result->standing += head_state_is_work(w->head.state) ||
				       (w->head.state == HEAD_FROZEN && !place->bucket->is_deleted);
		f->result->differing += versioning_differs(f, place, &w->head);
		rest_garbage(f, place, true);
		rest_unknown(f, place);
	}
	*ret = w->head;
	strbuf_release(&w->guard);
	bounds_clear(&w->bounds);
	free(w);
	return result == PAGE_GONE ? WALK_GONE : result == PAGE_BROKEN ? WALK_BROKEN : WALK_DONE;
}
