/* SPDX-License-Identifier: Apache-2.0 */
#include "store/local/commit/recover.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

#include "base/limits.h"
#include "base/log.h"
#include "store/local/apply/redo.h"
#include "store/local/disk/aside.h"
#include "store/local/disk/bytes.h"
#include "store/local/disk/files.h"
#include "store/local/index/counts.h"
#include "store/local/large/large.h"
#include "store/local/state/local_internal.h"
#include "store/local/wal/record.h"
#include "store/local/wal/walk.h"

enum {
	REPLAY_BATCH = 1000, /* records for each write of the index */
	TAIL_BYTES = 1 << 20,
	BITS_BELOW_MS = 20, /* of a version on Ceph: the others are the time */
};

struct replay {
	struct local *local;
	struct walk walk;
	uint64_t file_mark;
	uint64_t file_next;     /* greater than the number of any file that was seen */
	uint64_t short_segment; /* its end is missing; 0: none */
	unsigned applied;       /* records that are in the index batch */
	uint64_t records;
	bool in_doubt; /* what ends the log may have been records */
};

/* ---- Applying -------------------------------------------------------------------------------- */

static enum err write_applied(struct replay *replay)
{
	bool has_garbage;
	/* That a segment begins later than the one before ends counts without a record, too. */
	if (replay->applied == 0 &&
		replay->walk.sequence == index_batch_state(replay->local->batch)->sequence)
		return ERR_OK;
	replay->applied = 0;
	/* The mark of the index stays: which files are orphans is not known yet. */
	return index_batch_write(replay->local->batch, replay->walk.segment, replay->walk.good_at,
		replay->walk.sequence, replay->file_mark, &has_garbage);
}

static enum err replay_bucket(
	struct replay *replay, const struct record *record, const struct location *where)
{
	struct store_bucket bucket = {.name = record->name};
	if (!bucket_meta_parse(record->meta, &bucket))
		return ERR_INTERNAL;
	/* There may be too many if the record of a deletion is damaged: none is lost by that. */
	const struct store_bucket *copy =
		buckets_make_room(replay->local->buckets) ? bucket_copy(&bucket) : NULL;
	if (!copy)
		return ERR_UNAVAILABLE;
	buckets_put(replay->local->buckets, copy);
	return index_batch_bucket(
		replay->local->batch, record->name, record->bucket_id, record->meta, where, NULL);
}

/* A number must not be given again while anything, the trash included, may name it. */
static void see_file(struct replay *replay, const struct record *record)
{
	struct object_meta meta;
	if (object_meta_parse(record->meta, &meta) && meta.place == OBJECT_FILE &&
		meta.file >= replay->file_next)
		replay->file_next = meta.file + 1;
}

/*
 * Rows may name files that are not on the disk: the collector removes a file of a part before the
 * index that says so is flushed. Were its number given again, what is left of the old row would
 * take the new file along.
 */
static enum err see_rows(struct replay *replay)
{
	static const enum key_kind kinds[] = {KEY_FILE, KEY_TRASH};
	enum err e = ERR_OK;
	for (size_t i = 0; i < ARRAY_LEN(kinds) && e == ERR_OK; i++) {
		uint64_t last;
		e = index_last_number(replay->local->index, kinds[i], &last);
		if (e == ERR_OK && last >= replay->file_next)
			replay->file_next = last + 1;
	}
	return e;
}

/* What the record says, done to the index. */
static enum err apply(struct replay *replay, const struct record *record)
{
	struct index_batch *batch = replay->local->batch;
	struct record_at about = record_at_of(record, replay->walk.segment, replay->walk.scan.at);
	if (record->kind == RECORD_BUCKET)
		return replay_bucket(replay, record, &about.where);
	if (record->kind == RECORD_BUCKET_DELETE) {
		buckets_remove(replay->local->buckets, record->name);
		return index_batch_bucket_delete(batch, record->name, record->bucket_id);
	}
	see_file(replay, record);
	return redo_record(batch, &about);
}

