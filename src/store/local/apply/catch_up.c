/* SPDX-License-Identifier: Apache-2.0 */
#include "store/local/apply/catch_up.h"

#include "store/local/apply/index_batch.h"
#include "store/local/apply/redo.h"
#include "store/local/index/counts.h"
#include "store/local/wal/walk.h"

enum {
	WRITE_AFTER = 1000, /* records */
};

struct tail {
	struct catch_up *what;
	struct index_batch *batch;
	struct walk walk;
	unsigned applied;
};

static enum err write_applied(struct tail *tail)
{
	bool ignored;
	tail->applied = 0;
	return index_batch_write(tail->batch, tail->walk.segment, tail->walk.good_at,
		tail->walk.sequence, tail->what->state.file_mark, &ignored);
}

static enum err put_bucket(struct buckets *buckets, const struct store_bucket *bucket)
{
	const struct store_bucket *copy = buckets_make_room(buckets) ? bucket_copy(bucket) : NULL;
	if (!copy)
		return ERR_UNAVAILABLE;
	buckets_put(buckets, copy);
	return ERR_OK;
}

static enum err take_bucket(
	struct tail *tail, const struct record *record, const struct location *where)
{
	struct store_bucket bucket = {.name = record->name};
	if (!bucket_meta_parse(record->meta, &bucket))
		return ERR_INTERNAL;
	enum err e = put_bucket(tail->what->buckets, &bucket);
	return e == ERR_OK ? index_batch_bucket(tail->batch, record->name, record->bucket_id,
				     record->meta, where, NULL)
			   : e;
}

static enum err apply(struct tail *tail, const struct record *record)
{
	struct record_at at = record_at_of(record, tail->walk.segment, tail->walk.scan.at);
	if (record->kind == RECORD_BUCKET)
		return take_bucket(tail, record, &at.where);
	if (record->kind != RECORD_BUCKET_DELETE)
		return redo_record(tail->batch, &at);
	buckets_remove(tail->what->buckets, record->name);
	return index_batch_bucket_delete(tail->batch, record->name, record->bucket_id);
}

static enum err take(struct tail *tail, const struct record *record)
{
	enum err e = apply(tail, record);
	if (e == ERR_UNAVAILABLE || e == ERR_DISK_FULL)
		return e;
	walk_past(&tail->walk, record);
	return ++tail->applied < WRITE_AFTER ? ERR_OK : write_applied(tail);
}

/* Takes over the pin. */
static enum err read_segment(struct tail *tail, struct segment *segment, uint64_t at)
{
	struct record record;
	enum err e = ERR_OK;
	if (segment->first_sequence > tail->walk.sequence)
		tail->walk.sequence = segment->first_sequence;
	walk_open(&tail->walk, tail->what->segments, segment, at);
	while (e == ERR_OK && tail->walk.sequence < tail->what->until &&
		walk_next(&tail->walk, &record))
		e = take(tail, &record);
	return e == ERR_OK && tail->walk.scan.fault ? ERR_INTERNAL : e;
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
	struct catch_up *what = tail->what;
	const struct index_state *state = &what->state;
	uint64_t at = state->segment ? state->offset : SEGMENT_HEADER_BYTES;
	enum err e = ERR_OK;
	struct segment *segment = state->segment ? segment_pin(what->segments, state->segment)
						 : segment_pin_from(what->segments, 1);
	if (!segment)
		return ERR_OK;
	while (e == ERR_OK && segment) {
		uint64_t next = segment->id + 1;
		e = read_segment(tail, segment, at);
		at = SEGMENT_HEADER_BYTES;
		segment = e == ERR_OK && tail->walk.sequence < what->until
				  ? segment_pin_from(what->segments, next)
				  : NULL;
	}
	if (e == ERR_OK)
		e = write_applied(tail);
	what->state = *index_batch_state(tail->batch);
	return e;
}

enum err catch_up(struct catch_up *what)
{
	struct tail tail = {.what = what, .walk = {.sequence = what->state.sequence}};
	enum err e = scan_init(&tail.walk.scan) ? ERR_OK : ERR_UNAVAILABLE;
	tail.walk.scan.reads_around = what->reads_around;
	if (e == ERR_OK)
		e = index_each_number(what->index, KEY_SEGMENT, load_live, what->segments);
	if (e == ERR_OK)
		e = counts_load(what->index, what->buckets);
	if (e == ERR_OK) {
		tail.batch =
			index_batch_new(what->index, what->segments, what->buckets, &what->state);
		e = tail.batch ? read_rest(&tail) : ERR_UNAVAILABLE;
	}
	index_batch_free(tail.batch);
	scan_release(&tail.walk.scan);
	return e;
}

/* ---- Buckets --------------------------------------------------------------------------------- */

struct loading {
	struct buckets *buckets;
	enum err err;
};

static bool load_bucket(struct slice name, struct slice meta, void *ctx)
{
	struct loading *loading = ctx;
	struct store_bucket bucket = {.name = name};
	loading->err = bucket_meta_parse(meta, &bucket) ? put_bucket(loading->buckets, &bucket)
							: ERR_INTERNAL;
	return loading->err == ERR_OK;
}

enum err catch_up_load_buckets(struct index *index, struct buckets *buckets)
{
	struct loading loading = {.buckets = buckets, .err = ERR_OK};
	enum err e = index_each_bucket(index, load_bucket, &loading);
	return e == ERR_OK ? loading.err : e;
}
