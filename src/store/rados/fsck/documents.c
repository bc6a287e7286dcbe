/* SPDX-License-Identifier: Apache-2.0 */
/* Documents, marks and the rings of callbacks. Each object is read in one operation. */
#include <errno.h>
#include <stdio.h>

#include "store/rados/documents/pool_documents.h"
#include "store/rados/documents/pool_marks.h"
#include "store/rados/fsck/survey.h"

#define CALLBACKS "callbacks."

enum {
	OBJECTS = 16, /* of marks, and of callbacks */
	NAME_BYTES = 32,
	ROW_TEXT_BYTES = 128,
	WHAT_BYTES = ROW_TEXT_BYTES + 64,
	ID_DIGITS = 16,
	PLACE_ROW = 's',
	ENTRY_ROW = 'r',
	MARK_DIGITS = 40,
};

static void tell(struct survey *f, const char *name, struct slice row, const char *what)
{
	char object[SURVEY_OBJECT_BYTES];
	char whole[WHAT_BYTES];
	(void)snprintf(whole, sizeof(whole), "%.*s: %s",
		row.len < ROW_TEXT_BYTES ? (int)row.len : ROW_TEXT_BYTES, row.ptr, what);
	survey_tell(f, FATE_STAYS, &(struct subject){.row = row},
		survey_object(f, f->r->index, name, object), whole);
}

/* Behind `after`; NULL if the object is not there, or cannot be read. */
static struct fetch *read_rows(
	struct survey *f, const char *name, const char *after, const char *prefix, size_t *ret)
{
	struct fetch *fetch = fetch_new();
	if (!fetch) {
		survey_fail(f, ERR_UNAVAILABLE);
		return NULL;
	}
	*ret = fetch_range(fetch, after, prefix, FETCH_ROWS_MAX);
	int result = fetch_run(fetch, f->r->index, name);
	if (result == 0)
		return fetch;
	fetch_free(fetch);
	if (result != -ENOENT)
		survey_fail_ceph(f, result, name);
	return NULL;
}

static void check_documents(struct survey *f)
{
	size_t number;
	struct fetch *fetch = read_rows(f, RADOS_DOCUMENTS, "", "", &number);
	const struct rows *rows = fetch ? fetch_rows(fetch, number) : NULL;
	for (size_t i = 0; rows && i < rows->count; i++)
		if (!f->options->fits(RADOS_KEPT_DOCUMENT, rows->rows[i].key, rows->rows[i].value,
			    f->options->ctx))
			tell(f, RADOS_DOCUMENTS, rows->rows[i].key, "the document does not parse");
	fetch_free(fetch);
}

static bool is_hex(struct slice text)
{
	for (size_t i = 0; i < text.len; i++)
		if (!ascii_digit(text.ptr[i]) && (text.ptr[i] < 'a' || text.ptr[i] > 'f'))
			return false;
	return true;
}

static void check_marks(struct survey *f, unsigned object)
{
	char name[NAME_BYTES];
	char after[MARK_DIGITS + 1] = "";
	(void)snprintf(name, sizeof(name), RADOS_MARKS "%x", object);
	for (bool more = true; more && f->err == ERR_OK;) {
		size_t number;
		struct fetch *fetch = read_rows(f, name, after, "", &number);
		const struct rows *rows = fetch ? fetch_rows(fetch, number) : NULL;
		more = rows && rows->more && rows->count;
		for (size_t i = 0; rows && i < rows->count; i++) {
			const struct row *row = &rows->rows[i];
			bool fits = row->key.len == MARK_DIGITS && is_hex(row->key);
			if (!fits || !slice_eq(row->value, S("1")))
				tell(f, name, row->key, "the mark does not parse");
			if (fits)
				memcpy(after, row->key.ptr, MARK_DIGITS);
			else
				more = false;
		}
		fetch_free(fetch);
	}
}

/* Whether the ring has a place for the entry. */
static bool has_place(const struct rows *places, struct slice id)
{
	for (size_t i = 0; i < places->count; i++)
		if (slice_eq(places->rows[i].value, id))
			return true;
	return false;
}

static void check_ring(
	struct survey *f, const char *name, const struct rows *places, const struct rows *entries)
{
	size_t without = 0;
	for (size_t i = 0; i < places->count; i++)
		if (places->rows[i].value.len != ID_DIGITS || !is_hex(places->rows[i].value))
			tell(f, name, places->rows[i].key, "the place does not parse");
	for (size_t i = 0; i < entries->count; i++) {
		const struct row *row = &entries->rows[i];
		if (!f->options->fits(RADOS_KEPT_CALLBACK, row->key, row->value, f->options->ctx))
			tell(f, name, row->key, "the entry does not parse");
		if (!has_place(places, slice_from(row->key, 1))) {
			tell(f, name, row->key, "the entry has no place");
			without++;
		}
	}
	if (!entries->more && places->count > entries->count - without)
		tell(f, name, S("s"), "there are places without an entry");
}

static void check_callbacks(struct survey *f, unsigned object)
{
	static const char place_prefix[] = {PLACE_ROW, '\0'};
	static const char entry_prefix[] = {ENTRY_ROW, '\0'};
	char name[NAME_BYTES];
	(void)snprintf(name, sizeof(name), CALLBACKS "%x", object);
	struct fetch *fetch = fetch_new();
	if (!fetch) {
		survey_fail(f, ERR_UNAVAILABLE);
		return;
	}
	size_t places = fetch_range(fetch, "", place_prefix, FETCH_ROWS_MAX);
	size_t entries = fetch_range(fetch, "", entry_prefix, FETCH_ROWS_MAX);
	int result = fetch_run(fetch, f->r->index, name);
	if (result == 0)
		check_ring(f, name, fetch_rows(fetch, places), fetch_rows(fetch, entries));
	else if (result != -ENOENT)
		survey_fail_ceph(f, result, name);
	fetch_free(fetch);
}

void documents_check(struct survey *f)
{
	check_documents(f);
	for (unsigned i = 0; i < OBJECTS && f->err == ERR_OK; i++) {
		check_marks(f, i);
		check_callbacks(f, i);
	}
}
