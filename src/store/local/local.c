/* SPDX-License-Identifier: Apache-2.0 */
#include "store/local/local.h"

#include <unistd.h>

#include "base/limits.h"
#include "base/log.h"
#include "store/local/commit/committer.h"
#include "store/local/commit/empty_lists.h"
#include "store/local/commit/mutations.h"
#include "store/local/commit/recover.h"
#include "store/local/control/control.h"
#include "store/local/disk/files.h"
#include "store/local/gc/gc.h"
#include "store/local/gc/upgrade_log.h"
#include "store/local/large/large.h"
#include "store/local/put.h"
#include "store/local/read/read.h"
#include "store/local/scrub/scrub.h"
#include "store/local/state/folder.h"
#include "store/local/state/local_internal.h"

enum {
	READERS = 2,
};

#define SEGMENT_BYTES_DEFAULT MIB(256)
#define SEGMENT_BYTES_MIN MIB(4) /* several records of any size */
#define GC_RATE_DEFAULT MIB(32)
#define GC_INTERVAL_MS_DEFAULT 10000
#define SCRUB_INTERVAL_MS_DEFAULT UINT64_C(604800000)
#define WRITERS_DEFAULT 4 /* two for each of two uploads at a time: one hashes, one writes */

/* ---- Opening --------------------------------------------------------------------------------- */

static enum err open_segments(struct local *local)
{
	int dir;
	bool found;
	struct index_state state;
	enum err err = index_read_state(local->index, &state, &found);
	if (err != ERR_OK)
		return err;
	int e = files_open_dir(local->dir, "segments", &dir);
	if (e) {
		log_error("store: cannot open the folder of segments: %s", files_text(e));
		return files_err(e);
	}
	return segments_open(dir, found ? state.segment : 0, &local->segments);
}

static enum err open_index(struct local *local, const char *path)
{
	SCOPED_STRBUF(name, KIB(8));
	strbuf_addf(&name, "%s/index", path);
	return strbuf_broken(&name) ? ERR_INVALID_ARGUMENT : index_open(name.ptr, &local->index);
}

static enum err make_parts(struct local *local)
{
	enum err e = thread_queue_new(&(struct thread_queue_options){.name = "store-writer",
					      .duty = THREAD_DISK,
					      .threads = local->options.writers},
		&local->writers);
	if (e == ERR_OK)
		e = thread_queue_new(
			&(struct thread_queue_options){
				.name = "store-reader", .duty = THREAD_DISK, .threads = READERS},
			&local->readers);
	if (e == ERR_OK)
		e = large_files_open(local->dir, &local->files);
	if (e == ERR_OK)
		e = open_segments(local);
	/* A start that was cut off may have left names that are not durable. */
	if (e == ERR_OK && files_sync_dir(local->dir) != 0)
		e = ERR_INTERNAL;
	local->buckets = e == ERR_OK ? buckets_new() : NULL;
	local->part_pins = e == ERR_OK ? part_pins_new() : NULL;
	if (e == ERR_OK && (!local->buckets || !local->part_pins))
		e = ERR_UNAVAILABLE;
	return e;
}

static enum err start(struct local *local)
{
	enum err e = recover(local);
	if (e == ERR_OK)
		e = committer_new(local, &local->committer);
	if (e == ERR_OK)
		e = upgrade_log(local);
	if (e == ERR_OK)
		e = gc_new(local, &local->gc);
	if (e == ERR_OK)
		e = scrub_new(local, &local->scrub);
	if (e == ERR_OK)
		e = control_new(local, &local->control);
	return e;
}

static void set_options(struct local *local, const struct local_options *from)
{
	struct local_options *to = &local->options;
	*to = *from;
	to->path = NULL;
	if (to->segment_bytes == 0)
		to->segment_bytes = SEGMENT_BYTES_DEFAULT;
	if (to->segment_bytes < SEGMENT_BYTES_MIN)
		to->segment_bytes = SEGMENT_BYTES_MIN;
	if (to->writers == 0)
		to->writers = WRITERS_DEFAULT;
	if (to->gc_bytes_per_second == 0)
		to->gc_bytes_per_second = GC_RATE_DEFAULT;
	if (to->gc_interval_ms == 0)
		to->gc_interval_ms = GC_INTERVAL_MS_DEFAULT;
	if (to->scrub_interval_ms == 0)
		to->scrub_interval_ms = SCRUB_INTERVAL_MS_DEFAULT;
}

/* ---- Closing and counting -------------------------------------------------------------------- */