static enum err take_record(struct replay *replay, const struct record *record)
{
	enum err e = apply(replay, record);
	if (e != ERR_OK)
		log_error(
			"store: record %" PRIu64 " of the log cannot be applied", record->sequence);
	/* All that a bucket holds would be lost with it. */
	if (e == ERR_UNAVAILABLE || e == ERR_DISK_FULL ||
		(e != ERR_OK && record->kind == RECORD_BUCKET))
		return e;
	if (e != ERR_OK)
		replay->local->start_damage++;
	walk_past(&replay->walk, record);
	replay->records++;
	return ++replay->applied >= REPLAY_BATCH ? write_applied(replay) : ERR_OK;
}

/* Between the last record and what follows, whose sequence is `next`. */
static void report_lost(struct replay *replay, uint64_t next)
{
	const struct walk *walk = &replay->walk;
	replay->local->start_damage++;
	log_error("store: segment %016" PRIx64 " is damaged at byte %" PRIu64 ": changes %" PRIu64
		  " to %" PRIu64 " are lost, what follows is kept",
		walk->segment, walk->good_at, walk->sequence, next - 1);
}

static void report_damaged(struct replay *replay, const struct record *record)
{
	replay->local->start_damage++;
	log_error("store: segment %016" PRIx64 " is damaged at byte %" PRIu64
		  ": what change %" PRIu64 " did is known all the same",
		replay->walk.segment, replay->walk.scan.at, record->sequence);
}

/* ---- The log --------------------------------------------------------------------------------- */

/*
 * Begins to replay a segment, whose pin is taken over. A process that was killed may have left
 * records that were written and not synced: the index must not get ahead of them.
 */
static void open_segment(struct replay *replay, struct segment *segment, uint64_t at)
{
	walk_open(&replay->walk, replay->local->segments, segment, at);
	if (fdatasync(segment->fd) != 0)
		replay->walk.scan.fault = errno;
}

/* Goes on in the next segment; false if there is none. */
static bool next_segment(struct replay *replay)
{
	struct walk *walk = &replay->walk;
	struct segment *next = segment_pin_from(replay->local->segments, walk->segment + 1);
	if (!next)
		return false;
	if (next->first_sequence > walk->sequence) {
		report_lost(replay, next->first_sequence);
		walk->sequence = next->first_sequence;
	}
	open_segment(replay, next, SEGMENT_HEADER_BYTES);
	return true;
}

/* The next record that counts; false at the end of the log. */
static bool next_record(struct replay *replay, struct record *ret)
{
	const struct walk *walk = &replay->walk;
	do {
		if (walk_next(&replay->walk, ret)) {
			if (ret->sequence > walk->sequence)
				report_lost(replay, ret->sequence);
			if (walk->is_damaged)
				report_damaged(replay, ret);
			return true;
		}
	} while (!walk->scan.fault && next_segment(replay));
	return false;
}

static enum err replay_log(struct replay *replay)
{
	struct record record;
	enum err e = ERR_OK;
	while (e == ERR_OK && next_record(replay, &record))
		e = take_record(replay, &record);
	if (replay->walk.scan.fault && e == ERR_OK) {
		/* Going on would cut off what could not be read. */
		log_error("store: cannot read segment %016" PRIx64 ": %s", replay->walk.segment,
			files_text(replay->walk.scan.fault));
		e = ERR_INTERNAL;
	}
	if (e == ERR_OK)
		e = write_applied(replay);
	replay->local->replayed = replay->records;
	if (e == ERR_OK && replay->records)
		log_info("store: replayed %" PRIu64 " changes of the log", replay->records);
	return e;
}

/* ---- All of it ------------------------------------------------------------------------------- */

struct loading {
	struct local *local;
	enum err err;
};

/* A store that went on without one of its buckets would orphan what is in it. */
static bool load_bucket(struct slice name, struct slice meta, void *ctx)
{
	struct loading *loading = ctx;
	struct buckets *buckets = loading->local->buckets;
	struct store_bucket bucket = {.name = name};
	if (!bucket_meta_parse(meta, &bucket)) {
		log_error("store: the bucket %.*s in the index is damaged: `postern rebuild` makes "
			  "the index anew from the log",
			SLICE_FMT(name));
		loading->err = ERR_INTERNAL;
		return false;
	}
	const struct store_bucket *copy = buckets_make_room(buckets) ? bucket_copy(&bucket) : NULL;
	if (!copy) {
		log_error("store: no memory for the bucket %.*s", SLICE_FMT(name));
		loading->err = ERR_UNAVAILABLE;
		return false;
	}
	buckets_put(buckets, copy);
	return true;
}

