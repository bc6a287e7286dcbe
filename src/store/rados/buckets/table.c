/* SPDX-License-Identifier: Apache-2.0 */
#include "store/rados/buckets/table.h"

#include <errno.h>
#include <stdlib.h>

#include "base/log.h"
#include "store/rados/cluster/edit.h"
#include "store/rados/cluster/fetch.h"
#include "store/rados/cluster/observer.h"
#include "store/rados/rows/key.h"
#include "store/rados/rows/tablet_rows.h"
#include "store/rados/tablet/tablet.h"

/* ---- Reading --------------------------------------------------------------------------------- */

/* All rows of a kind, in pages that are kept until the end. */
struct pages {
	struct fetch **fetches;
	size_t count;
	size_t number;
};

static void pages_free(struct pages *pages)
{
	for (size_t i = 0; i < pages->count; i++)
		fetch_free(pages->fetches[i]);
	free(pages->fetches);
}

static const struct rows *page(const struct pages *pages, size_t i)
{
	return fetch_rows(pages->fetches[i], pages->number);
}

static int read_pages(struct rados *r, char kind, struct pages *ret)
{
	const char prefix[] = {kind, '\0'};
	struct row_key after = {.len = 0};
	bool more = true;
	while (more) {
		struct fetch **fetches =
			reallocarray(ret->fetches, ret->count + 1, sizeof(struct fetch *));
		struct fetch *fetch = fetches ? fetch_new() : NULL;
		if (fetches)
			ret->fetches = fetches;
		if (!fetch)
			return -ENOMEM;
		ret->fetches[ret->count++] = fetch;
		ret->number = fetch_range(fetch, after.bytes, prefix, FETCH_ROWS_MAX);
		int result = fetch_run(fetch, r->index, RADOS_BUCKETS);
		if (result < 0)
			return result;
		const struct rows *rows = fetch_rows(fetch, ret->number);
		more = rows->more && rows->count;
		if (!more)
			break;
		if (!row_key_take(rows->rows[rows->count - 1].key, &after))
			return -EBADMSG;
	}
	return 0;
}

static struct slice find(const struct pages *pages, struct slice key)
{
	struct slice value = S("");
	for (size_t i = 0; i < pages->count && value.len == 0; i++)
		value = fetched_value(page(pages, i), key);
	return value;
}

/* A name that is in the row's key. False if the row is none of ours. Without its settings. */
static bool row_of(const struct row *row, struct row_name *name, struct bucket_row *ret)
{
	/* A bucket's key is made like that of an object. */
	char key[1 + 2 * LIMIT_KEY_BYTES];
	if (row->key.len > sizeof(key) || row->key.len == 0)
		return false;
	memcpy(key, row->key.ptr, row->key.len);
	key[0] = ROW_OBJECT;
	if (!row_key_parse(slice_of(key, row->key.len), name) || !bucket_row_parse(row->value, ret))
		return false;
	ret->bucket.name = row_name_key(name);
	return true;
}

static bool bucket_of(const struct row *row, const struct pages *settings, struct row_name *name,
	struct bucket_row *ret)
{
	if (!row_of(row, name, ret))
		return false;
	for (unsigned i = 0; i < STORE_SETTING_COUNT; i++) {
		struct row_key setting = row_key_version(RADOS_SETTING_ROW, row_name_key(name), i);
		ret->bucket.settings[i] = find(settings, row_key_slice(&setting));
	}
	return true;
}

/* The table is being read. */
struct reading {
	struct rados *r;
	bool is_unreachable; /* a tablet that was to be counted */
};

/*
 * What a bucket has that was not known before. One whose tablets cannot all be read is served all
 * the same: if a row is damaged, and at the start, so that a part of the cluster which does not
 * answer keeps no gateway from starting. It is counted as it is changed then.
 */
static enum err count(
	struct reading *reading, const struct store_bucket *bucket, struct store_bucket_stats *ret)
{
	struct rados *r = reading->r;
	enum err e = reading->is_unreachable ? ERR_UNAVAILABLE : tablet_counts(r, bucket->id, ret);
	/* Its last step is still to come, or it is being deleted: it has nothing. */
	if (e == ERR_OK || e == ERR_NO_SUCH_BUCKET)
		return ERR_OK;
	if (e == ERR_UNAVAILABLE && r->has_table)
		return e;
	reading->is_unreachable = e == ERR_UNAVAILABLE; /* nobody waits for another one */
	*ret = (struct store_bucket_stats){.objects = 0};
	log_error("ceph: the bucket %.*s is not counted, as not all of its tablets can be read",
		SLICE_FMT(bucket->name));
	return ERR_OK;
}

/* Puts a bucket into the table in memory. */
static enum err put(struct reading *reading, const struct store_bucket *bucket)
{
	struct rados *r = reading->r;
	enum store_versioning versioning;
	bool is_new = !buckets_find(r->buckets, bucket->id, &versioning);
	struct store_bucket_stats counts = {.objects = 0};
	enum err e = is_new ? count(reading, bucket, &counts) : ERR_OK;
	if (e != ERR_OK)
		return e;
	const struct store_bucket *copy = bucket_copy(bucket);
	if (!copy || !buckets_make_room(r->buckets)) {
		bucket_unref(copy);
		return ERR_UNAVAILABLE;
	}
	buckets_put(r->buckets, copy);
	if (is_new)
		buckets_set_counts(r->buckets, bucket->id, &counts);
	return ERR_OK;
}

