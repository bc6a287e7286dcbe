/* SPDX-License-Identifier: Apache-2.0 */
#include "store/rados/rados.h"

#include <assert.h>
#include <stdlib.h>

#include "base/limits.h"
#include "store/rados/attach.h"
#include "store/rados/buckets/table.h"
#include "store/rados/cluster/cluster.h"
#include "store/rados/count.h"
#include "store/rados/data/data.h"
#include "store/rados/documents/pool_documents.h"
#include "store/rados/documents/pool_log.h"
#include "store/rados/documents/pool_marks.h"
#include "store/rados/garbage/garbage.h"
#include "store/rados/gateways/gateways.h"
#include "store/rados/list/list.h"
#include "store/rados/mutation.h"
#include "store/rados/tablet/tablet.h"
#include "store/rules/rules.h"

enum {
	PAUSE_US = 2000
};

/* ---- Buckets --------------------------------------------------------------------------------- */

static const struct store_bucket *get_bucket(struct store *store, struct slice name)
{
	return buckets_get(rados_of(store)->buckets, name);
}

static void unref_bucket(struct store *store UNUSED, const struct store_bucket *bucket)
{
	bucket_unref(bucket);
}

static void each_bucket(
	struct store *store, void (*row)(const struct store_bucket *bucket, void *ctx), void *ctx)
{
	buckets_each(rados_of(store)->buckets, row, ctx);
}

struct sum {
	struct rados *r;
	struct store_bucket_stats counts;
};

static void add_counts(const struct store_bucket *bucket, void *ctx)
{
	struct sum *sum = ctx;
	struct store_bucket_stats counts;
	(void)buckets_counts(sum->r->buckets, bucket->id, &counts);
	rules_add_counts(&sum->counts, &counts);
}

static const char *const operations[] = {
	[CLUSTER_READ_ROWS] = "read_rows",
	[CLUSTER_CHANGE_ROWS] = "change_rows",
	[CLUSTER_READ_DATA] = "read_data",
	[CLUSTER_WRITE_DATA] = "write_data",
	[CLUSTER_REMOVE_DATA] = "remove_data",
};
static const char *const results[] = {
	[CLUSTER_DONE] = "done",
	[CLUSTER_OVERTAKEN] = "overtaken",
	[CLUSTER_MISSING] = "missing",
	[CLUSTER_LOST] = "lost",
	[CLUSTER_FAILED] = "failed",
};
static_assert(ARRAY_LEN(operations) == STORE_OPERATIONS && ARRAY_LEN(results) == STORE_RESULTS,
	"the store's are those of the cluster");

static void get_cluster_stats(struct rados *r, struct store_cluster *ret)
{
	struct cluster_counts counts;
	cluster_counts(r->cluster, &counts);
	*ret = (struct store_cluster){.operations = operations,
		.results = results,
		.reads = thread_queue_waiting(r->readers),
		.lost = atomic_load(&r->lost),
		.tablets = directory_tablets(r->directory),
		.splits = atomic_load(&r->splits),
		.merges = atomic_load(&r->merges),
		.removed = atomic_load(&r->removed),
		.gateways = atomic_load(&r->living),
		.is_full = atomic_load(&r->is_full),
		.heard_seconds = (uint64_t)life_unheard_ms(&r->life) / 1000};
	for (unsigned i = 0; i < RADOS_TABLET_THREADS; i++)
		ret->changes += thread_queue_waiting(r->tablet_threads[i]);
	memcpy(ret->counts, counts.counts, sizeof(ret->counts));
	memcpy(ret->latency, counts.latency, sizeof(ret->latency));
}

/* Why nobody can be served. */
static const char *why_silent(struct rados *r)
{
	if (atomic_load(&r->life.is_expelled))
		return "the other gateways have taken this one for dead";
	if (life_unheard_ms(&r->life) > (int64_t)r->timers.beat_ms * LIMIT_RADOS_SILENT_BEATS)
		return "Ceph does not answer";
	return NULL;
}

static void get_stats(struct store *store, struct store_stats *ret)
{
	struct rados *r = rados_of(store);
	struct sum sum = {.r = r};
	buckets_each(r->buckets, add_counts, &sum);
	*ret = (struct store_stats){.objects = sum.counts.objects,
		.bytes = sum.counts.bytes,
		.commits = atomic_load(&r->commits),
		.syncs = atomic_load(&r->syncs),
		.damaged_reads = atomic_load(&r->damaged_reads),
		.silent = why_silent(r),
		.is_over = atomic_load(&r->life.is_expelled)};
	get_cluster_stats(r, &ret->cluster);
}

/* ---- Opening and closing --------------------------------------------------------------------- */

/*
 * Puts that were aborted, and chunks that are removed, have nobody who waits for them; and a change
 * may still go from a tablet's thread to another one.
 */
