/* SPDX-License-Identifier: Apache-2.0 */
#include "store/local/index/counts.h"

#include "base/log.h"
#include "store/local/disk/bytes.h"

enum {
	COUNTS_BYTES = 48
};

void counts_put(struct index_tx *tx, uint64_t bucket_id, const struct store_bucket_stats *counts)
{
	struct key key;
	char bytes[COUNTS_BYTES];
	le64_put(bytes, counts->objects);
	le64_put(bytes + 8, counts->bytes);
	le64_put(bytes + 16, counts->old_versions);
	le64_put(bytes + 24, counts->old_bytes);
	le64_put(bytes + 32, counts->uploads);
	le64_put(bytes + 40, counts->part_bytes);
	key_number(&key, KEY_COUNTS, bucket_id);
	index_tx_put(tx, &key, slice_of(bytes, sizeof(bytes)));
}

bool counts_parse(struct slice bytes, struct store_bucket_stats *ret)
{
	if (bytes.len != COUNTS_BYTES)
		return false;
	ret->objects = le64_get(bytes.ptr);
	ret->bytes = le64_get(bytes.ptr + 8);
	ret->old_versions = le64_get(bytes.ptr + 16);
	ret->old_bytes = le64_get(bytes.ptr + 24);
	ret->uploads = le64_get(bytes.ptr + 32);
	ret->part_bytes = le64_get(bytes.ptr + 40);
	return true;
}

/* ---- Counting -------------------------------------------------------------------------------- */

struct sum {
	uint64_t entries;
	uint64_t bytes;
};

/* Adds up the entries of a kind that belong to `number`; `row` is called for each with its rest. */
static enum err add_up(struct index *index, enum key_kind kind, uint64_t number,
	enum err (*row)(struct index *index, struct slice rest, void *ctx), void *ctx,
	struct sum *ret)
{
	struct key prefix;
	struct slice rest;
	struct slice value;
	struct entry entry;
	enum err e = ERR_OK;
	key_number(&prefix, kind, number);
	struct index_cursor *cursor = index_cursor_new(index, NULL, &prefix);
	if (!cursor)
		return ERR_UNAVAILABLE;
	index_cursor_seek(cursor, S(""));
	while (e == ERR_OK && index_cursor_at(cursor, &rest, &value)) {
		ret->entries++;
		if (entry_parse(value, &entry))
			ret->bytes += entry.meta.object.size;
		if (row)
			e = row(index, rest, ctx);
		index_cursor_next(cursor);
	}
	if (e == ERR_OK)
		e = index_cursor_err(cursor);
	index_cursor_free(cursor);
	return e;
}

static enum err add_parts(struct index *index, struct slice rest, void *ctx)
{
	struct slice object_key;
	uint64_t upload;
	if (!key_split_upload(rest, &object_key, &upload))
		return ERR_OK;
	return add_up(index, KEY_PART, upload, NULL, NULL, ctx);
}

enum err counts_count(struct index *index, uint64_t bucket_id, struct store_bucket_stats *ret)
{
	struct sum objects = {.entries = 0};
	struct sum old = {.entries = 0};
	struct sum uploads = {.entries = 0};
	struct sum parts = {.entries = 0};
	enum err e = add_up(index, KEY_OBJECT, bucket_id, NULL, NULL, &objects);
	if (e == ERR_OK)
		e = add_up(index, KEY_VERSION, bucket_id, NULL, NULL, &old);
	if (e == ERR_OK)
		e = add_up(index, KEY_MULTIPART, bucket_id, add_parts, &parts, &uploads);
	*ret = (struct store_bucket_stats){
		.objects = objects.entries,
		.bytes = objects.bytes,
		.old_versions = old.entries,
		.old_bytes = old.bytes,
		.uploads = uploads.entries,
		.part_bytes = parts.bytes,
	};
	return e;
}

/* ---- Loading --------------------------------------------------------------------------------- */

struct loading {
	struct index *index;
	struct buckets *buckets;
	struct index_tx *tx;
	enum err err;
};

static void load(const struct store_bucket *bucket, void *ctx)
{
	struct loading *loading = ctx;
	struct store_bucket_stats counts;
	struct index_value value;
	struct key key;
	if (loading->err != ERR_OK)
		return;
	key_number(&key, KEY_COUNTS, bucket->id);
	enum index_found found = index_get(loading->index, &key, false, &value);
	bool known = found == INDEX_FOUND && counts_parse(value.bytes, &counts);
	if (found == INDEX_FOUND)
		index_value_release(&value);
	if (found == INDEX_FAILED) {
		loading->err = ERR_INTERNAL;
		return;
	}
	if (!known) {
		log_info("store: counting what the bucket %.*s holds", SLICE_FMT(bucket->name));
		loading->err = counts_count(loading->index, bucket->id, &counts);
		counts_put(loading->tx, bucket->id, &counts);
	}
	buckets_set_counts(loading->buckets, bucket->id, &counts);
}

enum err counts_load(struct index *index, struct buckets *buckets)
{
	struct loading loading = {.index = index, .buckets = buckets, .err = ERR_OK};
	loading.tx = index_tx_new(index);
	if (!loading.tx)
		return ERR_UNAVAILABLE;
	buckets_each(buckets, load, &loading);
	if (loading.err == ERR_OK)
		loading.err = index_tx_write(loading.tx);
	index_tx_free(loading.tx);
	return loading.err;
}
