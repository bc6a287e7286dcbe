/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the parts of the embedded back end share. local.c creates and ends them.
 *
 * Threads: callers of the store; `committer` (one); `writers` (hashing and writing of large
 * objects, blocks for the log); `readers` (what is not in memory, listings); `gc` (one). Locks:
 * each part has its own, and no part calls another while holding one, except that it may add jobs
 * to a pool, pin segments and release space. docs/threads.md has the order.
 */
#ifndef STORE_LOCAL_STATE_LOCAL_INTERNAL_H
#define STORE_LOCAL_STATE_LOCAL_INTERNAL_H

#include "base/sleeper.h"
#include "base/thread_queue.h"
#include "store/local/apply/index_batch.h"
#include "store/local/index/index.h"
#include "store/local/state/folder.h"
#include "store/local/state/options.h"
#include "store/local/state/part_pins.h"
#include "store/local/state/space.h"
#include "store/local/wal/segment.h"
#include "store/local/wal/wal.h"
#include "store/shared/buckets.h"
#include "store/store.h"

struct committer;
struct control;
struct empty_lists;
struct gc;
struct large_files;
struct scrub;

struct local {
	struct store store;
	struct local_options options; /* with the defaults filled in; path is NULL */
	int dir;
	int lock;
	struct folder_format format;
	struct space space;
	struct thread_queue *writers;
	struct thread_queue *readers;
	struct index *index;
	struct segments *segments;
	struct buckets *buckets;
	struct large_files *files;
	struct part_pins *part_pins;
	struct index_batch *batch; /* the committer's, once it runs */
	_Atomic uint64_t damaged_reads;
	uint64_t log_since;    /* the log has all that is needed from this sequence on */
	uint64_t start_damage; /* what was found damaged at the start */
	uint64_t replayed;     /* records, at the start */
	struct wal wal;        /* the committer's, once it runs */
	bool wal_is_open;
	struct empty_lists *empty_lists; /* the committer's; NULL: nobody has asked yet */
	struct committer *committer;
	struct sleeper collector; /* what the collector's thread sleeps on */
	struct gc *gc;
	struct scrub *scrub;     /* NULL: there is none */
	struct control *control; /* NULL: likewise */
};

static inline struct local *local_of(struct store *store)
{
	return CONTAINER_OF(store, struct local, store);
}

#endif