static bool load_live(uint64_t id, uint64_t live, void *ctx)
{
	struct local *local = ctx;
	struct segment *segment = segment_pin(local->segments, id);
	if (segment)
		segment->live = live;
	if (live && (!segment || segment_size(segment) < SEGMENT_HEADER_BYTES + live)) {
		log_error("store: segment %016" PRIx64 " is %s: objects in it are lost", id,
			segment ? "cut short" : "missing");
		local->start_damage++;
	}
	segment_unpin(segment);
	return true;
}

/*
 * The first record's number. What is copied keeps its versions, which are those of records
 * elsewhere, or of a store that has the time in them (store/rados); and clocks may be ahead of this
 * one.
 */
static uint64_t first_sequence(const struct local *local)
{
	struct segment *segment = segment_pin_from(local->segments, 1);
	uint64_t first = segment ? segment->first_sequence : 0;
	bool is_new = !segment;
	segment_unpin(segment);
	if (!is_new)
		return first ? first : 1;
	if (!local->options.copy_of)
		return 1;
	uint64_t ms = (uint64_t)clock_wall_ms(local->options.clock);
	return (ms + LIMIT_COPY_AHEAD_MS) << BITS_BELOW_MS;
}

/* Loads what the index says. */
static enum err load(struct local *local, struct index_state *ret)
{
	bool found;
	enum err e = index_read_state(local->index, ret, &found);
	if (e != ERR_OK)
		return e;
	if (!found)
		*ret = (struct index_state){.sequence = first_sequence(local), .file_mark = 1};
	struct loading loading = {.local = local, .err = ERR_OK};
	e = index_each_bucket(local->index, load_bucket, &loading);
	if (e == ERR_OK)
		e = loading.err;
	if (e == ERR_OK)
		e = counts_load(local->index, local->buckets);
	return e == ERR_OK ? index_each_number(local->index, KEY_SEGMENT, load_live, local) : e;
}

/*
 * The log was longer when the index was written to the disk. Its end is not taken up again: what is
 * missing must not become zeros.
 */
static void check_length(struct replay *replay, const struct segment *segment, uint64_t at)
{
	uint64_t size = segment_size(segment);
	if (size >= at)
		return;
	replay->short_segment = segment->id;
	replay->local->start_damage++;
	log_error("store: segment %016" PRIx64 " is cut short: it has %" PRIu64
		  " bytes and had at least %" PRIu64 "; objects that lay behind are lost",
		segment->id, size, at);
}

static enum err run_replay(struct replay *replay, const struct index_state *state)
{
	uint64_t first = state->segment ? state->segment : 1;
	struct segment *segment = segment_pin_from(replay->local->segments, first);
	if (!segment && state->segment == 0)
		return ERR_OK; /* new */
	if (state->segment == 0 && !segments_whole(replay->local->segments)) {
		/* Going on would remove the files of all objects that the rest does not name. */
		log_error("store: the index is empty: put the folder `index` back, or stop postern "
			  "and run `postern rebuild`, which makes it anew from the log");
		segment_unpin(segment);
		return ERR_INTERNAL;
	}
	if (!segment || (state->segment && segment->id != state->segment)) {
		log_error("store: segment %016" PRIx64 ", where the log goes on, is missing",
			state->segment);
		segment_unpin(segment);
		return ERR_INTERNAL;
	}
	if (!scan_init(&replay->walk.scan)) {
		segment_unpin(segment);
		return ERR_UNAVAILABLE;
	}
	uint64_t at = state->segment ? state->offset : SEGMENT_HEADER_BYTES;
	if (state->segment)
		check_length(replay, segment, at);
	open_segment(replay, segment, at);
	enum err e = replay_log(replay);
	scan_release(&replay->walk.scan);
	return e;
}

