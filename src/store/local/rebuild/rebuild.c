/* SPDX-License-Identifier: Apache-2.0 */
#include "store/local/rebuild/rebuild.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "store/local/apply/restore.h"
#include "store/local/disk/aside.h"
#include "store/local/disk/files.h"
#include "store/local/index/counts.h"
#include "store/local/large/large.h"
#include "store/local/state/folder.h"
#include "store/local/wal/scan.h"

enum {
	WRITE_AFTER = 1000, /* records */
};

static const char new_name[] = "index.new";

struct rebuild {
	const struct rebuild_options *options;
	struct rebuild_result *result;
	int dir;
	int lock;
	struct folder_format format;
	struct segments *segments;
	struct buckets *buckets;
	struct large_files *files;
	struct index *index;
	struct index_batch *batch;
	struct scan scan;
	uint64_t total; /* bytes of the log */
	uint64_t done;  /* of segments that were read */
	uint64_t sequence;
	uint64_t last_segment;
	uint64_t good_segment;
	uint64_t good_at;
	uint64_t files_next;
	unsigned applied;
};

/* ---- Records --------------------------------------------------------------------------------- */

static enum err write_applied(struct rebuild *r)
{
	bool ignored;
	r->applied = 0;
	return index_batch_write(
		r->batch, r->good_segment, r->good_at, r->sequence, r->files_next, &ignored);
}

static enum err end_bucket(struct rebuild *r, struct slice name, uint64_t id)
{
	const struct store_bucket *now = buckets_get(r->buckets, name);
	bool is_this = now && now->id == id;
	bucket_unref(now);
	if (!is_this)
		return ERR_OK;
	buckets_remove(r->buckets, name);
	return index_batch_bucket_delete(r->batch, name, id);
}

static enum err take_bucket(
	struct rebuild *r, const struct record *record, const struct location *where)
{
	struct store_bucket bucket = {.name = record->name};
	if (!bucket_meta_parse(record->meta, &bucket))
		return ERR_INTERNAL;
	const struct store_bucket *old = buckets_get(r->buckets, record->name);
	uint64_t other = old && old->id != bucket.id ? old->id : 0;
	bool too_many = !old && buckets_count(r->buckets) >= LIMIT_BUCKETS;
	bucket_unref(old);
	enum err e = too_many ? ERR_INTERNAL : ERR_OK;
	if (e == ERR_OK && other)
		e = end_bucket(r, record->name, other);
	const struct store_bucket *copy = e == ERR_OK ? bucket_copy(&bucket) : NULL;
	if (e == ERR_OK && !copy)
		e = ERR_UNAVAILABLE;
	if (e != ERR_OK)
		return e;
	buckets_put(r->buckets, copy);
	return index_batch_bucket(r->batch, record->name, bucket.id, record->meta, where, NULL);
}

/* A number must not be given again. */
static void see_file(struct rebuild *r, const struct record *record)
{
	struct object_meta meta;
	if (object_meta_parse(record->meta, &meta) && meta.place == OBJECT_FILE &&
		meta.file >= r->files_next)
		r->files_next = meta.file + 1;
}

static enum err apply(struct rebuild *r, const struct record *record)
{
	struct ended_record ended;
	struct record_at at = {
		.kind = record->kind,
		.bucket_id = record->bucket_id,
		.key = record->name,
		.meta = record->meta,
		.data = record->data,
		.where = {r->scan.segment->id, r->scan.at, (uint32_t)record->total,
			(uint32_t)(RECORD_HEADER_BYTES + record->name.len + record->meta.len)},
	};
	see_file(r, record);
	/* What is older has been said again since. */
	if (record->sequence < r->format.since)
		return ERR_OK;
	if (record->kind == RECORD_BUCKET)
		return take_bucket(r, record, &at.where);
	if (record->kind == RECORD_BUCKET_DELETE)
		return end_bucket(r, record->name, record->bucket_id);
	if (record->kind == RECORD_ENDED && ended_parse(record->data, &ended) &&
		ended.what.segment == 0)
		return end_bucket(r, record->name, ended.what.number);
	return restore_record(r->batch, &at, record->sequence);
}

static void tell_progress(struct rebuild *r)
{
	if (r->options->progress)
		r->options->progress(r->done + r->scan.at, r->total, r->options->ctx);
}

static enum err take(struct rebuild *r, const struct record *record)
{
	enum err e = apply(r, record);
	if (e != ERR_OK) {
		log_error(
			"store: record %" PRIu64 " of the log cannot be applied", record->sequence);
		if (e == ERR_UNAVAILABLE || e == ERR_DISK_FULL)
			return e;
		r->result->lost++;
	}
	scan_next(&r->scan, record);
	r->good_segment = r->scan.segment->id;
	r->good_at = r->scan.at;
	r->sequence = record->sequence + 1;
	r->result->records++;
	if (++r->applied < WRITE_AFTER)
		return ERR_OK;
	tell_progress(r);
	return write_applied(r);
}