struct kept {
	const struct pages *rows;
	struct row_key gone; /* the name of one that is not there any more */
	uint64_t id;
	bool has_gone;
};

static void look_whether_gone(const struct store_bucket *bucket, void *ctx)
{
	struct kept *kept = ctx;
	struct row_key key = row_key_of(RADOS_BUCKET_ROW, bucket->name);
	if (kept->has_gone || find(kept->rows, row_key_slice(&key)).len)
		return;
	kept->has_gone = true;
	kept->id = bucket->id;
	kept->gone = row_key_of(RADOS_BUCKET_ROW, bucket->name);
}

/* Removes from the table in memory what is not in the rows. */
static void remove_gone(struct rados *r, const struct pages *rows)
{
	struct row_name name;
	struct kept kept;
	do {
		kept = (struct kept){.rows = rows};
		buckets_each(r->buckets, look_whether_gone, &kept);
		if (!kept.has_gone)
			return;
		kept.gone.bytes[0] = ROW_OBJECT;
		if (!row_key_parse(row_key_slice(&kept.gone), &name))
			continue;
		directory_forget(r->directory, kept.id);
		buckets_remove(r->buckets, row_name_key(&name));
	} while (kept.has_gone);
}

/* Whether the table in memory has what these rows say; any change gives another generation. */
static bool is_same(struct rados *r, const struct pages *rows)
{
	size_t count = 0;
	bool same = true;
	for (size_t i = 0; i < rows->count; i++)
		for (size_t j = 0; j < page(rows, i)->count && same; j++, count++) {
			struct row_name name;
			struct bucket_row row;
			const struct store_bucket *known = NULL;
			if (row_of(&page(rows, i)->rows[j], &name, &row))
				known = buckets_get(r->buckets, row.bucket.name);
			same = known && known->id == row.bucket.id &&
			       known->generation == row.bucket.generation;
			bucket_unref(known);
		}
	return same && count == buckets_count(r->buckets);
}

/* Reads the table anew. On the thread of `watcher`. */
static enum err read_table(struct rados *r)
{
	struct pages settings = {.fetches = NULL};
	struct pages rows = {.fetches = NULL};
	struct row_name name;
	struct bucket_row row;
	struct reading reading = {.r = r};
	int result = read_pages(r, RADOS_BUCKET_ROW, &rows);
	if (result == 0 && is_same(r, &rows)) {
		pages_free(&rows);
		return ERR_OK;
	}
	/* Whoever changes a setting changes the bucket's row, and notifies again. */
	if (result == 0)
		result = read_pages(r, RADOS_SETTING_ROW, &settings);
	enum err e = cluster_err(result, "reading", RADOS_BUCKETS);
	for (size_t i = 0; e == ERR_OK && i < rows.count; i++)
		for (size_t j = 0; e == ERR_OK && j < page(&rows, i)->count; j++) {
			if (bucket_of(&page(&rows, i)->rows[j], &settings, &name, &row)) {
				e = put(&reading, &row.bucket);
				continue;
			}
			log_error("ceph: a row of the table of buckets is damaged, or of a later "
				  "version");
			e = ERR_INTERNAL;
		}
	if (e == ERR_OK)
		remove_gone(r, &rows);
	r->has_table = r->has_table || e == ERR_OK;
	pages_free(&rows);
	pages_free(&settings);
	return e;
}

/* ---- Watching -------------------------------------------------------------------------------- */

static enum err read_on_watcher(void *ctx)
{
	return read_table(ctx);
}

enum err table_notify(struct rados *r)
{
	return pool_tell(r->index, RADOS_BUCKETS);
}

static int make_table(struct rados *r)
{
	static const char none[8];
	struct slice zero = slice_of(none, sizeof(none));
	struct edit edit = edit_begin(r->index);
	edit_ensure(&edit);
	edit_compare(&edit, S(RADOS_BUCKET_COUNT), S(""));
	edit_set(&edit, S(RADOS_BUCKET_COUNT), zero);
	int result = edit_run(&edit, RADOS_BUCKETS);
	return result == -ECANCELED ? 0 : result;
}

enum err table_open(struct rados *r)
{
	const struct observer_options options = {.pool = r->index,
		.object = RADOS_BUCKETS,
		.thread = "rados-watch",
		.read = read_on_watcher,
		.ctx = r,
		/* Whoever has changed it may have died before it told. */
		.every_ms = r->timers.beat_ms * LIMIT_RADOS_TABLE_BEATS};
	enum err e = cluster_err(make_table(r), "making", RADOS_BUCKETS);
	return e == ERR_OK ? observer_new(&options, &r->watcher) : e;
}

void table_close(struct rados *r)
{
	observer_free(r->watcher);
	r->watcher = NULL;
}
