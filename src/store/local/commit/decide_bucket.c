/* SPDX-License-Identifier: Apache-2.0 */
#include "store/local/commit/decide.h"
#include "store/local/state/local_internal.h"

/* The bucket as it will be, as a new snapshot. */
static enum err next_bucket(struct local *local, uint64_t sequence, struct mutation *mutation,
	struct store_bucket **ret)
{
	struct buckets *buckets = local->buckets;
	const struct store_bucket *old = buckets_get(buckets, mutation->name);
	struct store_bucket next;
	enum err e;
	if (mutation->kind == MUTATION_BUCKET_CREATE)
		e = rules_bucket_create(old, buckets_count(buckets), mutation->bucket_create,
			mutation->created_ms, sequence, &next);
	else
		e = rules_bucket_change(old, mutation->bucket_change, sequence, &next);
	*ret = e == ERR_OK ? bucket_copy(&next) : NULL;
	if (e == ERR_OK && !*ret)
		e = ERR_UNAVAILABLE;
	bucket_unref(old);
	return e;
}

static enum err decide_next(struct local *local, uint64_t sequence, struct mutation *mutation)
{
	struct store_bucket *next;
	enum err e = next_bucket(local, sequence, mutation, &next);
	if (e != ERR_OK)
		return e;
	mutation->bucket = next;
	e = make_record_head(
		mutation, RECORD_BUCKET, next->id, mutation->name, bucket_meta_size(next), 0);
	if (e == ERR_OK)
		bucket_meta_write(mutation_meta(mutation), next);
	return e;
}

/* Whether there is anything in the bucket. */
static enum err look_inside(struct local *local, uint64_t bucket_id, bool *ret_is_empty)
{
	static const enum key_kind kinds[] = {KEY_OBJECT, KEY_VERSION, KEY_MULTIPART};
	enum err e = ERR_OK;
	*ret_is_empty = true;
	for (size_t i = 0; i < ARRAY_LEN(kinds) && e == ERR_OK && *ret_is_empty; i++) {
		struct key prefix;
		struct slice rest;
		struct slice value;
		key_number(&prefix, kinds[i], bucket_id);
		struct index_cursor *cursor = index_batch_cursor(local->batch, &prefix);
		if (!cursor)
			return ERR_UNAVAILABLE;
		index_cursor_seek(cursor, S(""));
		*ret_is_empty = !index_cursor_at(cursor, &rest, &value);
		e = *ret_is_empty ? index_cursor_err(cursor) : ERR_OK;
		index_cursor_free(cursor);
	}
	return e;
}

static enum err decide_delete(struct local *local, struct mutation *mutation)
{
	const struct store_bucket *old = buckets_get(local->buckets, mutation->name);
	uint64_t id = old ? old->id : 0;
	bool is_empty = false;
	enum err e = old ? look_inside(local, id, &is_empty) : ERR_OK;
	if (e == ERR_OK)
		e = rules_bucket_delete(old, is_empty);
	bucket_unref(old);
	if (e != ERR_OK)
		return e;
	return make_record_head(mutation, RECORD_BUCKET_DELETE, id, mutation->name, 0, 0);
}

enum err decide_bucket(struct local *local, uint64_t sequence, struct mutation *mutation)
{
	if (mutation->kind == MUTATION_BUCKET_DELETE)
		return decide_delete(local, mutation);
	return decide_next(local, sequence, mutation);
}
