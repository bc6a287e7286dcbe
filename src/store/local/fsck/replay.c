/* SPDX-License-Identifier: Apache-2.0 */
/* After a kill the index is behind the log: a start would replay the rest, and so does this. */
#include <fcntl.h>

#include "store/local/apply/redo.h"
#include "store/local/fsck/fsck_internal.h"
#include "store/local/index/counts.h"
#include "store/local/wal/scan.h"
#include "store/shared/buckets.h"

enum {
	WRITE_AFTER = 1000, /* records */
};

struct tail {
	struct fsck *f;
	struct segments *segments; /* with what is live in them, as the index says */
	struct index_batch *batch;
	struct scan scan;
	uint64_t sequence;
	uint64_t good_segment;
	uint64_t good_at;
	unsigned applied;
};

static enum err write_applied(struct tail *tail)
{
	bool ignored;
	tail->applied = 0;
	return index_batch_write(tail->batch, tail->good_segment, tail->good_at, tail->sequence,
		tail->f->state.file_mark, &ignored);
}

static enum err take_bucket(
	struct tail *tail, const struct record *record, const struct location *where)
{
	struct store_bucket bucket = {.name = record->name};
	if (!bucket_meta_parse(record->meta, &bucket))
		return ERR_INTERNAL;
	const struct store_bucket *copy =
		buckets_make_room(tail->f->buckets) ? bucket_copy(&bucket) : NULL;
	if (!copy)
		return ERR_UNAVAILABLE;
	buckets_put(tail->f->buckets, copy);
	return index_batch_bucket(
		tail->batch, record->name, record->bucket_id, record->meta, where, NULL);
}

static enum err apply(struct tail *tail, const struct record *record)
{
	struct record_at at = record_at_of(record, tail->scan.segment->id, tail->scan.at);
	if (record->kind == RECORD_BUCKET)
		return take_bucket(tail, record, &at.where);
	if (record->kind != RECORD_BUCKET_DELETE)
		return redo_record(tail->batch, &at);
	buckets_remove(tail->f->buckets, record->name);
	return index_batch_bucket_delete(tail->batch, record->name, record->bucket_id);
}

/* What cannot be applied is told by the log, as a gap. */
static enum err take(struct tail *tail, const struct record *record)
{
	enum err e = apply(tail, record);
	if (e == ERR_UNAVAILABLE || e == ERR_DISK_FULL)
		return e;
	scan_next(&tail->scan, record);
	tail->good_segment = tail->scan.segment->id;
	tail->good_at = tail->scan.at;
	tail->sequence = record->sequence + 1;
	return ++tail->applied < WRITE_AFTER ? ERR_OK : write_applied(tail);
}

/* Takes over the pin. */
static enum err read_segment(struct tail *tail, struct segment *segment, uint64_t at)
{
	struct record record;
	enum err e = ERR_OK;
	if (segment->first_sequence > tail->sequence)
		tail->sequence = segment->first_sequence;
	tail->good_segment = segment->id;
	tail->good_at = at;
	scan_open_in(&tail->scan, tail->segments, segment, at);
	while (e == ERR_OK &&
		((scan_record(&tail->scan, &record) && record.sequence == tail->sequence) ||
			scan_find_later(&tail->scan, tail->sequence, &record)))
		e = take(tail, &record);
	return e;
}

static bool load_live(uint64_t id, uint64_t live, void *ctx)
{
	struct segment *segment = segment_pin(ctx, id);
	if (segment)
		segment->live = live;
	segment_unpin(segment);
	return true;
}

static enum err read_rest(struct tail *tail)
{
	const struct index_state *state = &tail->f->state;
	uint64_t at = state->segment ? state->offset : SEGMENT_HEADER_BYTES;
	enum err e = ERR_OK;
	struct segment *segment = state->segment ? segment_pin(tail->segments, state->segment)
						 : segment_pin_from(tail->segments, 1);
	if (!segment) /* which the log tells */
		return ERR_OK;
	while (e == ERR_OK && segment) {
		uint64_t next = segment->id + 1;
		e = read_segment(tail, segment, at);
		at = SEGMENT_HEADER_BYTES;
		segment = e == ERR_OK ? segment_pin_from(tail->segments, next) : NULL;
	}
	return e == ERR_OK ? write_applied(tail) : e;
}

enum err replay_tail(struct fsck *f)
{
	struct tail tail = {.f = f, .sequence = f->state.sequence};
	enum err e = scan_init(&tail.scan) ? ERR_OK : ERR_UNAVAILABLE;
	tail.scan.reads_around = true;
	int dir = openat(f->dir, "segments", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (e == ERR_OK)
		e = dir < 0 ? ERR_INTERNAL : segments_open_to_read(dir, &tail.segments);
	if (e == ERR_OK)
		e = index_each_number(f->index, KEY_SEGMENT, load_live, tail.segments);
	if (e == ERR_OK)
		e = counts_load(f->index, f->buckets);
	if (e == ERR_OK) {
		tail.batch = index_batch_new(f->index, tail.segments, f->buckets, &f->state);
		e = tail.batch ? read_rest(&tail) : ERR_UNAVAILABLE;
	}
	index_batch_free(tail.batch);
	scan_release(&tail.scan);
	segments_free(tail.segments);
	return e;
}