/* Also of a store that was only half opened. */
static void local_free(struct local *local)
{
	control_free(local->control);
	scrub_stop(local->scrub);
	gc_stop(local->gc);
	thread_queue_free(local->readers);
	/* Commits of large objects go from the writers to the committer; then it may need them. */
	if (local->writers)
		thread_queue_drain(local->writers);
	committer_free(local->committer);
	thread_queue_free(local->writers);
	if (local->committer && index_flush(local->index) != ERR_OK)
		log_error("store: the next start will take longer");
	gc_free(local->gc);
	scrub_free(local->scrub);
	space_count_log(&local->space, NULL);
	if (local->wal_is_open)
		wal_close(&local->wal);
	index_batch_free(local->batch);
	empty_lists_free(local->empty_lists);
	buckets_free(local->buckets);
	part_pins_free(local->part_pins);
	large_files_free(local->files);
	index_close(local->index);
	segments_free(local->segments);
	space_destroy(&local->space);
	sleeper_destroy(&local->collector);
	if (local->lock >= 0)
		(void)close(local->lock);
	if (local->dir >= 0)
		(void)close(local->dir);
	free(local);
}

static void close_store(struct store *store)
{
	local_free(local_of(store));
}

static const struct store_bucket *get_bucket(struct store *store, struct slice name)
{
	return buckets_get(local_of(store)->buckets, name);
}

static void unref_bucket(struct store *store UNUSED, const struct store_bucket *bucket)
{
	bucket_unref(bucket);
}

static void each_bucket(
	struct store *store, void (*row)(const struct store_bucket *bucket, void *ctx), void *ctx)
{
	buckets_each(local_of(store)->buckets, row, ctx);
}

static void count_bucket(struct store *store, struct store_bucket_count *count)
{
	bool found = buckets_counts(local_of(store)->buckets, count->bucket_id, &count->stats);
	store_answer(&count->wait, found ? ERR_OK : ERR_NO_SUCH_BUCKET);
}

static void get_stats(struct store *store, struct store_stats *ret)
{
	struct local *local = local_of(store);
	struct index_state state;
	committer_stats(local->committer, ret);
	committer_state(local->committer, &state);
	ret->disk_bytes = segments_disk_bytes(local->segments) + state.file_bytes +
			  index_disk_bytes(local->index);
	ret->damaged_reads = local->damaged_reads;
	ret->start_damage = local->start_damage;
	scrub_stats(local->scrub, &ret->scrub);
	ret->refusing = committer_refusal(local->committer);
	if (!ret->refusing && !space_fits(&local->space, 1))
		ret->refusing = "the disk has no more than [store] reserve_bytes left";
}

static const struct store_ops ops = {
	.close = close_store,
	.bucket_get = get_bucket,
	.bucket_unref = unref_bucket,
	.bucket_each = each_bucket,
	.bucket_create = mutation_bucket_create,
	.bucket_update = mutation_bucket,
	.bucket_delete = mutation_bucket_delete,
	.bucket_count = count_bucket,
	.put_begin = put_begin,
	.put_write = put_write,
	.put_commit = put_commit,
	.put_abort = put_abort,
	.get = read_get,
	.get_release = read_get_release,
	.read = read_more,
	.read_release = read_more_release,
	.damaged = read_damaged,
	.delete = mutation_delete,
	.metadata_update = mutation_object,
	.list = read_list,
	.list_release = read_list_release,
	.multipart_begin = mutation_multipart_begin,
	.multipart_abort = mutation_multipart_abort,
	.multipart_complete = mutation_multipart_complete,
	.list_parts = read_list_parts,
	.list_parts_release = read_list_parts_release,
	.list_multiparts = read_list_uploads,
	.list_multiparts_release = read_list_uploads_release,
	.stats = get_stats,
};

enum err local_store_open(const struct local_options *options, struct store **ret)
{
	struct local *local = calloc(1, sizeof(*local));
	if (!local)
		return ERR_UNAVAILABLE;
	local->store.ops = &ops;
	local->dir = -1;
	local->lock = -1;
	set_options(local, options);
	enum err e = folder_open(options->path, true, &local->dir);
	sleeper_init(&local->collector);
	space_init(&local->space, local->dir, local->options.reserve_bytes);
	if (e == ERR_OK)
		e = folder_lock(local->dir, options->path, &local->lock);
	if (e == ERR_OK)
		e = options->copy_of
			    ? folder_begin_copy(local->dir, options->path, options->copy_of)
			    : folder_check_copy(local->dir, options->path);
	if (e == ERR_OK)
		e = folder_check_format(local->dir, options->path, true, &local->format);
	local->log_since = local->format.since;
	if (e == ERR_OK)
		e = open_index(local, options->path);
	if (e == ERR_OK)
		e = make_parts(local);
	if (e == ERR_OK)
		e = start(local);
	if (e != ERR_OK) {
		local_free(local);
		return e == ERR_DISK_FULL ? e : ERR_INTERNAL;
	}
	*ret = &local->store;
	return ERR_OK;
}

enum err local_end_copy(const char *path)
{
	SCOPED_FD int dir = -1;
	enum err e = folder_open(path, false, &dir);
	return e == ERR_OK ? folder_end_copy(dir, path) : e;
}
