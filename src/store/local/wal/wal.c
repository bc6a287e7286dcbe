/* SPDX-License-Identifier: Apache-2.0 */
#include "store/local/wal/wal.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>

#include "base/limits.h"
#include "base/log.h"
#include "store/local/disk/files.h"

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
static uint64_t next_step(const struct wal *wal, uint64_t from)
{
	uint64_t end = (from / STEP_BYTES + 1) * STEP_BYTES;
	return min_u64(end, wal->options.segment_bytes);
}

/* Gives the file blocks from `from` to `to`. */
static int allocate(int fd, uint64_t from, uint64_t to)
{
	if (fallocate(fd, 0, (off_t)from, (off_t)(to - from)) == 0)
		return 0;
	/* A file system without preallocation says ENOSPC when it comes to it. */
	return errno == EOPNOTSUPP || errno == ENOSYS ? 0 : errno;
}

/* Whether a step, up to `to`, leaves the reserve alone. */
static bool spares_reserve(const struct wal *wal, int fd, uint64_t to)
{
	return files_left(fd) >= wal->options.reserve_bytes + (to - wal->ready);
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
static void fill_step(struct task *job)
{
	struct wal *wal = CONTAINER_OF(job, struct wal, fill);
	struct segment *segment = wal->filled;
	(void)pthread_mutex_lock(&wal->extend_lock);
	uint64_t from = wal->ready;
	uint64_t to = next_step(wal, from);
	/* Direct writes need whole blocks; the first step begins behind the header. */
	uint64_t whole = (from + 4095) / 4096 * 4096;
	if (wal->active == segment && to > from && spares_reserve(wal, segment->fd, to) &&
		allocate(segment->fd, from, to) == 0) {
		fill_with_zeros(segment->fd, whole, to / 4096 * 4096);
		wal->ready = to;
	}
	wal->filling = false;
	wal->filled = NULL;
	(void)pthread_mutex_unlock(&wal->extend_lock);
	segment_unpin(segment);
}

/* Whether the job should prepare more. */
static bool low(const struct wal *wal, uint64_t need)
{
	return !wal->filling && wal->ready < wal->options.segment_bytes &&
	       wal->ready < need + STEP_BYTES / 2;
}

/* Queues the job when the prepared part runs low. Under the lock. */
static void fill_ahead(struct wal *wal, uint64_t need)
{
	if (!low(wal, need))
		return;
	wal->filled = segment_pin(wal->segments, wal->active->id);
	if (!wal->filled)
		return;
	wal->filling = true;
	thread_queue_add(wal->options.writers, &wal->fill);
}

/* Makes `segment` (a pin that is taken over) the active one. Under the lock, once there is a job.
 */
static void activate(struct wal *wal, struct segment *segment, uint64_t at)
{
	segment_unpin(wal->active);
	wal->active = segment;
	/* In this order: see wal_ahead(). */
	wal->ready = at;
	wal->at = at;
}

int wal_open(struct wal *wal, struct segments *segments, const struct wal_options *options,
	uint64_t segment, uint64_t at, uint64_t sequence, uint64_t files_next)
{
	memset(wal, 0, sizeof(*wal));
	wal->segments = segments;
	wal->options = *options;
	wal->files_next = files_next;
	wal->fill.run = fill_step;
	atomic_init(&wal->at, 0);
	atomic_init(&wal->ready, 0);
	atomic_init(&wal->filling, false);
	(void)pthread_mutex_init(&wal->extend_lock, NULL);
	struct segment *active;
	if (at == 0) {
		int e = segment_create(segments,
			&(struct segment_begin){.id = segment + 1,
				.first_sequence = sequence,
				.files_next = files_next},
			&active);
		if (e == 0)
			activate(wal, active, SEGMENT_HEADER_BYTES);
		return e;
	}
	active = segment_pin(segments, segment);
	assert(active);
	activate(wal, active, at);
	if (!wal_cut(wal, at))
		return EIO;
	/* So that deletes find room though the disk may be full; if it is, they may not. */
	int ignored = wal_reserve(wal, 0, true);
	(void)ignored;
	return 0;
}

void wal_close(struct wal *wal)
{
	segment_unpin(wal->active);
	wal->active = NULL;
	(void)pthread_mutex_destroy(&wal->extend_lock);
}

bool wal_fits(const struct wal *wal, uint64_t pending, uint64_t bytes)
{
	return wal->at + pending + bytes <= wal->options.segment_bytes;
}

/* Goes on in another segment. */
static int go_on(struct wal *wal, uint64_t sequence, uint64_t previous_end, bool in_any_case)
{
	struct segment *next;
	const struct segment_begin begin = {.id = wal->active->id + 1,
		.first_sequence = sequence,
		.previous_end = previous_end,
		.files_next = wal->files_next};
	int e = segment_create(wal->segments, &begin, &next);
	if (e)
		return e;
	/* Without room for deletes in it the old one, which has some, is the better one. */
	uint64_t ready = SEGMENT_HEADER_BYTES + HEADROOM_BYTES;
	e = allocate(next->fd, SEGMENT_HEADER_BYTES, ready);
	if (e && in_any_case)
		ready = SEGMENT_HEADER_BYTES;
	else if (e) {
		segment_unpin(next);
		int left = segment_discard(wal->segments, wal->active->id + 1);
		if (left)
			log_error("store: cannot remove an empty segment: %s", files_text(left));
		return e;
	}
	/* In one go: the job, which may wait for the lock, must not find the old one cut and
	 * active. */
	(void)pthread_mutex_lock(&wal->extend_lock);
	/* What was taken ahead goes back; failing to do so only wastes it. */
	int ignored = ftruncate(wal->active->fd, (off_t)wal->at);
	(void)ignored;
	activate(wal, next, SEGMENT_HEADER_BYTES);
	wal->ready = ready;
	(void)pthread_mutex_unlock(&wal->extend_lock);
	return 0;
}

int wal_rotate(struct wal *wal, uint64_t sequence)
{
	return go_on(wal, sequence, 0, false);
}

int wal_begin_anew(struct wal *wal, uint64_t sequence)
{
	/* The old one is no better: nothing can be written to it. */
	return go_on(wal, sequence, wal->at, true);
}

int wal_reserve(struct wal *wal, uint64_t bytes, bool last_resort)
{
	int e = 0;
	uint64_t need = wal->at + bytes;
	uint64_t want = need + HEADROOM_BYTES;
	/* Nearly always; the lock may be held by the job for as long as the disk takes. */
	if (wal->ready >= want && !low(wal, want))
		return 0;
	(void)pthread_mutex_lock(&wal->extend_lock);
	if (wal->ready < want) {
		uint64_t to = next_step(wal, want);
		/* What is left may be less than a step. */
		if (to < want || !spares_reserve(wal, wal->active->fd, to))
			to = want;
		e = allocate(wal->active->fd, wal->ready, to);
		if (files_err(e) == ERR_DISK_FULL && to > want) {
			to = want;
			e = allocate(wal->active->fd, wal->ready, to);
		}
		if (e == 0)
			wal->ready = to;
		else if (last_resort && wal->ready >= need)
			e = 0;
	}
	if (e == 0)
		fill_ahead(wal, want);
	(void)pthread_mutex_unlock(&wal->extend_lock);
	return e;
}

uint64_t wal_ahead(const struct wal *wal)
{
	/* In this order: what is ready of one segment is never held against the end of another. */
	uint64_t used = wal->at + HEADROOM_BYTES;
	uint64_t ready = wal->ready;
	return ready > used ? ready - used : 0;
}

enum wal_result wal_append(
	struct wal *wal, struct iovec *iov, size_t count, uint64_t bytes, int *ret_errno)
{
	*ret_errno = files_write(wal->active->fd, iov, count, wal->at);
	bool written = *ret_errno == 0;
	if (written && fdatasync(wal->active->fd) == 0) {
		wal->at += bytes;
		return WAL_OK;
	}
	if (written)
		*ret_errno = errno;
	/*
	 * After a failed sync the kernel may have dropped the pages: what is there is unknown, and
	 * so is whether the cut arrives. If it does nothing of the batch turns up later.
	 */
	bool cut = wal_cut(wal, wal->at);
	return cut && !written ? WAL_WRITE_FAILED : WAL_BROKEN;
}

bool wal_cut(struct wal *wal, uint64_t at)
{
	(void)pthread_mutex_lock(&wal->extend_lock);
	bool ok = ftruncate(wal->active->fd, (off_t)at) == 0 && fsync(wal->active->fd) == 0;
	if (!ok)
		log_error("store: cannot cut the end of segment %016" PRIx64 ": %s",
			wal->active->id, files_text(errno));
	wal->ready = at;
	wal->at = at;
	(void)pthread_mutex_unlock(&wal->extend_lock);
	return ok;
}
