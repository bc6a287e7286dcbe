/* SPDX-License-Identifier: Apache-2.0 */
/* Shared by the collector's files; gc.c says what it does. All run on its thread, but chore_done().
 */
#ifndef STORE_LOCAL_GC_GC_INTERNAL_H
#define STORE_LOCAL_GC_GC_INTERNAL_H

#include <pthread.h>

#include "store/local/commit/committer.h"
#include "store/local/gc/gc.h"
#include "store/local/state/local_internal.h"
#include "store/local/state/removals.h"

struct gc {
	struct local *local;
	pthread_t thread;
	pthread_mutex_t lock; /* protects all below but what is the thread's own; a leaf */
	pthread_cond_t done;
	bool joined;
	unsigned pending; /* changes given to the committer and not yet done */
	enum err err;     /* the first that failed */
	bool raced;       /* a move came too late, since this was last cleared */
	/* The thread's own: */
	struct index_state flushed; /* the index is on the disk as of here */
	bool is_short;              /* there is little space, as of the last look */
	bool is_forbidden;          /* a backup was being made, as of the last look */
	int64_t reported_ms;        /* when it was last logged that nothing can be collected */
};

/* ---- chore.c ---- */

/* A change of the collector's, on the heap. */
struct chore {
	struct mutation mutation;
	struct gc *gc;
	struct location from;
	unsigned char head[];
};

/* NULL without memory. */
struct chore *chore_new(struct gc *gc, enum mutation_kind kind, size_t head_len) MUST_USE;
/* Takes it over. */
void chore_send(struct gc *gc, struct chore *chore);
/* Sends a change that is about a number alone. */
enum err chore_send_number(
	struct gc *gc, enum mutation_kind kind, uint64_t number, uint64_t size) MUST_USE;
/* Waits for all that was sent; the first error. */
enum err chore_finish(struct gc *gc);

enum {
	CHORES_AT_ONCE = 256
};

/*
 * Sends a change about `number` for each row below `prefix`, whose key ends with the part that it
 * is about; up to CHORES_AT_ONCE, and waits for them. *ret_more says whether there may be others.
 */
enum err chores_for_numbers(struct gc *gc, const struct key *prefix, enum mutation_kind kind,
	uint64_t number, bool *ret_more);

/* ---- gc.c ---- */

static inline bool gc_stopping(struct gc *gc)
{
	return sleeper_stopped(&gc->local->collector);
}

/*
 * Asks whether something may be removed now; then removals_end() has to follow. Also asked before a
 * segment is emptied: one that cannot be removed would be emptied again and again.
 */
bool gc_begin_removal(struct gc *gc);
/* Bytes of disk that flushing the index may take. */
uint64_t gc_flush_bytes(struct gc *gc);
/* Brings the index to the disk. */
enum err gc_flush(struct gc *gc);

/* ---- garbage.c ---- */

/* Takes apart the part lists that nobody has, and removes the files that nobody has. */
void garbage_remove(struct gc *gc);

/* ---- carry.c ---- */

/* A segment that is being emptied. */
struct carry {
	struct gc *gc;
	uint64_t segment;
	/*
	 * Another segment that is still there although records were moved out of it. It still has
	 * the old copies, from which a rebuilt index could get what was ended since. 0: there is
	 * none.
	 */
	uint64_t another;
	uint64_t said_last; /* the appendable version whose sum was said last */
	unsigned sent;      /* changes, and */
	uint64_t bytes;     /* of records; the caller's to set back */
};

/* Sends what has to be carried along of the record, which is in the segment. */
enum err carry_record(
	struct carry *carry, const struct record *record, const struct location *where) MUST_USE;
/* Whether the index has an entry whose bytes the record brought (record_brings_bytes()). */
enum err carry_are_bytes_live(struct gc *gc, const struct record *record,
	const struct location *where, bool *ret) MUST_USE;
/* Forgets all that is known of a segment that was removed. */
void carry_forget(struct gc *gc, uint64_t segment);
/* The same for all segments that are not there. After a start: a crash may have undone it. */
void carry_forget_removed(struct gc *gc);

/* ---- compact.c ---- */

/*
 * Moves what is live in a segment (a pin that is taken over) to the end of the log, and removes it
 * if it is empty then; whether it was removed.
 */
bool compact_segment(struct gc *gc, struct segment *segment);

/* ---- segments.c ---- */

/* Compacts the segments that are worth it. */
void segments_collect(struct gc *gc);

#endif
