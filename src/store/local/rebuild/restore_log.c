/* SPDX-License-Identifier: Apache-2.0 */
#include "store/local/rebuild/restore_log.h"

#include <inttypes.h>

#include "base/log.h"
#include "store/local/apply/restore.h"
#include "store/local/disk/files.h"

enum {
	WRITE_AFTER = 1000, /* records */
};

/* ---- Records --------------------------------------------------------------------------------- */

static void tell_gap(struct restore_log *r, const struct restore_gap *gap)
{
	r->lost += !gap->is_known;
	r->known += gap->is_known;
	r->watch->gap(gap, r->watch->ctx);
}

static enum err write_applied(struct restore_log *r)
{
	bool ignored;
	r->applied = 0;
	if (!r->batch)
		return ERR_OK;
	return index_batch_write(r->batch, r->walk.segment, r->walk.good_at, r->walk.sequence,
		r->files_next, &ignored);
}

static enum err end_bucket(struct restore_log *r, struct slice name, uint64_t id)
{
	const struct store_bucket *now = buckets_get(r->buckets, name);
	bool is_this = now && now->id == id;
	bucket_unref(now);
	if (!is_this)
		return ERR_OK;
	buckets_remove(r->buckets, name);
	return index_batch_bucket_delete(r->batch, name, id);
}

static enum err take_bucket(
	struct restore_log *r, const struct record *record, const struct location *where)
{
	struct store_bucket bucket = {.name = record->name};
	if (!bucket_meta_parse(record->meta, &bucket))
		return ERR_INTERNAL;
	const struct store_bucket *old = buckets_get(r->buckets, record->name);
	uint64_t other = old && old->id != bucket.id ? old->id : 0;
	bucket_unref(old);
	enum err e = other ? end_bucket(r, record->name, other) : ERR_OK;
	if (e != ERR_OK)
		return e;
	/* As long as the end of others comes later there may be more of them than there ever were.
	 */
	const struct store_bucket *copy =
		buckets_make_room(r->buckets) ? bucket_copy(&bucket) : NULL;
	if (!copy)
		return ERR_UNAVAILABLE;
	buckets_put(r->buckets, copy);
	return index_batch_bucket(r->batch, record->name, bucket.id, record->meta, where, NULL);
}

/* A number must not be given again. */
static void see_file(struct restore_log *r, const struct record *record)
{
	struct object_meta meta;
	if (object_meta_parse(record->meta, &meta) && meta.place == OBJECT_FILE &&
		meta.file >= r->files_next)
		r->files_next = meta.file + 1;
}

static enum err apply(struct restore_log *r, const struct record *record)
{
	struct ended_record ended;
	struct record_at at = record_at_of(record, r->walk.segment, r->walk.scan.at);
	see_file(r, record);
	/* What is older has been said again since. */
	if (!r->batch || record->sequence < r->since)
		return ERR_OK;
	if (record->kind == RECORD_BUCKET)
		return take_bucket(r, record, &at.where);
	if (record->kind == RECORD_BUCKET_DELETE)
		return end_bucket(r, record->name, record->bucket_id);
	if (record->kind == RECORD_ENDED && ended_parse(record->data, &ended) &&
		ended.what.segment == 0)
		return end_bucket(r, record->name, ended.what.number);
	return restore_record(r->batch, &at, record->sequence);
}

static bool go_on(struct restore_log *r)
{
	if (r->watch->progress &&
		!r->watch->progress(r->done + r->walk.scan.at, r->total, r->watch->ctx))
		r->broken_off = true;
	return !r->broken_off;
}

static enum err take(struct restore_log *r, const struct record *record)
{
	struct location where = record_at_of(record, r->walk.segment, r->walk.scan.at).where;
	enum err e = apply(r, record);
	if (e == ERR_UNAVAILABLE || e == ERR_DISK_FULL)
		return e;
	if (e != ERR_OK)
		tell_gap(r, &(struct restore_gap){.segment = where.segment,
				    .begin = where.offset,
				    .end = where.offset + where.length,
				    .first = record->sequence,
				    .next = record->sequence + 1,
				    .is_good = true});
	else if (r->watch->record && !r->walk.is_damaged)
		r->watch->record(record, &where, r->watch->ctx);
	walk_past(&r->walk, record);
	r->records++;
	if (++r->applied < WRITE_AFTER)
		return ERR_OK;
	e = write_applied(r);
	return e == ERR_OK && !go_on(r) ? ERR_UNAVAILABLE : e;
}

/* ---- Segments -------------------------------------------------------------------------------- */

static bool next_record(struct restore_log *r, struct record *ret)
{
	const struct walk *walk = &r->walk;
	if (!walk_next(&r->walk, ret))
		return false;
	struct restore_gap gap = {.segment = walk->segment,
		.begin = walk->scan.at,
		.end = walk->scan.at + ret->total,
		.first = ret->sequence,
		.next = ret->sequence + 1,
		.is_known = true};
	if (walk->is_damaged)
		tell_gap(r, &gap);
	gap = (struct restore_gap){.segment = walk->segment,
		.begin = walk->good_at,
		.end = walk->scan.at,
		.first = walk->sequence,
		.next = ret->sequence};
	if (ret->sequence > walk->sequence)
		tell_gap(r, &gap);
	return true;
}

/*
 * Whether records of the segment before are missing at its end. If others may have been between
 * the two, which were collected, the sequences do not say so.
 */
