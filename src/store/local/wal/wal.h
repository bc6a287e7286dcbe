/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The end of the log: appending to the active segment, and beginning the next. Space is taken
 * from the file system ahead of the records, and filled with zeros by a job in the background,
 * because a synchronous write into blocks that already exist needs no journal commit.
 *
 * Called by one thread, which is the committer or the one that opens the store.
 */
#ifndef STORE_LOCAL_WAL_WAL_H
#define STORE_LOCAL_WAL_WAL_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/uio.h>

#include "base/thread_queue.h"
#include "store/local/wal/segment.h"

struct wal_options {
	struct thread_queue *writers; /* borrowed; runs the job */
	uint64_t segment_bytes;
	uint64_t reserve_bytes; /* of the disk: never taken ahead of the records */
};

struct wal {
	struct segments *segments; /* borrowed */
	struct wal_options options;
	struct segment *active;      /* pinned */
	_Atomic uint64_t at;         /* where the next record goes; wal_ahead() reads it, too */
	uint64_t files_next;         /* for the header of the next segment; the caller's */
	pthread_mutex_t extend_lock; /* for growing the file and changing what is below */
	_Atomic uint64_t ready;      /* the file has blocks up to here */
	atomic_bool filling;         /* the job is queued or runs */
	struct segment *filled;      /* whose end the job works on; pinned */
	struct task fill;
};

/*
 * Takes up the log at `segment` and `at`, cutting off what is behind; with `at` 0 it goes on in a
 * new one behind `segment`, which is left as it is. An errno value.
 */
int wal_open(struct wal *wal, struct segments *segments, const struct wal_options *options,
	uint64_t segment, uint64_t at, uint64_t sequence, uint64_t files_next) MUST_USE;
/* The pool's jobs must have ended. */
void wal_close(struct wal *wal);

/* Whether `bytes` more fit into the active segment behind `pending` that are not yet written. */
bool wal_fits(const struct wal *wal, uint64_t pending, uint64_t bytes);
/*
 * Ends the active segment and begins another, whose first record will be `sequence`. On failure, as
 * without room for some deletes in it, nothing has changed. An errno value.
 */
int wal_rotate(struct wal *wal, uint64_t sequence) MUST_USE;
/*
 * After WAL_BROKEN: goes on in another segment, which says that this one ends where the log is
 * known to. What may have come behind is never read again. An errno value: nothing has changed.
 */
int wal_begin_anew(struct wal *wal, uint64_t sequence) MUST_USE;
/*
 * Makes sure that the file system has allocated blocks for `bytes`. Unless `last_resort`, some
 * allocated blocks are kept free, so that deletes have room when the disk is full.
 */
int wal_reserve(struct wal *wal, uint64_t bytes, bool last_resort) MUST_USE;

/*
 * Bytes that the file system has given to the active segment and that records may still take,
 * without those that are kept for deletes. Any thread, until wal_close().
 */
uint64_t wal_ahead(const struct wal *wal);

enum wal_result {
	WAL_OK,
	WAL_WRITE_FAILED, /* nothing was appended; *ret_errno says why */
	WAL_BROKEN,       /* what is on the disk is not known any more */
};

/* Writes the pieces, `bytes` in all, at the end and makes them durable. Changes the array. */
enum wal_result wal_append(
	struct wal *wal, struct iovec *iov, size_t count, uint64_t bytes, int *ret_errno) MUST_USE;
/* Takes the end of the log back to `at`, durably. False: see WAL_BROKEN. */
bool wal_cut(struct wal *wal, uint64_t at) MUST_USE;

#endif