/* Where the zeros begin with which a file ends; `from` if there is nothing else. An errno value. */
static int find_end(const struct segment *segment, uint64_t from, uint64_t *ret)
{
	SCOPED_FREE char *bytes = malloc(TAIL_BYTES);
	size_t got = 0;
	*ret = from;
	if (!bytes)
		return ENOMEM;
	for (uint64_t at = from;; at += got) {
		int e = files_read(segment->fd, bytes, TAIL_BYTES, at, &got);
		if (e || got == 0)
			return e;
		size_t used = bytes_before_zeros(bytes, got);
		if (used > 0)
			*ret = at + used;
	}
}

/*
 * What stands behind the last good record will be cut off. A group commit that was being written
 * looks like this, which nobody was promised and which is no fault; and so does the last one if it
 * is damaged. So it is kept, and what it may name is not removed.
 */
static int keep_tail(struct replay *replay)
{
	char name[ASIDE_NAME_BYTES];
	char kept[ASIDE_NAME_BYTES];
	uint64_t end;
	struct segment *segment = segment_pin(replay->local->segments, replay->walk.segment);
	int e = find_end(segment, replay->walk.good_at, &end);
	if (e == 0 && end > replay->walk.good_at) {
		replay->in_doubt = true;
		(void)snprintf(name, sizeof(name), "segment-%016" PRIx64 "-%" PRIu64, segment->id,
			replay->walk.good_at);
		int failed = aside_copy(
			replay->local->dir, segment->fd, replay->walk.good_at, end, name, kept);
		/* A full disk stays full, but the next start may have memory. */
		e = failed == ENOMEM ? failed : 0;
		log_info("store: the log ends at byte %" PRIu64 " of segment %016" PRIx64
			 ": what follows is no whole record, as after a loss of power, or is "
			 "damaged; %s%s",
			replay->walk.good_at, segment->id,
			failed ? "it cannot be kept: " : "it is kept as damaged/",
			failed ? files_text(failed) : kept);
	}
	segment_unpin(segment);
	return e;
}

static enum err open_log(struct replay *replay)
{
	struct local *local = replay->local;
	bool go_on = replay->walk.segment && replay->walk.segment != replay->short_segment;
	int e = go_on ? keep_tail(replay) : 0;
	if (e == 0)
		e = wal_open(&local->wal, local->segments,
			&(struct wal_options){.writers = local->writers,
				.segment_bytes = local->options.segment_bytes,
				.reserve_bytes = local->options.reserve_bytes},
			replay->walk.segment, go_on ? replay->walk.good_at : 0,
			replay->walk.sequence,
			replay->file_next > replay->file_mark ? replay->file_next
							      : replay->file_mark);
	local->wal_is_open = true;
	if (e == 0) {
		space_count_log(&local->space, &local->wal);
		return ERR_OK;
	}
	log_error("store: cannot open the end of the log: %s", files_text(e));
	return files_err(e);
}

/* Removes the files of nobody, and sees to it that no number is given twice. */
static enum err sweep(struct replay *replay)
{
	struct local *local = replay->local;
	uint64_t next;
	enum err e = see_rows(replay);
	if (e == ERR_OK)
		e = large_files_sweep(local->files, local->index, replay->file_mark,
			local->start_damage || replay->in_doubt ? local->dir : -1, &next);
	if (e != ERR_OK)
		return e;
	if (next > replay->file_next)
		replay->file_next = next;
	large_files_set_next(local->files, replay->file_next);
	return ERR_OK;
}

enum err recover(struct local *local)
{
	struct index_state state;
	enum err e = load(local, &state);
	if (e != ERR_OK)
		return e;
	local->batch = index_batch_new(local->index, local->segments, local->buckets, &state);
	if (!local->batch)
		return ERR_UNAVAILABLE;
	struct replay replay = {
		.local = local, .walk = {.sequence = state.sequence}, .file_mark = state.file_mark};
	if (segments_damaged(local->segments))
		local->start_damage++;
	e = run_replay(&replay, &state);
	if (e == ERR_OK)
		e = open_log(&replay);
	return e == ERR_OK ? sweep(&replay) : e;
}
