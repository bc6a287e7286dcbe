/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The table of buckets. Each page is of one moment, with how many buckets there are; while that is
 * the same, all of them are: unless one was made and one deleted, so what looks wrong is read
 * again.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "store/rados/fsck/survey.h"
#include "store/rados/rows/field.h"

enum {
	ATTEMPTS_MAX = 100,
	WRONG_MAX = 10, /* times in a row; then it is so */
	COUNT_BYTES = 8,
	SETTINGS_TOGETHER = 16,
	NAME_ROW_MAX = 1 + 2 * LIMIT_KEY_BYTES,
};

/* A row that is not as it should be, until it is known that this attempt holds. */
struct bad_row {
	char name[LIMIT_KEY_BYTES];
	size_t len;
	const char *what;
};

struct reading {
	struct survey *f;
	struct known_buckets *known;
	struct strbuf count; /* the value of the row */
	struct bad_row *bad;
	size_t bad_count;
	size_t alive;
	struct row_key after;
};

void known_buckets_free(struct known_buckets *buckets)
{
	for (size_t i = 0; i < buckets->count; i++)
		free(buckets->list[i].name);
	free(TAKE(buckets->list));
	buckets->count = 0;
}

const struct known_bucket *known_bucket_find(const struct known_buckets *buckets, uint64_t id)
{
	for (size_t i = 0; i < buckets->count; i++)
		if (buckets->list[i].id == id)
			return &buckets->list[i];
	return NULL;
}

static void add(struct reading *reading, struct slice name, uint64_t id, bool is_deleted)
{
	struct known_buckets *known = reading->known;
	struct known_bucket *list =
		reallocarray(known->list, known->count + 1, sizeof(*known->list));
	char *copy = strndup(name.ptr, name.len);
	if (list)
		known->list = list;
	if (!list || !copy) {
		free(copy);
		survey_fail(reading->f, ERR_UNAVAILABLE);
		return;
	}
	known->list[known->count++] = (struct known_bucket){copy, id, is_deleted};
}

static void note_bad(struct reading *reading, struct slice name, const char *what)
{
	struct bad_row *bad =
		reallocarray(reading->bad, reading->bad_count + 1, sizeof(*reading->bad));
	if (!bad) {
		survey_fail(reading->f, ERR_UNAVAILABLE);
		return;
	}
	reading->bad = bad;
	struct bad_row *row = &bad[reading->bad_count++];
	*row = (struct bad_row){.what = what};
	row->len = name.len < sizeof(row->name) ? name.len : sizeof(row->name);
	memcpy(row->name, name.ptr, row->len);
}

/* A bucket's key is made like that of an object. */
static bool take_name(struct slice row, struct row_name *ret)
{
	char key[NAME_ROW_MAX];
	if (row.len == 0 || row.len > sizeof(key))
		return false;
	memcpy(key, row.ptr, row.len);
	key[0] = ROW_OBJECT;
	return row_key_parse(slice_of(key, row.len), ret);
}

static void take_bucket(struct reading *reading, const struct row *row)
{
	struct row_name name;
	struct bucket_row bucket;
	reading->alive++;
	if (!take_name(row->key, &name))
		note_bad(reading, slice_from(row->key, 1), "the name in its row is none");
	else if (!bucket_row_parse(row->value, &bucket))
		note_bad(reading, row_name_key(&name), "its row does not parse");
	else if (known_bucket_find(reading->known, bucket.bucket.id))
		note_bad(reading, row_name_key(&name), "another bucket has its tablets, too");
	else
		add(reading, row_name_key(&name), bucket.bucket.id, false);
}

static void take_deleted(struct reading *reading, const struct row *row)
{
	uint64_t id;
	if (!row_key_parse_number(row->key, RADOS_DELETED_ROW, &id))
		note_bad(reading, S(""), "a row of a deleted bucket does not parse");
	else if (known_bucket_find(reading->known, id))
		note_bad(reading, S(""), "a bucket is there, and deleted");
	else
		add(reading, S(""), id, true);
}

