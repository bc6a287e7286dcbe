/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Emptying a segment. First all of it is read: what lost records said was deleted is not known, and
 * would come back in an index that is made anew if the segment went. So it stays, and nothing is
 * moved. A damaged record that says all the same what it said (wal/walk.h) is as good as others;
 * but bytes of an object that are damaged are not written again as if they were not.
 */
#include <inttypes.h>

#include "base/log.h"
#include "store/local/disk/files.h"
#include "store/local/gc/gc_internal.h"
#include "store/local/wal/walk.h"

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
	struct walk walk;
	struct carry carry;
	bool is_damaged; /* records are, and say all the same what they said */
	uint64_t end;    /* of the records */
	enum err err;
};

static struct location place_of(const struct emptied *e)
{
	return (struct location){e->walk.segment, e->walk.scan.at, 0, 0};
}

/* ---- Whether it is whole --------------------------------------------------------------------- */

/* Whether records are missing behind the last one. */
static bool ends_early(struct segments *segments, struct walk *walk)
{
	uint64_t ignored;
	struct segment *next = segment_pin(segments, walk->segment + 1);
	uint64_t first = next ? next->first_sequence : 0;
	segment_unpin(next);
	return first ? first > walk->sequence : scan_find_bytes(&walk->scan, &ignored);
}

/* Whether the record is one, and no bytes are needed of it that are damaged. */
static bool may_go(struct emptied *e, const struct record *record, bool *ret_is_lost)
{
	bool live = false;
	struct location where = place_of(e);
	*ret_is_lost = record->sequence != e->walk.sequence;
	if (e->walk.has_bad_data)
		e->err = carry_are_bytes_live(e->carry.gc, record, &where, &live);
	return e->err == ERR_OK && !live && !*ret_is_lost;
}

/* What reading all of the segment has shown. */
enum state {
	STOPPED, /* or an error */
	DAMAGED,
	BAD_DATA, /* that is live */
	WHOLE,
};

static enum state look_through(struct emptied *e)
{
	struct gc *gc = e->carry.gc;
	struct scan *scan = &e->walk.scan;
	struct record record;
	uint64_t read_from = scan->at;
	bool is_lost = false;
	bool goes = true;
	while (goes && !gc_stopping(gc) && walk_next(&e->walk, &record)) {
		goes = may_go(e, &record, &is_lost);
		e->is_damaged = e->is_damaged || e->walk.is_damaged;
		walk_past(&e->walk, &record);
		if (scan_will_move(scan)) {
			pause_after(gc, (scan->at - read_from) / READ_SPEED);
			read_from = scan->at;
		}
	}
	if (gc_stopping(gc) || e->err != ERR_OK)
		return STOPPED;
	if (!goes)
		return is_lost ? DAMAGED : BAD_DATA;
	e->end = scan->at;
	bool ends = !scan->fault && !ends_early(gc->local->segments, &e->walk) && !scan->fault;
	return ends ? WHOLE : DAMAGED;
}

static void report_damage(struct segment *segment, int fault)
{
	segment->damaged = true;
	log_error("store: segment %016" PRIx64 " %s%s: it is not collected, for what it says was "
		  "deleted would come back when the index is made anew",
		segment->id, fault ? "cannot be read: " : "is damaged",
		fault ? files_text(fault) : "");
}

/* Once; what is lost may be deleted, or put again. */
static void report_bad_data(struct segment *segment)
{
	bool told = segment->stuck;
	segment->stuck = true;
	segment->left = segment->live;
	if (!told)
		log_error("store: segment %016" PRIx64 " has damaged bytes of an object: it is not "
			  "collected before that object is deleted or replaced",
			segment->id);
}

/* False: it has to stay, which was logged, or it was stopped. */
static bool is_whole(struct emptied *e, struct segment *segment)
{
	/* A start has logged a damaged header. */
	enum state state = segment->first_sequence ? look_through(e) : DAMAGED;
	if (state == DAMAGED)
		report_damage(segment, e->walk.scan.fault);
	if (state == BAD_DATA)
		report_bad_data(segment);
	return state == WHOLE;
}

/* ---- Emptying it ----------------------------------------------------------------------------- */

/* Waits for what was sent, whose bytes are in the window. */
static void finish(struct emptied *e)
{
	enum err done = chore_finish(e->carry.gc);
	e->err = e->err == ERR_OK ? done : e->err;
	e->carry.sent = 0;
}

/* The next record; damaged ones are looked for by moving the window. */
static bool next_record(struct emptied *e, struct record *ret)
{
	if (e->is_damaged && e->carry.sent > 0 && !scan_record(&e->walk.scan, ret))
		finish(e);
	return e->err == ERR_OK && walk_next(&e->walk, ret);
}

/* Carries along what is needed of the segment; false if it was stopped. */
static bool carry_all(struct emptied *e)
{
	struct gc *gc = e->carry.gc;
	struct scan *scan = &e->walk.scan;
	struct record record;
	uint64_t read_from = scan->at;
	while (!gc_stopping(gc) && next_record(e, &record)) {
		struct location where = place_of(e);
		e->err = carry_record(&e->carry, &record, &where);
		walk_past(&e->walk, &record);
		if (e->err != ERR_OK || e->carry.sent >= MOVES_AT_ONCE || scan_will_move(scan)) {
			finish(e);
			/* What is read and not kept costs less than what is written again. */
			pause_after(gc, e->carry.bytes + (scan->at - read_from) / READ_SPEED);
			e->carry.bytes = 0;
			read_from = scan->at;
		}
	}
	finish(e);
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
	struct segment *segment = e->walk.scan.segment;
	bool empty = segment->live == 0;
	if (!all || e->err != ERR_OK)
		return false;
	if (e->walk.scan.at != e->end) { /* which could be read before */
		report_damage(segment, e->walk.scan.fault);
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
	if (!scan_init(&emptied.walk.scan)) {
		segment_unpin(segment);
		return false;
	}
	walk_open(&emptied.walk, gc->local->segments, segment, SEGMENT_HEADER_BYTES);
	emptied.walk.sequence = segment->first_sequence;
	bool unneeded = false;
	if (is_whole(&emptied, segment)) {
		gc->raced = false;
		emptied.err =
			index_each_number(gc->local->index, KEY_MOVED, note_moved, &emptied.carry);
		walk_back(&emptied.walk, SEGMENT_HEADER_BYTES, segment->first_sequence);
		bool all = carry_all(&emptied);
		unneeded = report(&emptied, all);
	}
	scan_release(&emptied.walk.scan);
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