/* ---- Segments -------------------------------------------------------------------------------- */

static void report_lost(struct rebuild *r, uint64_t segment, uint64_t at, uint64_t until)
{
	r->result->lost++;
	log_error("store: segment %016" PRIx64 " is damaged at byte %" PRIu64 ": changes %" PRIu64
		  " to %" PRIu64 " are lost",
		segment, at, r->sequence, until - 1);
}

static bool next_record(struct rebuild *r, struct record *ret)
{
	if (scan_record(&r->scan, ret) && ret->sequence == r->sequence)
		return true;
	uint64_t at = r->scan.at;
	if (r->scan.fault || !scan_find_later(&r->scan, r->sequence, ret))
		return false;
	report_lost(r, r->scan.segment->id, at, ret->sequence);
	return true;
}

static uint64_t file_size(const struct segment *segment)
{
	struct stat st;
	return fstat(segment->fd, &st) == 0 ? (uint64_t)st.st_size : 0;
}

/* Takes over the pin. */
static enum err read_segment(struct rebuild *r, struct segment *segment)
{
	struct record record;
	enum err e = ERR_OK;
	uint64_t size = file_size(segment);
	/* Others may have been between them, which were collected. */
	if (segment->first_sequence > r->sequence && segment->id == r->last_segment + 1 &&
		r->last_segment)
		report_lost(r, r->last_segment, r->scan.at, segment->first_sequence);
	if (segment->first_sequence > r->sequence)
		r->sequence = segment->first_sequence;
	if (segment->files_next > r->files_next)
		r->files_next = segment->files_next;
	if (segment->first_sequence == 0)
		r->result->lost++; /* its header is damaged; logged */
	/* The index must not be ahead of the log, whatever a server that was killed left unsynced.
	 */
	if (fdatasync(segment->fd) != 0) {
		int failure = errno;
		log_error("store: cannot sync segment %016" PRIx64 ": %s", segment->id,
			files_text(failure));
		segment_unpin(segment);
		return files_err(failure);
	}
	r->last_segment = segment->id;
	r->good_segment = segment->id;
	r->good_at = SEGMENT_HEADER_BYTES;
	scan_open(&r->scan, segment, SEGMENT_HEADER_BYTES, segment_end(r->segments, segment->id));
	while (e == ERR_OK && next_record(r, &record))
		e = take(r, &record);
	if (r->scan.fault && e == ERR_OK) {
		log_error("store: cannot read segment %016" PRIx64 ": %s", segment->id,
			files_text(r->scan.fault));
		e = ERR_INTERNAL;
	}
	r->done += size;
	return e;
}

static void measure(struct rebuild *r)
{
	uint64_t id = 0;
	struct segment *segment;
	while ((segment = segment_pin_from(r->segments, id)) != NULL) {
		r->total += file_size(segment);
		id = segment->id + 1;
		segment_unpin(segment);
	}
}

static enum err read_log(struct rebuild *r)
{
	enum err e = scan_init(&r->scan) ? ERR_OK : ERR_UNAVAILABLE;
	struct segment *segment = NULL;
	measure(r);
	if (e == ERR_OK && r->total == 0) {
		log_error("store: there is no segment of the log in %s: nothing can be made of it",
			r->options->path);
		e = ERR_INTERNAL;
	}
	while (e == ERR_OK &&
		(segment = segment_pin_from(r->segments, r->last_segment + 1)) != NULL)
		e = read_segment(r, segment);
	if (e == ERR_OK)
		e = write_applied(r);
	return e;
}

/* ---- The new index --------------------------------------------------------------------------- */

struct sum {
	struct buckets *buckets;
	uint64_t objects;
	uint64_t bytes;
};

static void add_bucket(const struct store_bucket *bucket, void *ctx)
{
	struct sum *sum = ctx;
	struct store_bucket_stats counts;
	(void)buckets_counts(sum->buckets, bucket->id, &counts);
	sum->objects += counts.objects;
	sum->bytes += counts.bytes;
}

/* Counts what there is, and says where the log goes on. */
static enum err write_state(struct rebuild *r)
{
	struct index_state state = *index_batch_state(r->batch);
	struct sum sum = {.buckets = r->buckets};
	enum err e = counts_load(r->index, r->buckets);
	if (e != ERR_OK)
		return e;
	buckets_each(r->buckets, add_bucket, &sum);
	state.objects = sum.objects;
	state.bytes = sum.bytes;
	state.file_mark = r->files_next;
	r->result->objects = sum.objects;
	struct index_tx *tx = index_tx_new(r->index);
	if (!tx)
		return ERR_UNAVAILABLE;
	index_tx_put_state(tx, &state);
	e = index_tx_write(tx);
	index_tx_free(tx);
	return e;
}

