/* SPDX-License-Identifier: Apache-2.0 */
#include "store/memory/memory.h"

#include <stdlib.h>

#include "store/memory/memory_internal.h"
#include "store/rules/rules.h"

enum {
	SMALL_BYTES = 512 /* what a small object takes */
};

struct area *memory_area(struct memory *m, uint64_t bucket_id)
{
	for (size_t i = 0; i < ARRAY_LEN(m->areas); i++)
		if (m->areas[i].id == bucket_id)
			return &m->areas[i];
	return NULL;
}

/* ---- Buckets --------------------------------------------------------------------------------- */

static const struct store_bucket *get_bucket(struct store *store, struct slice name)
{
	return buckets_get(memory_of(store)->buckets, name);
}

static void unref_bucket(struct store *store UNUSED, const struct store_bucket *bucket)
{
	bucket_unref(bucket);
}

static void each_bucket(
	struct store *store, void (*row)(const struct store_bucket *bucket, void *ctx), void *ctx)
{
	buckets_each(memory_of(store)->buckets, row, ctx);
}

static void count_bucket(struct store *store, struct store_bucket_count *count)
{
	bool found = buckets_counts(memory_of(store)->buckets, count->bucket_id, &count->stats);
	store_answer(&count->wait, found ? ERR_OK : ERR_NO_SUCH_BUCKET);
}

/* Puts the bucket, which has been decided, into the table. Under the lock. */
static enum err put_bucket(struct memory *m, const struct store_bucket *next)
{
	const struct store_bucket *copy = bucket_copy(next);
	if (!copy)
		return ERR_UNAVAILABLE;
	buckets_put(m->buckets, copy);
	m->sequence++;
	m->stats.commits++;
	return ERR_OK;
}

static void create_bucket(struct store *store, struct store_bucket_create *create)
{
	struct memory *m = memory_of(store);
	struct store_bucket next;
	memory_lock(m);
	const struct store_bucket *old = buckets_get(m->buckets, create->name);
	enum err e = rules_bucket_create(old, buckets_count(m->buckets), create,
		clock_wall_ms(m->clock), m->sequence + 1, &next);
	if (e == ERR_OK)
		e = put_bucket(m, &next);
	if (e == ERR_OK)
		*memory_area(m, 0) = (struct area){.id = next.id};
	memory_unlock(m);
	bucket_unref(old);
	store_answer(&create->wait, e);
}

static void mutation_bucket(struct store *store, struct store_bucket_update *change)
{
	struct memory *m = memory_of(store);
	struct store_bucket next;
	memory_lock(m);
	const struct store_bucket *old = buckets_get(m->buckets, change->name);
	enum err e = rules_bucket_change(old, change, m->sequence + 1, &next);
	if (e == ERR_OK)
		e = put_bucket(m, &next);
	memory_unlock(m);
	bucket_unref(old);
	store_answer(&change->wait, e);
}

static void delete_bucket(struct store *store, struct store_bucket_delete *del)
{
	struct memory *m = memory_of(store);
	memory_lock(m);
	const struct store_bucket *old = buckets_get(m->buckets, del->name);
	struct area *area = old ? memory_area(m, old->id) : NULL;
	enum err e = rules_bucket_delete(
		old, area && !area->current.root && !area->old.root && !area->uploads.root);
	if (e == ERR_OK) {
		buckets_remove(m->buckets, del->name);
		*area = (struct area){.id = 0};
		m->sequence++;
		m->stats.commits++;
	}
	memory_unlock(m);
	bucket_unref(old);
	store_answer(&del->wait, e);
}

/* ---- Opening and closing --------------------------------------------------------------------- */

static void get_stats(struct store *store, struct store_stats *ret)
{
	struct memory *m = memory_of(store);
	memory_lock(m);
	*ret = m->stats;
	memory_unlock(m);
	if (!budget_has(BUDGET_STORE, SMALL_BYTES))
		ret->refusing = "the objects in memory take all that [server] memory has for them";
}

static void close_store(struct store *store)
{
	struct memory *m = memory_of(store);
	for (size_t i = 0; i < ARRAY_LEN(m->areas); i++) {
		items_drop(&m->areas[i].current);
		items_drop(&m->areas[i].old);
		items_drop(&m->areas[i].uploads);
	}
	buckets_free(m->buckets);
	(void)pthread_mutex_destroy(&m->lock);
	free(m);
}

static const struct store_ops ops = {
	.close = close_store,
	.bucket_get = get_bucket,
	.bucket_unref = unref_bucket,
	.bucket_each = each_bucket,
	.bucket_create = create_bucket,
	.bucket_update = mutation_bucket,
	.bucket_delete = delete_bucket,
	.bucket_count = count_bucket,
	.put_begin = memory_put_begin,
	.put_write = memory_put_write,
	.put_commit = memory_put_commit,
	.put_abort = memory_put_abort,
	.get = memory_get,
	.get_release = memory_get_release,
	.read = memory_read,
	.read_release = memory_read_release,
	.delete = memory_delete,
	.metadata_update = memory_object_change,
	.list = memory_list,
	.list_release = memory_list_release,
	.multipart_begin = memory_upload_begin,
	.multipart_abort = memory_upload_abort,
	.multipart_complete = memory_upload_complete,
	.list_parts = memory_list_parts,
	.list_parts_release = memory_list_parts_release,
	.list_multiparts = memory_list_uploads,
	.list_multiparts_release = memory_list_uploads_release,
	.stats = get_stats,
};

enum err memory_store_open(const struct clock *clock, struct store **ret)
{
	struct memory *m = calloc(1, sizeof(*m));
	if (!m)
		return ERR_UNAVAILABLE;
	m->store.ops = &ops;
	m->clock = clock;
	m->buckets = buckets_new();
	if (!m->buckets) {
		free(m);
		return ERR_UNAVAILABLE;
	}
	(void)pthread_mutex_init(&m->lock, NULL);
	*ret = &m->store;
	return ERR_OK;
}
