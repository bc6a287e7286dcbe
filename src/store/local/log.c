/* SPDX-License-Identifier: Apache-2.0 */
#include "store/local/log.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>

#include "base/limits.h"
#include "base/log.h"
#include "store/local/files.h"

enum {
	STEP_BYTES = 16 << 20,    /* blocks are taken and filled in such steps */
	HEADROOM_BYTES = 1 << 20, /* of a full disk, for deletes */
	ZERO_BYTES = 1 << 20,
	ZERO_PIECES = 4, /* in one write */
};

static uint64_t min_u64(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

/* Where the next step ends. */
static uint64_t next_step(const struct log *log, uint64_t from)
{
	uint64_t end = (from / STEP_BYTES + 1) * STEP_BYTES;
	return min_u64(end, log->segment_bytes);
}

/* Gives the file blocks from `from` to `to`. */
static int allocate(int fd, uint64_t from, uint64_t to)
{
	if (fallocate(fd, 0, (off_t)from, (off_t)(to - from)) == 0)
		return 0;
	/* A file system without preallocation says ENOSPC when it comes to it. */
	return errno == EOPNOTSUPP || errno == ENOSYS ? 0 : errno;
}

/*
 * Fills blocks with zeros past the page cache, so that the syncs of the committer do not wait
 * for them. Best effort: blocks that are not filled only make commits slower.
 */
static void fill_with_zeros(int fd, uint64_t from, uint64_t to)
{
	char path[64];
	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	SCOPED_FD int direct = open(path, O_WRONLY | O_DIRECT | O_CLOEXEC);
	SCOPED_FREE void *zeros = NULL;
	if (direct < 0 || posix_memalign(&zeros, 4096, ZERO_BYTES) != 0)
		return;
	memset(zeros, 0, ZERO_BYTES);
	while (from < to) {
		struct iovec iov[ZERO_PIECES];
		size_t count = 0;
		uint64_t at = from;
		while (count < ZERO_PIECES && at < to) {
			size_t len = (size_t)min_u64(ZERO_BYTES, to - at);
			iov[count++] = (struct iovec){.iov_base = zeros, .iov_len = len};
			at += len;
		}
		if (files_write(direct, iov, count, from) != 0)
			return;
		from = at;
	}
}

/* The job: one more step behind `ready`. */
static void fill_step(struct job *job)
{
	struct log *log = CONTAINER_OF(job, struct log, fill);
	struct segment *segment = log->filled;
	(void)pthread_mutex_lock(&log->extend_lock);
	uint64_t from = log->ready;
	uint64_t to = next_step(log, from);
	/* Direct writes need whole blocks; the first step begins behind the header. */
	uint64_t whole = (from + 4095) / 4096 * 4096;
	if (log->active == segment && to > from && allocate(segment->fd, from, to) == 0) {
		fill_with_zeros(segment->fd, whole, to / 4096 * 4096);
		log->ready = to;
	}
	log->filling = false;
	log->filled = NULL;
	(void)pthread_mutex_unlock(&log->extend_lock);
	segment_unpin(segment);
}

/* Whether the job should prepare more. */
static bool low(const struct log *log, uint64_t need)
{
	return !log->filling && log->ready < log->segment_bytes &&
	       log->ready < need + STEP_BYTES / 2;
}

/* Queues the job when the prepared part runs low. Under the lock. */
static void fill_ahead(struct log *log, uint64_t need)
{
	if (!low(log, need))
		return;
	log->filled = segment_pin(log->segments, log->active->id);
	if (!log->filled)
		return;
	log->filling = true;
	pool_add(log->pool, &log->fill);
}

/* Makes `segment` (a pin that is taken over) the active one. Under the lock, once there is a job.
 */
static void activate(struct log *log, struct segment *segment, uint64_t at)
{
	segment_unpin(log->active);
	log->active = segment;
	log->at = at;
	log->ready = at;
}

int log_open(struct log *log, struct segments *segments, struct pool *pool, uint64_t segment_bytes,
	uint64_t segment, uint64_t at, uint64_t sequence)
{
	memset(log, 0, sizeof(*log));
	log->segments = segments;
	log->pool = pool;
	log->segment_bytes = segment_bytes;
	log->fill.run = fill_step;
	atomic_init(&log->ready, 0);
	atomic_init(&log->filling, false);
	(void)pthread_mutex_init(&log->extend_lock, NULL);
	struct segment *active;
	if (segment == 0) {
		int e = segment_create(segments, 1, sequence, &active);
		if (e == 0)
			activate(log, active, SEGMENT_HEADER_BYTES);
		return e;
	}
	active = segment_pin(segments, segment);
	assert(active);
	activate(log, active, at);
	if (!log_cut(log, at))
		return EIO;
	/* So that deletes find room though the disk may be full; if it is, they may not. */
	int ignored = log_reserve(log, 0, true);
	(void)ignored;
	return 0;
}

void log_close(struct log *log)
{
	segment_unpin(log->active);
	log->active = NULL;
	(void)pthread_mutex_destroy(&log->extend_lock);
}

bool log_fits(const struct log *log, uint64_t pending, uint64_t bytes)
{
	return log->at + pending + bytes <= log->segment_bytes;
}

int log_rotate(struct log *log, uint64_t sequence)
{
	struct segment *next;
	int e = segment_create(log->segments, log->active->id + 1, sequence, &next);
	if (e)
		return e;
	/* In one go: the job, which may wait for the lock, must not find the old one cut and
	 * active. */
	(void)pthread_mutex_lock(&log->extend_lock);
	/* What was taken ahead goes back; failing to do so only wastes it. */
	int ignored = ftruncate(log->active->fd, (off_t)log->at);
	(void)ignored;
	activate(log, next, SEGMENT_HEADER_BYTES);
	(void)pthread_mutex_unlock(&log->extend_lock);
	return 0;
}

int log_reserve(struct log *log, uint64_t bytes, bool last_resort)
{
	int e = 0;
	uint64_t need = log->at + bytes;
	uint64_t want = need + HEADROOM_BYTES;
	/* Nearly always; the lock may be held by the job for as long as the disk takes. */
	if (log->ready >= want && !low(log, want))
		return 0;
	(void)pthread_mutex_lock(&log->extend_lock);
	if (log->ready < want) {
		uint64_t to = next_step(log, want);
		to = to < want ? want : to;
		e = allocate(log->active->fd, log->ready, to);
		if (e == 0)
			log->ready = to;
		else if (last_resort && log->ready >= need)
			e = 0;
	}
	if (e == 0)
		fill_ahead(log, want);
	(void)pthread_mutex_unlock(&log->extend_lock);
	return e;
}

enum log_result log_append(
	struct log *log, struct iovec *iov, size_t count, uint64_t bytes, int *ret_errno)
{
	*ret_errno = files_write(log->active->fd, iov, count, log->at);
	bool written = *ret_errno == 0;
	if (written && fdatasync(log->active->fd) == 0) {
		log->at += bytes;
		return LOG_OK;
	}
	if (written)
		*ret_errno = errno;
	/*
	 * After a failed sync the kernel may have dropped the pages: what is there is unknown, and
	 * so is whether the cut arrives. If it does nothing of the batch turns up later.
	 */
	bool cut = log_cut(log, log->at);
	return cut && !written ? LOG_WRITE_FAILED : LOG_BROKEN;
}

bool log_cut(struct log *log, uint64_t at)
{
	(void)pthread_mutex_lock(&log->extend_lock);
	bool ok = ftruncate(log->active->fd, (off_t)at) == 0 && fsync(log->active->fd) == 0;
	if (!ok)
		log_error("store: cannot cut the end of segment %016" PRIx64 ": %s",
			log->active->id, files_text(errno));
	log->at = at;
	log->ready = at;
	(void)pthread_mutex_unlock(&log->extend_lock);
	return ok;
}