/* Reads on with rows of a kind. 0, -ECANCELED: the table has changed, or -errno. */
static int read_page(struct reading *reading, char kind, bool *ret_more)
{
	const char prefix[] = {kind, '\0'};
	static const struct slice count_key = SLICE_LIT(RADOS_BUCKET_COUNT);
	struct fetch *fetch = fetch_new();
	if (!fetch)
		return -ENOMEM;
	size_t count_number = fetch_keys(fetch, &count_key, 1);
	size_t number = fetch_range(fetch, reading->after.bytes, prefix, FETCH_ROWS_MAX);
	int result = fetch_run(fetch, reading->f->r->index, RADOS_BUCKETS);
	*ret_more = false;
	if (result == 0) {
		const struct rows *rows = fetch_rows(fetch, number);
		struct slice count = fetched_value(fetch_rows(fetch, count_number), count_key);
		if (reading->count.len == 0)
			strbuf_add_slice(&reading->count, count);
		else if (!slice_eq(strbuf_slice(&reading->count), count))
			result = -ECANCELED;
		for (size_t i = 0; i < rows->count && result == 0; i++) {
			if (kind == RADOS_BUCKET_ROW)
				take_bucket(reading, &rows->rows[i]);
			else
				take_deleted(reading, &rows->rows[i]);
		}
		*ret_more = rows_go_on(rows, &reading->after);
	}
	if (!*ret_more)
		reading->after.bytes[0] = '\0';
	fetch_free(fetch);
	return result;
}

static int read_all(struct reading *reading)
{
	static const char kinds[] = {RADOS_BUCKET_ROW, RADOS_DELETED_ROW};
	int result = 0;
	for (size_t i = 0; i < ARRAY_LEN(kinds) && result == 0; i++)
		for (bool more = true; more && result == 0;)
			result = read_page(reading, kinds[i], &more);
	return result;
}

static void forget(struct reading *reading)
{
	known_buckets_free(reading->known);
	strbuf_clear(&reading->count);
	reading->bad_count = 0;
	reading->alive = 0;
	reading->after.bytes[0] = '\0';
}

/* Whether the number of buckets is that of the rows; *ret_is_number: it is one. */
static bool count_fits(const struct reading *reading, bool *ret_is_number)
{
	struct field_reader reader = {.rest = strbuf_slice(&reading->count)};
	uint64_t count = field_number(&reader, COUNT_BYTES);
	*ret_is_number = field_end(&reader);
	return *ret_is_number && count == reading->alive;
}

static void tell_all(struct reading *reading)
{
	struct survey *f = reading->f;
	bool is_number;
	char what[96];
	for (size_t i = 0; i < reading->bad_count; i++) {
		const struct bad_row *bad = &reading->bad[i];
		char name[LIMIT_KEY_BYTES + 1];
		memcpy(name, bad->name, bad->len);
		name[bad->len] = '\0';
		const struct known_bucket bucket = {.name = name};
		survey_tell(f, FATE_STAYS, &(struct subject){.bucket = &bucket},
			"index/" RADOS_BUCKETS, bad->what);
	}
	if (count_fits(reading, &is_number))
		return;
	(void)snprintf(what, sizeof(what), "there are %zu buckets, and the number of them says %s",
		reading->alive, is_number ? "another one" : "nothing");
	survey_tell(f, FATE_STAYS, NULL, "index/" RADOS_BUCKETS, what);
}

/* ---- Versioning ------------------------------------------------------------------------------ */

bool buckets_versioning_is(
	struct survey *f, const struct known_bucket *bucket, enum store_versioning versioning)
{
	struct row_key key = row_key_of(RADOS_BUCKET_ROW, slice_str(bucket->name));
	struct slice name = row_key_slice(&key);
	struct bucket_row row;
	struct fetch *fetch = fetch_new();
	if (!fetch) {
		survey_fail(f, ERR_UNAVAILABLE);
		return true;
	}
	size_t number = fetch_keys(fetch, &name, 1);
	int result = fetch_run(fetch, f->r->index, RADOS_BUCKETS);
	survey_fail_ceph(f, result, RADOS_BUCKETS);
	/* Another one has its name by now, or nobody. */
	bool is_other = result < 0 ||
			!bucket_row_parse(fetched_value(fetch_rows(fetch, number), name), &row) ||
			row.bucket.id != bucket->id;
	fetch_free(fetch);
	return is_other || row.bucket.versioning == versioning;
}

