/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Walks the index and the one that was made from the log side by side, by key. Rows that differ, or
 * that only one of them has, are findings.
 */
#include <stdio.h>
#include <string.h>

#include "store/local/disk/bytes.h"
#include "store/local/fsck/fsck_internal.h"

enum {
	TEXT_BYTES = 160
};

/* The row at which a cursor is; false at the end. */
struct at {
	struct index_cursor *cursor;
	struct slice rest;
	struct slice value;
	bool found;
};

static void open_at(struct fsck *f, struct index *index, const struct key *prefix, struct at *at)
{
	*at = (struct at){.cursor = index ? index_cursor_new(index, NULL, prefix) : NULL};
	if (index && !at->cursor)
		fsck_fail(f, ERR_UNAVAILABLE);
	if (!at->cursor)
		return;
	index_cursor_seek(at->cursor, S(""));
	at->found = index_cursor_at(at->cursor, &at->rest, &at->value);
}

static void next(struct at *at)
{
	index_cursor_next(at->cursor);
	at->found = index_cursor_at(at->cursor, &at->rest, &at->value);
}

static void close_at(struct fsck *f, struct at *at)
{
	if (at->cursor && index_cursor_err(at->cursor) != ERR_OK)
		fsck_fail(f, ERR_INTERNAL);
	index_cursor_free(at->cursor);
}

static int compare(struct slice a, struct slice b)
{
	size_t len = a.len < b.len ? a.len : b.len;
	int order = len ? memcmp(a.ptr, b.ptr, len) : 0;
	if (order == 0)
		order = a.len < b.len ? -1 : a.len > b.len;
	return order;
}

void pair_walk(struct fsck *f, const struct key *prefix,
	void (*row)(
		struct fsck *f, enum pair pair, struct slice rest, struct slice value, void *ctx),
	void *ctx)
{
	struct at a;
	struct at b;
	bool alone = f->from == f->rebuilt || !f->rebuilt;
	enum pair single = f->from == f->rebuilt ? PAIR_SAME : PAIR_UNKNOWN;
	open_at(f, f->from, prefix, &a);
	open_at(f, alone ? NULL : f->rebuilt, prefix, &b);
	while (f->err == ERR_OK && (a.found || b.found)) {
		int order = 0;
		if (a.found && b.found)
			order = compare(a.rest, b.rest);
		else if (!alone)
			order = a.found ? -1 : 1;
		if (alone)
			row(f, single, a.rest, a.value, ctx);
		else if (order == 0)
			row(f, slice_eq(a.value, b.value) ? PAIR_SAME : PAIR_DIFFERENT, a.rest,
				a.value, ctx);
		else if (order < 0)
			row(f, PAIR_ONLY_INDEX, a.rest, a.value, ctx);
		else
			row(f, PAIR_ONLY_LOG, b.rest, b.value, ctx);
		if (order <= 0)
			next(&a);
		if (order >= 0 && !alone)
			next(&b);
	}
	close_at(f, &a);
	close_at(f, &b);
}

/* ---- Rows that no entry is made of ----------------------------------------------------------- */

static struct subject about_row(enum key_kind kind, struct slice rest)
{
	struct subject about = {.bucket_id = 0};
	if ((kind == KEY_NULL || kind == KEY_BUCKET_RECORD) && rest.len >= 8) {
		about.bucket_id = be64_get(rest.ptr);
		about.key = slice_from(rest, 8);
	}
	return about;
}

/*
 * What is known of a segment that was removed is forgotten by the next start; and nothing can come
 * back from one that is older than what the log has all of.
 */
static bool is_of_no_use(struct fsck *f, enum key_kind kind, struct slice rest)
{
	if ((kind != KEY_ENDED && kind != KEY_MOVED) || rest.len < 8)
		return false;
	struct segment *segment = segment_pin(f->segments, be64_get(rest.ptr));
	bool is_older = segment && segment->first_sequence < f->format.since;
	bool result = !segment || (kind == KEY_MOVED && is_older);
	segment_unpin(segment);
	return result;
}

static void check_row(
	struct fsck *f, enum pair pair, struct slice rest, struct slice value UNUSED, void *ctx)
{
	const enum key_kind *kind = ctx;
	char text[TEXT_BYTES];
	struct subject about = about_row(*kind, rest);
	if (pair == PAIR_SAME || pair == PAIR_UNKNOWN || is_of_no_use(f, *kind, rest))
		return;
	const char *how = ", and the log gives another";
	if (pair == PAIR_ONLY_LOG)
		how = " that the log gives";
	else if (pair == PAIR_ONLY_INDEX)
		how = " that the log does not give";
	(void)snprintf(text, sizeof(text), "the index %s a row of kind %c%s",
		pair == PAIR_ONLY_LOG ? "lacks" : "has", (char)*kind, how);
	if (*kind == KEY_BUCKET)
		about.key = rest;
	fsck_tell(f, &about, "index", FSCK_NOWHERE, text);
}

void compare_rest(struct fsck *f)
{
	static const enum key_kind kinds[] = {
		KEY_BUCKET, KEY_BUCKET_RECORD, KEY_NULL, KEY_ENDED, KEY_MOVED};
	struct key prefix;
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
		enum key_kind kind = kinds[i];
		key_kind(&prefix, kind);
		pair_walk(f, &prefix, check_row, &kind);
	}
}
