/* SPDX-License-Identifier: Apache-2.0 */
/* Emptying a segment. */
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
	uint64_t sequence; /* behind the last record */
	bool damaged;      /* some records cannot be read */
	enum err err;
};

/* The next record; behind those that are damaged, if there are any. */
static bool next_record(struct emptied *e, struct record *ret)
{
	if (scan_record(&e->scan, ret))
		return true;
	if (e->scan.fault || !scan_find_later(&e->scan, e->sequence, ret))
		return false;
	e->damaged = true;
	return true;
}

/* Carries along what is needed of the segment that is being scanned; false if it was stopped. */
static bool carry_all(struct emptied *e)
{
	struct gc *gc = e->carry.gc;
	struct record record;
	uint64_t read_from = e->scan.at;
	while (e->err == ERR_OK && !gc_stopping(gc) && next_record(e, &record)) {
		struct location where = {e->scan.segment->id, e->scan.at, 0, 0};
		e->err = carry_record(&e->carry, &record, &where);
		e->sequence = record.sequence + 1;
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
 * been missed, but not twice: then the segment is damaged.
 */
static void report_left(struct segment *segment)
{
	uint64_t live = segment->live;
	segment->stuck = segment->left == live;
	segment->left = live;
	if (segment->stuck)
		log_error("store: segment %016" PRIx64 " is damaged: %" PRIu64
			  " bytes of it cannot be moved",
			segment->id, live);
}

/* Whether the segment is not needed any more. */
static bool report(struct emptied *e, bool whole)
{
	struct segment *segment = e->scan.segment;
	bool was_stuck = segment->stuck;
	bool empty = segment->live == 0;
	if (e->scan.fault) {
		segment->stuck = true;
		if (!was_stuck)
			log_error("store: cannot read segment %016" PRIx64
				  ": %s; it is not collected",
				segment->id, files_text(e->scan.fault));
		/* What cannot be read twice is not in the log any more. */
		return empty && was_stuck;
	}
	if (!whole || e->err != ERR_OK || e->carry.gc->raced)
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
	emptied.sequence = segment->first_sequence;
	gc->raced = false;
	emptied.err = index_each_number(gc->local->index, KEY_MOVED, note_moved, &emptied.carry);
	scan_open_in(&emptied.scan, gc->local->segments, segment, SEGMENT_HEADER_BYTES);
	bool whole = carry_all(&emptied);
	bool unneeded = report(&emptied, whole);
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
