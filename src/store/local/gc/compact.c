/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Emptying a segment. First all of it is read: what a damaged one said was deleted is not known,
 * and would come back in an index that is made anew if it went. So it stays, and nothing is moved.
 */
#include <inttypes.h>

#include "base/log.h"
#include "store/local/disk/files.h"
#include "store/local/gc/gc_internal.h"
#include "store/local/wal/scan.h"

enum {
	MOVES_AT_ONCE = 256,
	SHORT_SPEED = 4, /* times the usual rate, when space is short */
	READ_SPEED = 16, /* times the rate of writing */
};

/* So that reading and writing take no more of the disk than they may. */
static void pause_after(struct gc *gc, uint64_t bytes)
{
	uint64_t rate = gc->local->options.gc_bytes_per_second;
	uint64_t ms = bytes * 1000 / rate;
	(void)sleeper_sleep(&gc->local->collector, gc->is_short ? ms / SHORT_SPEED : ms);
}

/* What came of emptying a segment. */
struct emptied {
	struct scan scan;
	struct carry carry;
	uint64_t end; /* of the records */
	enum err err;
};

/* ---- Whether it is whole --------------------------------------------------------------------- */

/* Whether records are missing behind the last good one, which is before `sequence`. */
static bool ends_early(struct segments *segments, struct scan *scan, uint64_t sequence)
{
	uint64_t ignored;
	struct segment *next = segment_pin(segments, scan->segment->id + 1);
	uint64_t first = next ? next->first_sequence : 0;
	segment_unpin(next);
	return first ? first > sequence : scan_find_bytes(scan, &ignored);
}

/* Reads all of the segment that is being scanned; false if it was stopped. */
static bool look_through(struct emptied *e, bool *ret_whole)
{
	struct gc *gc = e->carry.gc;
	struct record record;
	uint64_t sequence = e->scan.segment->first_sequence;
	uint64_t read_from = e->scan.at;
	while (!gc_stopping(gc) && scan_record(&e->scan, &record)) {
		sequence = record.sequence + 1;
		scan_next(&e->scan, &record);
		if (scan_will_move(&e->scan)) {
			pause_after(gc, (e->scan.at - read_from) / READ_SPEED);
			read_from = e->scan.at;
		}
	}
	if (gc_stopping(gc))
		return false;
	e->end = e->scan.at;
	*ret_whole = !e->scan.fault && !scan_find_later(&e->scan, sequence, &record) &&
		     !ends_early(gc->local->segments, &e->scan, sequence) && !e->scan.fault;
	return true;
}

static void report_damage(struct segment *segment, int fault)
{
	segment->damaged = true;
	log_error("store: segment %016" PRIx64 " %s%s: it is not collected, for what it says was "
		  "deleted would come back when the index is made anew",
		segment->id, fault ? "cannot be read: " : "is damaged",
		fault ? files_text(fault) : "");
}

/* False: it has to stay, which was logged, or it was stopped. */
static bool is_whole(struct emptied *e, struct segment *segment)
{
	bool whole = false;
	/* A start has logged a damaged header. */
	if (segment->first_sequence && !look_through(e, &whole))
		return false;
	if (!whole)
		report_damage(segment, e->scan.fault);
	return whole;
}

/* ---- Emptying it ----------------------------------------------------------------------------- */

/* Carries along what is needed of the segment that is being scanned; false if it was stopped. */
static bool carry_all(struct emptied *e)
{
	struct gc *gc = e->carry.gc;
	struct record record;
	uint64_t read_from = e->scan.at;
	while (e->err == ERR_OK && !gc_stopping(gc) && scan_record(&e->scan, &record)) {
		struct location where = {e->scan.segment->id, e->scan.at, 0, 0};
		e->err = carry_record(&e->carry, &record, &where);
		scan_next(&e->scan, &record);
		if (e->err != ERR_OK || e->carry.sent >= MOVES_AT_ONCE ||
			scan_will_move(&e->scan)) {
			enum err done = chore_finish(gc);
			e->err = e->err == ERR_OK ? done : e->err;
			/* What is read and not kept costs less than what is written again. */
			pause_after(gc, e->carry.bytes + (e->scan.at - read_from) / READ_SPEED);
			e->carry.sent = 0;
			e->carry.bytes = 0;
			read_from = e->scan.at;
		}
	}
	enum err done = chore_finish(gc);
	e->err = e->err == ERR_OK ? done : e->err;
	return !gc_stopping(gc);
}

static bool note_moved(uint64_t segment, uint64_t value UNUSED, void *ctx)
{
	struct carry *carry = ctx;
	if (segment != carry->segment && segment_exists(carry->gc->local->segments, segment))
		carry->another = segment;
	return carry->another == 0;
}

/*
 * Something is still live. What came to another place of the index while it was looked for may have
 * been missed, but not twice: then the index says what is not so.
 */
static void report_left(struct segment *segment)
{
	uint64_t live = segment->live;
	segment->stuck = segment->left == live;
	segment->left = live;
	if (segment->stuck)
		log_error("store: %" PRIu64 " bytes of segment %016" PRIx64
			  " cannot be moved: the index says more of it than it has",
			live, segment->id);
}

/* Whether the segment is not needed any more. */
static bool report(struct emptied *e, bool all)
{
	struct segment *segment = e->scan.segment;
	bool empty = segment->live == 0;
	if (!all || e->err != ERR_OK)
		return false;
	if (e->scan.at != e->end) { /* which could be read before */
		report_damage(segment, e->scan.fault);
		return false;
	}
	if (e->carry.gc->raced)
		return false;
	if (!empty)
		report_left(segment);
	return empty;
}

/* Takes over the pin. Whether nothing of the segment is needed any more. */
static bool rewrite(struct gc *gc, struct segment *segment)
{
	struct emptied emptied = {.carry = {.gc = gc, .segment = segment->id}};
	if (!scan_init(&emptied.scan)) {
		segment_unpin(segment);
		return false;
	}
	scan_open_in(&emptied.scan, gc->local->segments, segment, SEGMENT_HEADER_BYTES);
	bool unneeded = false;
	if (is_whole(&emptied, segment)) {
		gc->raced = false;
		emptied.err =
			index_each_number(gc->local->index, KEY_MOVED, note_moved, &emptied.carry);
		emptied.scan.at = SEGMENT_HEADER_BYTES;
		bool all = carry_all(&emptied);
		unneeded = report(&emptied, all);
	}
	scan_release(&emptied.scan);
	return unneeded;
}

/* It may say where the one before ends. */
static int cut_before(struct gc *gc, uint64_t id)
{
	struct segment *segment = segment_pin(gc->local->segments, id);
	int e = segment ? segment_cut_before(gc->local->segments, segment) : 0;
	segment_unpin(segment);
	return e;
}

/* Whether it went. Nothing in it is live: the index, once it is on the disk, does not need it. */
static bool remove_segment(struct gc *gc, uint64_t id)
{
	if (gc_flush(gc) != ERR_OK || gc->flushed.segment <= id)
		return false;
	int e = cut_before(gc, id);
	if (e == 0)
		e = segment_remove(gc->local->segments, id);
	if (e) {
		log_error("store: cannot remove segment %016" PRIx64 ": %s", id, files_text(e));
		return false;
	}
	carry_forget(gc, id);
	return true;
}

bool compact_segment(struct gc *gc, struct segment *segment)
{
	uint64_t id = segment->id;
	if (!gc_begin_removal(gc)) {
		segment_unpin(segment);
		return false;
	}
	bool removed = rewrite(gc, segment) && remove_segment(gc, id);
	removals_end(gc->local->lock);
	return removed;
}
