/* SPDX-License-Identifier: Apache-2.0 */
#include "store/local/commit/reopen.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <unistd.h>

#include "base/limits.h"
#include "base/log.h"
#include "store/local/apply/catch_up.h"
#include "store/local/disk/files.h"
#include "store/local/state/local_internal.h"

#define PROBE "index/probe"
#define PROBE_BYTES KIB(64)

/* Whether a file can be written. An errno value. */
static int write_probe(int fd)
{
	SCOPED_FREE char *bytes = calloc(1, PROBE_BYTES);
	size_t done = 0;
	if (!bytes)
		return ENOMEM;
	while (done < PROBE_BYTES) {
		ssize_t n = write(fd, bytes + done, PROBE_BYTES - done);
		if (n < 0 && errno != EINTR)
			return errno;
		done += n > 0 ? (size_t)n : 0;
	}
	return fsync(fd) == 0 ? 0 : errno;
}

static bool disk_is_well(struct local *local)
{
	SCOPED_FD int fd =
		openat(local->dir, PROBE, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	int e = fd < 0 ? errno : write_probe(fd);
	if (unlinkat(local->dir, PROBE, 0) != 0 && e == 0)
		e = errno;
	return e == 0;
}

/* The counts are those of the index: what the collector had forgotten has come back, for one. */
static void take_counts(struct local *local, const struct catch_up *from)
{
	struct segment *segment = segment_pin_from(local->segments, 0);
	while (segment) {
		uint64_t id = segment->id;
		struct segment *other = segment_pin(from->segments, id);
		segment->live = other ? other->live : 0;
		segment_unpin(other);
		segment_unpin(segment);
		segment = segment_pin_from(local->segments, id + 1);
	}
	index_batch_set_state(local->batch, &from->state);
}

struct counting {
	struct buckets *from;
	struct buckets *to;
};

static void take_bucket_counts(const struct store_bucket *bucket, void *ctx)
{
	struct counting *counting = ctx;
	struct store_bucket_stats counts;
	if (buckets_counts(counting->from, bucket->id, &counts))
		buckets_set_counts(counting->to, bucket->id, &counts);
}

/* Brings what was opened to the end of the log. */
static enum err replay(struct catch_up *to)
{
	bool found;
	uint64_t sequence = to->until;
	enum err e = index_read_state(to->index, &to->state, &found);
	if (e == ERR_OK && !found)
		to->state = (struct index_state){.sequence = 1, .file_mark = 1};
	if (e == ERR_OK)
		e = catch_up_load_buckets(to->index, to->buckets);
	uint64_t before = to->state.sequence;
	if (e == ERR_OK)
		e = catch_up(to);
	if (e == ERR_OK && to->state.sequence != sequence) {
		log_error("store: the log does not have all that the index had: it ends at change "
			  "%" PRIu64 ", and not at %" PRIu64 "; a start goes on with that",
			to->state.sequence, sequence);
		return ERR_INTERNAL;
	}
	if (e == ERR_OK)
		log_info("store: the index was opened again, %" PRIu64
			 " changes of the log replayed",
			sequence - before);
	return e;
}

static enum err reopen(struct local *local, struct catch_up *to)
{
	if (!index_shut(local->index))
		return ERR_UNAVAILABLE;
	enum err e = index_open_again(local->index, &to->index);
	if (e != ERR_OK)
		return e;
	e = replay(to);
	if (e != ERR_OK) {
		index_drop(local->index, to->index);
		return e;
	}
	struct counting counting = {.from = to->buckets, .to = local->buckets};
	take_counts(local, to);
	buckets_each(local->buckets, take_bucket_counts, &counting);
	index_take(local->index, to->index);
	return index_flush(local->index);
}

enum err reopen_index(struct local *local, uint64_t sequence)
{
	struct catch_up to = {.until = sequence};
	int dir;
	if (!disk_is_well(local))
		return ERR_INTERNAL;
	int failed = files_open_dir(local->dir, "segments", &dir);
	/* What needs memory or descriptors comes before anything is closed. */
	enum err e = failed ? files_err(failed) : segments_open_to_read(dir, &to.segments);
	to.buckets = e == ERR_OK ? buckets_new() : NULL;
	if (e == ERR_OK)
		e = to.buckets ? reopen(local, &to) : ERR_UNAVAILABLE;
	buckets_free(to.buckets);
	segments_free(to.segments);
	return e;
}