/* ---- Settings -------------------------------------------------------------------------------- */

/* Whether the setting is there, and its bucket is not. */
static bool is_setting_lone(struct survey *f, const struct row_key *setting, struct slice name)
{
	struct row_key bucket = row_key_of(RADOS_BUCKET_ROW, name);
	const struct slice keys[] = {row_key_slice(setting), row_key_slice(&bucket)};
	struct fetch *fetch = fetch_new();
	if (!fetch) {
		survey_fail(f, ERR_UNAVAILABLE);
		return false;
	}
	size_t number = fetch_keys(fetch, keys, ARRAY_LEN(keys));
	int result = fetch_run(fetch, f->r->index, RADOS_BUCKETS);
	survey_fail_ceph(f, result, RADOS_BUCKETS);
	bool lone = result == 0 && fetched_value(fetch_rows(fetch, number), keys[0]).len &&
		    fetched_value(fetch_rows(fetch, number), keys[1]).len == 0;
	fetch_free(fetch);
	return lone;
}

/* Its key is made like that of a version, whose number says which setting it is. */
static void check_setting(struct survey *f, struct slice row)
{
	struct row_key key = {.len = row.len};
	struct row_name name = {.key_len = 0};
	const char *what = "the row of a setting does not parse";
	bool parses = false;
	if (row.len <= ROW_KEY_BYTES_MAX) {
		memcpy(key.bytes, row.ptr, row.len);
		key.bytes[0] = ROW_VERSION;
		parses = row_key_parse(row_key_slice(&key), &name) &&
			 name.number < STORE_SETTING_COUNT;
		key.bytes[0] = RADOS_SETTING_ROW;
	}
	if (parses && !is_setting_lone(f, &key, row_name_key(&name)))
		return;
	if (parses)
		what = "a setting of a bucket that is not there";
	survey_tell(f, FATE_STAYS, &(struct subject){.row = row}, "index/" RADOS_BUCKETS, what);
}

/* A few at a time: one may have 256 KiB. */
static void check_settings(struct survey *f)
{
	static const char prefix[] = {RADOS_SETTING_ROW, '\0'};
	struct row_key after = {.len = 0};
	for (bool more = true; more && f->err == ERR_OK;) {
		struct fetch *fetch = fetch_new();
		if (!fetch) {
			survey_fail(f, ERR_UNAVAILABLE);
			return;
		}
		size_t number = fetch_range(fetch, after.bytes, prefix, SETTINGS_TOGETHER);
		int result = fetch_run(fetch, f->r->index, RADOS_BUCKETS);
		survey_fail_ceph(f, result, RADOS_BUCKETS);
		const struct rows *rows = result == 0 ? fetch_rows(fetch, number) : NULL;
		for (size_t i = 0; rows && i < rows->count; i++)
			check_setting(f, rows->rows[i].key);
		more = rows && rows_go_on(rows, &after);
		fetch_free(fetch);
	}
}

/* ---------------------------------------------------------------------------------------------- */

void buckets_read(struct survey *f, bool tells, struct known_buckets *ret)
{
	struct reading reading = {.f = f, .known = ret};
	int result = -ECANCELED;
	unsigned wrong = 0;
	bool is_number;
	*ret = (struct known_buckets){.count = 0};
	strbuf_init(&reading.count, 1024);
	for (unsigned i = 0; i < ATTEMPTS_MAX && result == -ECANCELED && f->err == ERR_OK; i++) {
		forget(&reading);
		result = read_all(&reading);
		bool looks_wrong = reading.bad_count || !count_fits(&reading, &is_number);
		if (result == 0 && looks_wrong && ++wrong < WRONG_MAX)
			result = -ECANCELED;
	}
	survey_fail_ceph(f, result, RADOS_BUCKETS);
	if (f->err == ERR_OK && tells)
		tell_all(&reading);
	if (f->err == ERR_OK && tells)
		check_settings(f);
	strbuf_release(&reading.count);
	free(reading.bad);
}
