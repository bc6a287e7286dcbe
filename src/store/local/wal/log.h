/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The end of the log: appending to the active segment, and beginning the next. Space is taken
 * from the file system ahead of the records, and filled with zeros by a job in the background,
 * because a synchronous write into blocks that already exist needs no journal commit.
 *
 * Called by one thread, which is the committer or the one that opens the store.
 */
#ifndef STORE_LOCAL_WAL_LOG_H
#define STORE_LOCAL_WAL_LOG_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/uio.h>

#include "store/local/disk/pool.h"
#include "store/local/wal/segment.h"

struct log {
	struct segments *segments; /* borrowed, and so is the pool */
	struct pool *pool;
	uint64_t segment_bytes;
	struct segment *active;      /* pinned */
	uint64_t at;                 /* where the next record goes */
	pthread_mutex_t extend_lock; /* for growing the file and changing what is below */
	_Atomic uint64_t ready;      /* the file has blocks up to here */
	atomic_bool filling;         /* the job is queued or runs */
	struct segment *filled;      /* whose end the job works on; pinned */
	struct job fill;
};

/*
 * Continues the log at `at` of `segment` and cuts off what follows; with segment 0 creates the
 * first one. An errno value.
 */
int log_open(struct log *log, struct segments *segments, struct pool *pool, uint64_t segment_bytes,
	uint64_t segment, uint64_t at, uint64_t sequence) MUST_USE;
/* The pool's jobs must have ended. */
void log_close(struct log *log);

/*
 * Whether `bytes` more fit into the active segment after `pending` bytes that are not yet written.
 */
bool log_fits(const struct log *log, uint64_t pending, uint64_t bytes);
/* Ends the active segment and begins another, whose first record will be `sequence`. */
int log_rotate(struct log *log, uint64_t sequence) MUST_USE;
/*
 * Makes sure that the file system has allocated blocks for `bytes`. Unless `last_resort`, some
 * allocated blocks are kept free, so that deletes have room when the disk is full.
 */
int log_reserve(struct log *log, uint64_t bytes, bool last_resort) MUST_USE;

enum log_result {
	LOG_OK,
	LOG_WRITE_FAILED, /* nothing was appended; *ret_errno says why */
	LOG_BROKEN,       /* the contents of the disk are unknown */
};

/* Writes the pieces, `bytes` in all, at the end and makes them durable. Changes the array. */
enum log_result log_append(
	struct log *log, struct iovec *iov, size_t count, uint64_t bytes, int *ret_errno) MUST_USE;
/* Takes the end of the log back to `at`, durably. False: see LOG_BROKEN. */
bool log_cut(struct log *log, uint64_t at) MUST_USE;

#endif
