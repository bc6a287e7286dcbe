/* SPDX-License-Identifier: Apache-2.0 */
/* The records of changes of buckets. */
#include "store/local/commit/plan.h"
#include "store/local/state/local_internal.h"

/* The bucket as it will be, as a new snapshot; `sequence` is that of the record. */
static enum err next_bucket(struct local *local, uint64_t sequence, const struct mutation *mutation,
	struct store_bucket **ret)
{
	struct buckets *buckets = local->buckets;
	const struct store_bucket *old = buckets_get(buckets, mutation->name);
	struct store_bucket next = {.name = mutation->name, .acl = mutation->acl};
	enum err e = ERR_OK;
	if (mutation->kind == MUTATION_BUCKET_CREATE) {
		next.id = sequence;
		next.created_ms = mutation->created_ms;
		next.settings[STORE_SETTING_STORAGE_CLASS] = mutation->storage_class;
		if (old)
			e = ERR_BUCKET_ALREADY_EXISTS;
		else if (buckets_count(buckets) >= LIMIT_BUCKETS)
			e = ERR_TOO_MANY_BUCKETS;
	} else if (!old) {
		e = ERR_NO_SUCH_BUCKET;
	} else {
		next = *old;
		if (mutation->bucket_change->set_acl)
			next.acl = mutation->bucket_change->acl;
		if (mutation->bucket_change->set_versioning)
			next.versioning = mutation->bucket_change->versioning;
		if (mutation->bucket_change->set_setting)
			next.settings[mutation->bucket_change->setting] =
				mutation->bucket_change->value;
	}
	next.generation = sequence;
	*ret = e == ERR_OK ? bucket_copy(&next) : NULL;
	if (e == ERR_OK && !*ret)
		e = ERR_UNAVAILABLE;
	bucket_unref(old);
	return e;
}

static enum err plan_next(struct local *local, uint64_t sequence, struct mutation *mutation)
{
	struct store_bucket *next;
	enum err e = next_bucket(local, sequence, mutation, &next);
	if (e != ERR_OK)
		return e;
	mutation->bucket = next;
	e = plan_make(mutation, RECORD_BUCKET, next->id, mutation->name, bucket_meta_size(next), 0);
	if (e == ERR_OK)
		bucket_meta_write(plan_meta(mutation), next);
	return e;
}

/* ERR_BUCKET_NOT_EMPTY if there is anything. */
static enum err check_empty(struct local *local, uint64_t bucket_id)
{
	static const enum key_kind kinds[] = {KEY_OBJECT, KEY_VERSION, KEY_MULTIPART};
	enum err e = ERR_OK;
	for (size_t i = 0; i < ARRAY_LEN(kinds) && e == ERR_OK; i++) {
		struct key prefix;
		struct slice rest;
		struct slice value;
		key_number(&prefix, kinds[i], bucket_id);
		struct index_cursor *cursor = stage_cursor(local->stage, &prefix);
		if (!cursor)
			return ERR_UNAVAILABLE;
		index_cursor_seek(cursor, S(""));
		bool any = index_cursor_at(cursor, &rest, &value);
		e = any ? ERR_BUCKET_NOT_EMPTY : index_cursor_err(cursor);
		index_cursor_free(cursor);
	}
	return e;
}

static enum err plan_bucket_delete(struct local *local, struct mutation *mutation)
{
	const struct store_bucket *old = buckets_get(local->buckets, mutation->name);
	if (!old)
		return ERR_NO_SUCH_BUCKET;
	uint64_t id = old->id;
	bucket_unref(old);
	enum err e = check_empty(local, id);
	if (e != ERR_OK)
		return e;
	return plan_make(mutation, RECORD_BUCKET_DELETE, id, mutation->name, 0, 0);
}

enum err plan_bucket(struct local *local, uint64_t sequence, struct mutation *mutation)
{
	if (mutation->kind == MUTATION_BUCKET_DELETE)
		return plan_bucket_delete(local, mutation);
	return plan_next(local, sequence, mutation);
}