static void see_end_before(struct restore_log *r, const struct segment *next)
{
	bool is_neighbour = next->id == r->last_segment + 1 && next->first_sequence;
	struct restore_gap gap = {.segment = r->last_segment,
		.begin = r->last_end,
		.end = r->last_tail,
		.first = r->walk.sequence};
	if (is_neighbour && next->first_sequence > r->walk.sequence) {
		struct segment *before = segment_pin(r->segments, r->last_segment);
		gap.end = before ? segment_size(before) : r->last_end;
		gap.next = next->first_sequence;
		segment_unpin(before);
		tell_gap(r, &gap);
	} else if (!is_neighbour && r->last_tail) {
		tell_gap(r, &gap);
	}
}

/* A damaged header does not say which is the first: others may have been before it. */
static void begin_damaged(struct restore_log *r)
{
	struct record record;
	tell_gap(r, &(struct restore_gap){.segment = r->walk.segment,
			    .end = SEGMENT_HEADER_BYTES,
			    .is_header = true});
	if (scan_record(&r->walk.scan, &record) && record.sequence > r->walk.sequence)
		r->walk.sequence = record.sequence;
}

/* It counts as a place that is lost if no damage was told since there were `told` of it. */
static void tell_unread(struct restore_log *r, uint64_t told)
{
	const struct files_bad *bad = &r->walk.scan.bad;
	if (bad->bytes == 0)
		return;
	/* Or if what follows will tell that the end is missing. */
	struct segment *next = segment_pin(r->segments, r->walk.segment + 1);
	bool is_told =
		r->lost + r->known > told || (next && next->first_sequence > r->walk.sequence);
	segment_unpin(next);
	tell_gap(r, &(struct restore_gap){.segment = r->walk.segment,
			    .begin = bad->first,
			    .end = bad->first + bad->bytes,
			    .is_unread = true});
	r->lost -= is_told;
}

/* Takes over the pin. */
static enum err read_segment(struct restore_log *r, struct segment *segment)
{
	struct record record;
	enum err e = ERR_OK;
	uint64_t size = segment_size(segment);
	if (r->last_segment)
		see_end_before(r, segment);
	if (segment->first_sequence > r->walk.sequence)
		r->walk.sequence = segment->first_sequence;
	if (segment->files_next > r->files_next)
		r->files_next = segment->files_next;
	uint64_t told = r->lost + r->known;
	r->last_segment = segment->id;
	walk_open(&r->walk, r->segments, segment, SEGMENT_HEADER_BYTES);
	if (segment->id == r->end_segment && r->end_offset < r->walk.scan.end) {
		r->walk.scan.end = r->end_offset;
		r->walk.scan.is_sealed = true;
	}
	if (segment->first_sequence == 0)
		begin_damaged(r);
	while (e == ERR_OK && next_record(r, &record))
		e = take(r, &record);
	r->last_end = r->walk.good_at;
	r->last_tail = 0;
	/* What a damaged header says may be another salt, with which nothing is a record. */
	bool is_told = segment->first_sequence == 0 && r->walk.good_at == SEGMENT_HEADER_BYTES;
	if (e == ERR_OK && !is_told && !scan_find_bytes(&r->walk.scan, &r->last_tail))
		r->last_tail = 0;
	tell_unread(r, told);
	if (r->walk.scan.fault && e == ERR_OK) {
		log_error("store: cannot read segment %016" PRIx64 ": %s", segment->id,
			files_text(r->walk.scan.fault));
		e = ERR_INTERNAL;
	}
	if (e == ERR_OK && r->watch->ended)
		r->watch->ended(segment, r->walk.good_at, r->walk.scan.end, r->watch->ctx);
	r->done += size;
	return e;
}

/* The next one that counts; NULL: there is none. */
static struct segment *pin_next(const struct restore_log *r)
{
	struct segment *segment = segment_pin_from(r->segments, r->last_segment + 1);
	if (segment && r->end_segment && segment->id > r->end_segment) {
		segment_unpin(segment);
		return NULL;
	}
	return segment;
}

static void measure(struct restore_log *r)
{
	uint64_t id = 0;
	struct segment *segment;
	while ((segment = segment_pin_from(r->segments, id)) != NULL) {
		r->total += segment_size(segment);
		id = segment->id + 1;
		segment_unpin(segment);
	}
}

static enum err read_all(struct restore_log *r)
{
	enum err e = scan_init(&r->walk.scan) ? ERR_OK : ERR_UNAVAILABLE;
	struct segment *segment = NULL;
	r->walk.scan.reads_around = true;
	measure(r);
	while (e == ERR_OK && (segment = pin_next(r)) != NULL)
		e = read_segment(r, segment);
	if (e == ERR_OK)
		e = write_applied(r);
	return e;
}

static enum err begin(struct restore_log *r)
{
	const struct index_state none = {.sequence = 1, .file_mark = 1};
	r->walk.sequence = 1;
	r->files_next = 1;
	r->buckets = buckets_new();
	if (r->buckets && r->index)
		r->batch = index_batch_new(r->index, r->segments, r->buckets, &none);
	return r->buckets && (r->batch || !r->index) ? ERR_OK : ERR_UNAVAILABLE;
}

enum err restore_log_read(struct restore_log *r)
{
	enum err e = begin(r);
	if (e == ERR_OK)
		e = read_all(r);
	return e == ERR_OK && r->batch ? restore_finish(r->batch, r->index) : e;
}

void restore_log_release(struct restore_log *r)
{
	scan_release(&r->walk.scan);
	index_batch_free(TAKE(r->batch));
	buckets_free(TAKE(r->buckets));
}
