/* SPDX-License-Identifier: Apache-2.0 */
#include "store/local/rebuild/rebuild.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "store/local/disk/aside.h"
#include "store/local/disk/files.h"
#include "store/local/index/counts.h"
#include "store/local/large/large.h"
#include "store/local/rebuild/restore_log.h"
#include "store/local/state/folder.h"

static const char new_name[] = "index.new";

struct rebuild {
	const struct rebuild_options *options;
	struct rebuild_result *result;
	int dir;
	int lock;
	struct folder_format format;
	struct segments *segments;
	struct large_files *files;
	struct index *index;
	struct restore_log log;
};

/* ---- The log --------------------------------------------------------------------------------- */

static bool tell_progress(uint64_t done, uint64_t total, void *ctx)
{
	const struct rebuild *r = ctx;
	if (r->options->progress)
		r->options->progress(done, total, r->options->ctx);
	return true;
}

static void tell_gap(const struct restore_gap *gap, void *ctx UNUSED)
{
	if (gap->is_header)
		return; /* logged */
	if (gap->is_unread)
		log_error("store: segment %016" PRIx64 " cannot be read at byte %" PRIu64
			  " by the disk: zeros are taken for it",
			gap->segment, gap->begin);
	else if (gap->is_good)
		log_error("store: record %" PRIu64 " of the log cannot be applied", gap->first);
	else if (gap->is_known)
		log_error("store: record %" PRIu64 " is damaged in segment %016" PRIx64
			  " at byte %" PRIu64 "; what it said was found out",
			gap->first, gap->segment, gap->begin);
	else if (gap->next == 0)
		log_error("store: segment %016" PRIx64 " is damaged at byte %" PRIu64
			  ", where it ends: changes from %" PRIu64 " on are lost",
			gap->segment, gap->begin, gap->first);
	else
		log_error("store: segment %016" PRIx64 " is damaged at byte %" PRIu64
			  ": changes %" PRIu64 " to %" PRIu64 " are lost",
			gap->segment, gap->begin, gap->first, gap->next - 1);
}

/*
 * Brings all of the log to the disk, whatever a server that was killed left unsynced: the index
 * must not be ahead of it.
 */
static enum err sync_log(struct rebuild *r)
{
	struct segment *segment;
	uint64_t id = 0;
	int failure = 0;
	while (failure == 0 && (segment = segment_pin_from(r->segments, id)) != NULL) {
		id = segment->id + 1;
		failure = fdatasync(segment->fd) == 0 ? 0 : errno;
		segment_unpin(segment);
	}
	if (failure)
		log_error("store: cannot sync segment %016" PRIx64 ": %s", id - 1,
			files_text(failure));
	else if (id == 0)
		log_error("store: there is no segment of the log in %s: nothing can be made of it",
			r->options->path);
	return failure ? files_err(failure) : id == 0 ? ERR_INTERNAL : ERR_OK;
}

static enum err read_log(struct rebuild *r)
{
	const struct restore_watch watch = {.progress = tell_progress, .gap = tell_gap, .ctx = r};
	r->log.segments = r->segments;
	r->log.index = r->index;
	r->log.since = r->format.since;
	r->log.watch = &watch;
	enum err e = restore_log_read(&r->log);
	r->log.watch = NULL;
	r->result->records = r->log.records;
	r->result->lost = r->log.lost;
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

/* Empty, behind the last. */
static enum err begin_segment(struct rebuild *r)
{
	struct segment *segment;
	const struct segment_begin begin = {.id = r->log.last_segment + 1,
		.first_sequence = r->log.walk.sequence,
		.files_next = r->log.files_next};
	int e = segment_create(r->segments, &begin, &segment);
	if (e) {
		log_error("store: cannot make a new segment: %s", files_text(e));
		return files_err(e);
	}
	segment_unpin(segment);
	return ERR_OK;
}

/* Counts what there is, and says where the log goes on. */
static enum err write_state(struct rebuild *r)
{
	struct index_state state = *index_batch_state(r->log.batch);
	struct sum sum = {.buckets = r->log.buckets};
	enum err e = counts_load(r->index, r->log.buckets);
	if (e != ERR_OK)
		return e;
	buckets_each(r->log.buckets, add_bucket, &sum);
	state.objects = sum.objects;
	state.bytes = sum.bytes;
	state.file_mark = r->log.files_next;
	if (r->options->is_copy) {
		state.segment = r->log.last_segment + 1;
		state.offset = SEGMENT_HEADER_BYTES;
	}
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
	/* What no record names may be that of one that cannot be read: it is kept. */
	bool is_garbage = r->options->is_copy && r->log.lost == 0 && r->log.last_tail == 0;
	enum err e = large_files_sweep(r->files, r->index, 1, is_garbage ? -1 : r->dir, &next);
	if (e == ERR_OK && next > r->log.files_next)
		r->log.files_next = next;
	if (e == ERR_OK && r->options->is_copy)
		e = begin_segment(r);
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
	enum err e = folder_open(path, false, &r->dir);
	if (e == ERR_OK)
		e = folder_lock(r->dir, path, &r->lock);
	if (e == ERR_OK)
		e = folder_check_copy(r->dir, path);
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
	return err;
}

static void close_index(struct rebuild *r)
{
	restore_log_release(&r->log);
	index_close(TAKE(r->index));
}

static void close_all(struct rebuild *r)
{
	close_index(r);
	large_files_free(r->files);
	segments_free(r->segments);
	if (r->lock >= 0)
		(void)close(r->lock);
	if (r->dir >= 0)
		(void)close(r->dir);
}

enum err rebuild_index(const struct rebuild_options *options, struct rebuild_result *ret)
{
	struct rebuild r = {.options = options, .result = ret, .dir = -1, .lock = -1};
	memset(ret, 0, sizeof(*ret));
	enum err e = open_folder(&r);
	if (e == ERR_OK)
		e = remove_old_attempt(&r);
	if (e == ERR_OK)
		e = open_parts(&r);
	if (e == ERR_OK)
		e = sync_log(&r);
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
