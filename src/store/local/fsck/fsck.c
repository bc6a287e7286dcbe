/* SPDX-License-Identifier: Apache-2.0 */
#include "store/local/fsck/fsck.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "base/log.h"
#include "store/local/control/ask.h"
#include "store/local/disk/files.h"
#include "store/local/fsck/fsck_internal.h"
#include "store/shared/buckets.h"

/* ---- Opening --------------------------------------------------------------------------------- */

/* Nothing may be made that is not there: neither the folder nor the file `lock`. */
static enum err open_folder(struct fsck *f)
{
	const char *path = f->options->path;
	f->dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (f->dir < 0 || faccessat(f->dir, "lock", F_OK, 0) != 0) {
		log_error("fsck: cannot open the data folder %s: %s", path, files_text(errno));
		return files_err(errno);
	}
	enum err e = in_use_lock(f);
	if (e == ERR_OK)
		e = folder_check_format(f->dir, path, false, &f->format);
	if (e == ERR_OK && f->result->is_in_use && !f->format.is_whole) {
		log_error("fsck: the log of %s does not have all that the index has yet, and the "
			  "index is in use",
			path);
		e = ERR_INTERNAL;
	}
	if (e == ERR_OK && f->result->is_in_use)
		in_use_ask(f);
	return e;
}

static enum err open_segments(struct fsck *f)
{
	int dir = openat(f->dir, "segments", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir >= 0)
		return segments_open_to_read(dir, &f->segments);
	log_error("fsck: cannot open the folder of segments: %s", files_text(errno));
	return files_err(errno);
}

static bool add_size(uint64_t number UNUSED, uint64_t size, void *ctx)
{
	struct fsck *f = ctx;
	f->total += size;
	return true;
}

static bool load_bucket(struct slice name, struct slice meta, void *ctx)
{
	struct fsck *f = ctx;
	struct store_bucket bucket = {.name = name};
	if (!bucket_meta_parse(meta, &bucket)) {
		struct subject about = {.key = name};
		fsck_tell(f, &about, "index", FSCK_NOWHERE, "the bucket's row is damaged");
		return true;
	}
	const struct store_bucket *copy =
		buckets_make_room(f->buckets) ? bucket_copy(&bucket) : NULL;
	if (copy)
		buckets_put(f->buckets, copy);
	else
		fsck_fail(f, ERR_UNAVAILABLE);
	return f->err == ERR_OK;
}

static enum err load_buckets(struct fsck *f, struct index *index)
{
	buckets_free(f->buckets);
	f->buckets = buckets_new();
	if (!f->buckets)
		return ERR_UNAVAILABLE;
	enum err e = index_each_bucket(index, load_bucket, f);
	return e == ERR_OK ? f->err : e;
}

/* Killed at its first start: there is nothing yet. */
static bool is_new(const struct fsck *f)
{
	struct segment *segment = segment_pin_from(f->segments, 0);
	segment_unpin(segment);
	return segment == NULL;
}

/* What the process has given, if it has, and if that has a position: there may be no change yet. */
static enum err open_running(struct fsck *f)
{
	bool has_index = f->control >= 0 && temporary_index(f) && f->state.segment;
	if (f->err != ERR_OK)
		return f->err;
	if (has_index) {
		in_use_take_end(f);
		return ERR_OK;
	}
	index_close(TAKE(f->index));
	return in_use_find_end(f);
}

static enum err open_indices(struct fsck *f)
{
	enum err e = temporary_make(f);
	if (e == ERR_OK && f->result->is_in_use)
		e = open_running(f);
	else if (e == ERR_OK && !temporary_index(f) && !f->index_is_damaged && f->err == ERR_OK &&
		 !is_new(f))
		fsck_tell(f, NULL, "index", FSCK_NOWHERE, "there is no index");
	if (e == ERR_OK)
		e = f->err;
	/* An older log does not have all. */
	if (e == ERR_OK && f->format.is_whole)
		e = temporary_rebuilt(f);
	if (e == ERR_OK && f->index)
		e = index_each_number(f->index, KEY_FILE, add_size, f);
	if (e == ERR_OK && f->index)
		e = load_buckets(f, f->index);
	return e;
}

/* ---- In order -------------------------------------------------------------------------------- */

/* The index is to be as of the end of the log, as a start would make it. */
static enum err reach_end(struct fsck *f)
{
	const struct restore_log *log = &f->log;
	bool behind = f->state.segment != log->walk.segment || f->state.offset != log->walk.good_at;
	return f->index && behind && !f->result->is_in_use ? replay_tail(f) : ERR_OK;
}

static enum err choose(struct fsck *f)
{
	f->from = f->index ? f->index : f->rebuilt;
	f->result->is_compared = f->index && f->rebuilt;
	if (!f->from)
		return ERR_OK;
	enum err e = ERR_OK;
	if (f->from == f->rebuilt) {
		f->state.file_mark = UINT64_MAX;
		e = index_each_number(f->from, KEY_FILE, add_size, f);
	}
	return e == ERR_OK ? load_buckets(f, f->from) : e;
}

static void check_all(struct fsck *f)
{
	if (f->from)
		entries_check(f);
	if (f->from && f->err == ERR_OK)
		sums_check(f);
	if (f->from && f->err == ERR_OK)
		folder_check_files(f);
	if (f->from && f->err == ERR_OK)
		compare_rest(f);
	if (f->err == ERR_OK)
		log_tell_gaps(f);
}

static void close_all(struct fsck *f)
{
	restore_log_release(&f->log);
	index_close(f->rebuilt);
	index_close(f->index);
	temporary_remove(f);
	buckets_free(f->buckets);
	segments_free(f->segments);
	free(f->gaps);
	free(f->sums);
	free(f->part_lists.each);
	free(f->files.each);
	free(f->record);
	free(f->block);
	if (f->control >= 0)
		control_end(f->control);
	if (f->lock >= 0)
		(void)close(f->lock);
	if (f->dir >= 0)
		(void)close(f->dir);
}

enum err fsck(const struct fsck_options *options, struct fsck_result *ret)
{
	struct fsck f = {.options = options, .result = ret, .dir = -1, .lock = -1, .control = -1};
	memset(ret, 0, sizeof(*ret));
	f.record = malloc(RECORD_MAX);
	f.block = malloc(FSCK_BLOCK_BYTES);
	enum err e = f.record && f.block ? open_folder(&f) : ERR_UNAVAILABLE;
	if (e == ERR_OK)
		e = open_segments(&f);
	if (e == ERR_OK)
		e = open_indices(&f);
	if (e == ERR_OK)
		e = log_check(&f);
	if (e == ERR_OK)
		e = reach_end(&f);
	if (e == ERR_OK)
		e = choose(&f);
	if (e == ERR_OK)
		check_all(&f);
	close_all(&f);
	return e == ERR_OK ? f.err : e;
}