static enum err finish(struct rebuild *r)
{
	uint64_t next;
	enum err e = restore_finish(r->batch, r->index);
	/* What no record names may be that of one that cannot be read: it is kept. */
	if (e == ERR_OK)
		e = large_files_sweep(r->files, r->index, 1, r->dir, &next);
	if (e == ERR_OK && next > r->files_next)
		r->files_next = next;
	if (e == ERR_OK)
		e = write_state(r);
	return e == ERR_OK ? index_flush(r->index) : e;
}

/* Puts the new one in the place of the old one, which is kept. */
static enum err exchange(struct rebuild *r)
{
	bool had_one = faccessat(r->dir, "index", F_OK, 0) == 0;
	int e = 0;
	if (renameat2(r->dir, new_name, r->dir, "index", had_one ? RENAME_EXCHANGE : 0) != 0)
		e = errno;
	if (e == 0)
		e = files_sync_dir(r->dir);
	if (e == 0 && had_one)
		e = aside_move(r->dir, r->dir, new_name, "index", r->result->kept);
	if (e)
		log_error("store: cannot replace the index: %s", files_text(e));
	return e ? files_err(e) : ERR_OK;
}

/* ---- All of it ------------------------------------------------------------------------------- */

/* What an attempt that was broken off has left. */
static enum err remove_old_attempt(struct rebuild *r)
{
	char kept[ASIDE_NAME_BYTES];
	if (faccessat(r->dir, new_name, F_OK, 0) != 0)
		return ERR_OK;
	int e = aside_move(r->dir, r->dir, new_name, new_name, kept);
	if (e)
		log_error("store: cannot move %s aside: %s", new_name, files_text(e));
	return e ? files_err(e) : ERR_OK;
}

static enum err open_folder(struct rebuild *r)
{
	const char *path = r->options->path;
	enum err e = folder_open(path, &r->dir);
	if (e == ERR_OK)
		e = folder_lock(r->dir, path, &r->lock);
	if (e == ERR_OK)
		e = folder_check_format(r->dir, path, false, &r->format);
	if (e != ERR_OK || r->format.is_whole)
		return e;
	log_error("store: the log of %s does not have all that the index has yet: the index can be "
		  "made anew once postern has been started with it",
		path);
	return ERR_INTERNAL;
}

static enum err open_parts(struct rebuild *r)
{
	int dir;
	SCOPED_STRBUF(name, KIB(8));
	strbuf_addf(&name, "%s/%s", r->options->path, new_name);
	int e = files_open_dir(r->dir, "segments", &dir);
	if (e) {
		log_error("store: cannot open the folder of segments: %s", files_text(e));
		return files_err(e);
	}
	enum err err = segments_open(dir, 0, &r->segments);
	if (err == ERR_OK)
		err = large_files_open(r->dir, &r->files);
	if (err == ERR_OK)
		err = strbuf_broken(&name) ? ERR_INVALID_ARGUMENT : index_open(name.ptr, &r->index);
	r->buckets = buckets_new();
	if (err == ERR_OK && !r->buckets)
		err = ERR_UNAVAILABLE;
	if (err != ERR_OK)
		return err;
	const struct index_state none = {.sequence = 1, .file_mark = 1};
	r->batch = index_batch_new(r->index, r->segments, r->buckets, &none);
	return r->batch ? ERR_OK : ERR_UNAVAILABLE;
}

static void close_index(struct rebuild *r)
{
	index_batch_free(r->batch);
	index_close(r->index);
	r->batch = NULL;
	r->index = NULL;
}

static void close_all(struct rebuild *r)
{
	scan_release(&r->scan);
	close_index(r);
	large_files_free(r->files);
	buckets_free(r->buckets);
	segments_free(r->segments);
	if (r->lock >= 0)
		(void)close(r->lock);
	if (r->dir >= 0)
		(void)close(r->dir);
}

enum err rebuild_index(const struct rebuild_options *options, struct rebuild_result *ret)
{
	struct rebuild r = {.options = options,
		.result = ret,
		.dir = -1,
		.lock = -1,
		.sequence = 1,
		.files_next = 1};
	memset(ret, 0, sizeof(*ret));
	enum err e = open_folder(&r);
	if (e == ERR_OK)
		e = remove_old_attempt(&r);
	if (e == ERR_OK)
		e = open_parts(&r);
	if (e == ERR_OK)
		e = read_log(&r);
	if (e == ERR_OK)
		e = finish(&r);
	close_index(&r);
	if (e == ERR_OK)
		e = exchange(&r);
	close_all(&r);
	return e;
}
