/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which segments are worth the work. As a rule those of which half is dead. When space is short the
 * deadest first, whatever its share, and the active one too, which is sealed before.
 */
#include <inttypes.h>
#include <sys/stat.h>

#include "base/log.h"
#include "store/local/gc/gc_internal.h"

enum {
	GAIN_PART = 256, /* of a segment's size has to be dead, when space is short */
	SPARE_PART = 16, /* of the reserve is left to others */
	REPORT_MS = 10 * 60 * 1000,
};

/* A segment as a candidate. */
struct choice {
	uint64_t id;
	uint64_t live;
	uint64_t dead;
};

static uint64_t minus(uint64_t a, uint64_t b)
{
	return a > b ? a - b : 0;
}

/* Bytes of records in a segment; what the active one has taken ahead is none. */
static uint64_t record_bytes(const struct segment *segment, const struct index_state *now)
{
	struct stat st;
	if (segment->id == now->segment)
		return minus(now->offset, SEGMENT_HEADER_BYTES);
	return fstat(segment->fd, &st) == 0 ? minus((uint64_t)st.st_size, SEGMENT_HEADER_BYTES) : 0;
}

/* Whether emptying a segment, of which `live` bytes are needed, is not known to be of no use. */
static bool is_movable(const struct segment *segment, uint64_t live)
{
	return !segment->damaged && (live == 0 || !segment->stuck || live != segment->left);
}

/* How much may be moved now: the index needs some space to go on, and so do deletes. */
static uint64_t room(struct gc *gc)
{
	uint64_t spare = gc->local->options.reserve_bytes / SPARE_PART;
	return minus(space_left(&gc->local->space), gc_flush_bytes(gc) + spare);
}

/* ---- When space is short --------------------------------------------------------------------- */

/* Less than a segment is left for uploads. */
static bool is_short(struct gc *gc)
{
	const struct local_options *options = &gc->local->options;
	return space_left(&gc->local->space) < options->reserve_bytes + options->segment_bytes;
}

static bool is_worth_it(struct gc *gc, const struct choice *choice)
{
	return choice->dead >= gc->local->options.segment_bytes / GAIN_PART;
}

/*
 * The deadest segment from `min` dead bytes on whose rest there is room for; *ret_wanted is the
 * deadest without room.
 */
static bool choose(struct gc *gc, struct choice *ret, struct choice *ret_wanted)
{
	struct index_state now;
	uint64_t may_move = room(gc);
	uint64_t id = 0;
	struct segment *segment;
	*ret = (struct choice){.dead = 0};
	*ret_wanted = *ret;
	committer_state(gc->local->committer, &now);
	while ((segment = segment_pin_from(gc->local->segments, id)) != NULL) {
		struct choice choice = {.id = segment->id, .live = segment->live};
		choice.dead = minus(record_bytes(segment, &now), choice.live);
		bool counts = choice.id <= now.segment && is_worth_it(gc, &choice) &&
			      is_movable(segment, choice.live);
		struct choice *best = choice.live <= may_move ? ret : ret_wanted;
		if (counts && choice.dead > best->dead)
			*best = choice;
		id = segment->id + 1;
		segment_unpin(segment);
	}
	return ret->dead > 0;
}

static enum err seal(struct gc *gc, uint64_t id)
{
	enum err e = chore_send_number(gc, MUTATION_SEAL, id, 0);
	enum err done = chore_finish(gc);
	return e == ERR_OK ? done : e;
}

static bool compact(struct gc *gc, uint64_t id)
{
	struct index_state now;
	committer_state(gc->local->committer, &now);
	if (id == now.segment) {
		/* Else there would be a new segment at each look, as long as a backup is made. */
		if (!gc_begin_removal(gc))
			return false;
		enum err e = seal(gc, id);
		removals_end(gc->local->lock);
		if (e != ERR_OK)
			return false;
	}
	struct segment *segment = segment_pin(gc->local->segments, id);
	return segment && compact_segment(gc, segment);
}

static void report_no_room(struct gc *gc, const struct choice *wanted)
{
	int64_t now_ms = clock_monotonic_ms();
	if (wanted->dead == 0 || (gc->reported_ms && now_ms - gc->reported_ms < REPORT_MS) ||
		space_left(&gc->local->space) >= gc->local->options.reserve_bytes)
		return;
	gc->reported_ms = now_ms;
	log_error("store: %" PRIu64 " MiB of what was deleted in segment %016" PRIx64
		  " cannot be given back: that takes %" PRIu64
		  " MiB of free disk, for what is to be kept of it",
		(wanted->dead >> 20) + 1, wanted->id, (wanted->live >> 20) + 1);
}

static void collect_deadest(struct gc *gc)
{
	struct choice choice;
	struct choice wanted;
	while (!gc_stopping(gc) && is_short(gc)) {
		if (!choose(gc, &choice, &wanted)) {
			report_no_room(gc, &wanted);
			return;
		}
		if (!compact(gc, choice.id))
			return;
	}
}

/* ---- As a rule ------------------------------------------------------------------------------- */

static void collect_half_dead(struct gc *gc)
{
	struct index_state now;
	uint64_t id = 0;
	committer_state(gc->local->committer, &now);
	while (!gc_stopping(gc)) {
		struct segment *segment = segment_pin_from(gc->local->segments, id);
		if (!segment || segment->id >= now.segment) {
			segment_unpin(segment);
			return;
		}
		id = segment->id + 1;
		uint64_t live = segment->live;
		bool worth =
			live == 0 || (live <= record_bytes(segment, &now) / 2 && live <= room(gc));
		if (worth && is_movable(segment, live))
			(void)compact_segment(gc, segment);
		else
			segment_unpin(segment);
	}
}

void segments_collect(struct gc *gc)
{
	gc->is_short = is_short(gc);
	collect_half_dead(gc);
	if (gc->is_short)
		collect_deadest(gc);
}
