/* SPDX-License-Identifier: Apache-2.0 */
/* The rows of a tablet that belong to no key. */
#include <errno.h>
#include <stdio.h>

#include "base/log.h"
#include "store/rados/fsck/survey.h"

enum {
	ROW_TEXT_BYTES = 256,
	WHAT_BYTES = ROW_TEXT_BYTES + 96,
};

bool rows_go_on(const struct rows *rows, struct row_key *after)
{
	return rows->more && rows->count && row_key_take(rows->rows[rows->count - 1].key, after);
}

bool head_has(const struct head *head, struct slice key)
{
	return slice_cmp(key, head->low) >= 0 && !head_is_behind(head, key);
}

static void tell_row(struct survey *f, const struct place *place, enum survey_fate fate,
	struct slice row, const char *what)
{
	char text[ROW_TEXT_BYTES];
	char whole[WHAT_BYTES];
	char object[SURVEY_OBJECT_BYTES];
	(void)snprintf(whole, sizeof(whole), "%s: %s", what, log_quoted(row, text, sizeof(text)));
	survey_tell(f, fate, &(struct subject){.bucket = place->bucket, .row = row},
		survey_object(f, f->r->index, place->name, object), whole);
}

/* Whether the row is still there as it was, and, if it has a key, outside of the tablet. */
static bool is_still_so(struct survey *f, const struct place *place, const struct row *row,
	const struct row_name *key)
{
	const struct slice asked[] = {S(ROW_HEAD), row->key};
	struct head head;
	struct fetch *fetch = fetch_new();
	if (!fetch) {
		survey_fail(f, ERR_UNAVAILABLE);
		return false;
	}
	size_t number = fetch_keys(fetch, asked, ARRAY_LEN(asked));
	int result = fetch_run(fetch, f->r->index, place->name);
	bool same = false;
	if (result == 0) {
		const struct rows *rows = fetch_rows(fetch, number);
		same = slice_eq(fetched_value(rows, row->key), row->value);
		if (same && key)
			same = head_parse(fetched_value(rows, S(ROW_HEAD)), &head) &&
			       !head_has(&head, row_name_key(key));
	} else if (result != -ENOENT) {
		survey_fail_ceph(f, result, place->name);
	}
	fetch_free(fetch);
	return same;
}

static void tell_or_mend(
	struct survey *f, const struct place *place, const struct row *row, const char *what)
{
	enum survey_fate fate = FATE_STAYS;
	if (f->options->repairs && mend_row(f, place, row->key, row->value) == MENDED)
		fate = FATE_CORRECTED;
	tell_row(f, place, fate, row->key, what);
}

void rest_loose(
	struct survey *f, const struct place *place, const struct row *row, const char *what)
{
	if (is_still_so(f, place, row, NULL))
		tell_or_mend(f, place, row, what);
}

void rest_outside(struct survey *f, const struct place *place, const struct row *row)
{
	struct row_name name;
	if (!row_key_parse(row->key, &name) || !is_still_so(f, place, row, &name))
		return;
	/* Its data is no orphan. */
	(void)row_refers(f, REFERENCE_OTHER, place, row->key, row->key.ptr[0], row->value);
	tell_or_mend(f, place, row, "a row is outside of its tablet's range");
}

/* ---- Garbage --------------------------------------------------------------------------------- */

static void take_garbage(
	struct survey *f, const struct place *place, const struct row *row, bool tells)
{
	uint64_t epoch;
	uint64_t revision;
	bool ok = row_key_parse_garbage(row->key, &epoch, &revision) &&
		  row_refers(f, REFERENCE_GARBAGE, place, row->key, ROW_GARBAGE, row->value);
	if (!ok && tells)
		rest_loose(f, place, row, "a row of garbage does not parse");
}

void rest_garbage(struct survey *f, const struct place *place, bool tells)
{
	static const char prefix[] = {ROW_GARBAGE, '\0'};
	struct row_key after = {.len = 0};
	bool more = true;
	references_begin(f->refs);
	while (more && f->err == ERR_OK) {
		struct fetch *fetch = fetch_new();
		if (!fetch) {
			survey_fail(f, ERR_UNAVAILABLE);
			break;
		}
		size_t number = fetch_range(fetch, after.bytes, prefix, FETCH_ROWS_MAX);
		int result = fetch_run(fetch, f->r->index, place->name);
		const struct rows *rows = result == 0 ? fetch_rows(fetch, number) : NULL;
		if (!rows && result != -ENOENT)
			survey_fail_ceph(f, result, place->name);
		for (size_t i = 0; rows && i < rows->count; i++)
			take_garbage(f, place, &rows->rows[i], tells);
		more = rows && rows_go_on(rows, &after);
		fetch_free(fetch);
	}
	references_keep(f->refs);
}

/* ---- Of no kind ------------------------------------------------------------------------------ */

static bool is_known(struct slice row)
{
	static const char letters[] = {ROW_OWN, ROW_GARBAGE, ROW_MERGED};
	char kind = row.len ? row.ptr[0] : '\0';
	if (slice_eq(row, S(ROW_EPOCH)) || slice_eq(row, S(ROW_HEAD)))
		return true;
	return kind &&
	       (memchr(kind_letters, kind, KINDS) || memchr(letters, kind, sizeof(letters)));
}

/* Where to go on: behind all of a kind, or behind that row alone. */
static struct row_key go_behind(struct slice row)
{
	struct row_key after = {.len = 0};
	if (is_known(row) && row.len && row.ptr[0] != ROW_EPOCH[0] && row.ptr[0] != ROW_HEAD[0]) {
		after = row_key_of(row.ptr[0], S(""));
		return row_key_past(&after);
	}
	after.len = row.len < ROW_KEY_BYTES_MAX ? row.len : ROW_KEY_BYTES_MAX;
	memcpy(after.bytes, row.ptr, after.len);
	after.bytes[after.len] = '\0';
	return after;
}

void rest_unknown(struct survey *f, const struct place *place)
{
	struct row_key after = {.len = 0};
	bool more = true;
	while (more && f->err == ERR_OK) {
		struct fetch *fetch = fetch_new();
		if (!fetch) {
			survey_fail(f, ERR_UNAVAILABLE);
			break;
		}
		size_t number = fetch_range(fetch, after.bytes, "", 1);
		int result = fetch_run(fetch, f->r->index, place->name);
		const struct rows *rows = result == 0 ? fetch_rows(fetch, number) : NULL;
		if (!rows && result != -ENOENT)
			survey_fail_ceph(f, result, place->name);
		more = rows && rows->count;
		if (more && !is_known(rows->rows[0].key))
			rest_loose(f, place, &rows->rows[0], "a row of no kind that is known");
		if (more)
			after = go_behind(rows->rows[0].key);
		fetch_free(fetch);
	}
}