static void wait_for_transfers(const struct rados *r)
{
	while (atomic_load(&r->transfers))
		(void)usleep(PAUSE_US);
}

static void close_store(struct store *store)
{
	struct rados *r = rados_of(store);
	atomic_store(&r->closes, true);
	collector_stop(r);
	thread_queue_free(r->admin);
	wait_for_transfers(r);
	for (unsigned i = 0; i < RADOS_TABLET_THREADS; i++)
		thread_queue_free(r->tablet_threads[i]);
	thread_queue_free(r->readers);
	table_close(r);
	gateways_leave(r);
	tablets_free(r);
	directory_free(r->directory);
	buckets_free(r->buckets);
	rados_detach(r);
}

static const struct store_ops ops = {
	.close = close_store,
	.bucket_get = get_bucket,
	.bucket_unref = unref_bucket,
	.bucket_each = each_bucket,
	.bucket_create = bucket_create_begin,
	.bucket_update = bucket_update_begin,
	.bucket_delete = bucket_delete_begin,
	.bucket_count = rados_bucket_count,
	.put_begin = rados_put_begin,
	.put_write = rados_put_write,
	.put_commit = rados_put_commit,
	.put_abort = rados_put_abort,
	.get = rados_get,
	.get_release = rados_get_release,
	.read = rados_read,
	.read_release = rados_read_release,
	.damaged = rados_damaged,
	.delete = rados_delete,
	.metadata_update = rados_metadata_update,
	.list = rados_list,
	.list_release = rados_list_release,
	.multipart_begin = rados_multipart_begin,
	.multipart_abort = rados_multipart_abort,
	.multipart_complete = rados_multipart_complete,
	.list_parts = rados_list_parts,
	.list_parts_release = rados_list_parts_release,
	.list_multiparts = rados_list_uploads,
	.list_multiparts_release = rados_list_uploads_release,
	.stats = get_stats,
};

static enum err start_threads(struct rados *r)
{
	enum err e = ERR_OK;
	const struct thread_queue_options tablets = {
		.name = "rados", .batch = change_run_all, .state = r};
	const struct thread_queue_options readers = {
		.name = "rados-read", .threads = RADOS_READ_THREADS};
	const struct thread_queue_options admin = {.name = "rados-admin"};
	for (unsigned i = 0; i < RADOS_TABLET_THREADS && e == ERR_OK; i++)
		e = thread_queue_new(&tablets, &r->tablet_threads[i]);
	if (e == ERR_OK)
		e = thread_queue_new(&readers, &r->readers);
	return e == ERR_OK ? thread_queue_new(&admin, &r->admin) : e;
}

enum err rados_store_open(const struct rados_options *options, struct store **ret)
{
	struct rados *r = NULL;
	enum err e = rados_attach(options, &r);
	if (e != ERR_OK)
		return e;
	e = rados_check_rights(r, options);
	if (e != ERR_OK) {
		rados_detach(r);
		return e;
	}
	r->store.ops = &ops;
	r->buckets = buckets_new();
	r->directory = directory_new();
	e = r->buckets && r->directory ? gateways_join(r) : ERR_UNAVAILABLE;
	if (e == ERR_OK)
		e = start_threads(r);
	if (e == ERR_OK)
		e = table_open(r);
	if (e == ERR_OK)
		e = collector_start(r);
	if (e != ERR_OK) {
		close_store(&r->store);
		return e;
	}
	*ret = &r->store;
	return ERR_OK;
}

/* ---- Documents ------------------------------------------------------------------------------- */

enum err rados_documents(struct store *store, struct documents **ret)
{
	struct rados *r = rados_of(store);
	return documents_in_pool(r->index, r->timers.look_ms, ret);
}

enum err rados_marks(struct store *store, struct shared_marks **ret)
{
	struct rados *r = rados_of(store);
	return marks_in_pool(r->index, r->clock, ret);
}

/* As versions are numbered: by time, and no two are the same. */
static int64_t next_log_id(void *ctx)
{
	return (int64_t)(rados_version(ctx, 0) & INT64_MAX);
}

enum err rados_log(struct store *store, const char *name, struct shared_log **ret)
{
	struct rados *r = rados_of(store);
	const struct pool_log_options options = {.pool = r->index,
		.name = name,
		.gateway = r->instance,
		.entries = LIMIT_RADOS_RING,
		.next_id = next_log_id,
		.ctx = r};
	return log_in_pool(&options, ret);
}

enum err rados_documents_open(const struct rados_options *options, struct documents **ret)
{
	struct cluster *cluster = NULL;
	struct pool *index;
	enum err e = rados_connect(options, &cluster, &index);
	if (e == ERR_OK)
		return documents_in_own_pool(index, cluster, ret);
	cluster_close(cluster);
	return e;
}
