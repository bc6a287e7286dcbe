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
};

/* The meta data of what is read from here, as the index has it; false if nothing is. */
static bool look_at(struct gc *gc, const struct key *key, const struct location *where,
	struct index_value *ret, struct slice *ret_meta)
{
	struct entry entry;
	if (index_get(gc->local->index, key, false, ret) != INDEX_FOUND)
		return false;
	if (entry_parse(ret->bytes, &entry) && entry.meta.place == OBJECT_INLINE &&
		location_eq(&entry.where, where)) {
		*ret_meta = entry_meta(ret->bytes);
		return true;
	}
	index_value_release(ret);
	return false;
}

static bool is_live(struct gc *gc, const struct record *record, const struct location *where,
	struct index_value *ret, struct slice *ret_meta)
{
	struct key key;
	struct object_meta meta;
	if (record->kind != RECORD_OBJECT && record->kind != RECORD_MOVE &&
		record->kind != RECORD_PART && record->kind != RECORD_APPEND)
		return false;
	if (!object_meta_parse(record->meta, &meta))
		return false;
	if (meta.is_part) {
		key_part(&key, meta.object.version, meta.number);
		return look_at(gc, &key, where, ret, ret_meta);
	}
	key_object(&key, record->bucket_id, record->name);
	if (look_at(gc, &key, where, ret, ret_meta))
		return true;
	key_version(&key, record->bucket_id, record->name, meta.object.version);
	return look_at(gc, &key, where, ret, ret_meta);
}

/* Sends a copy of the record to the end of the log; what is known of it may have changed. */
static enum err move(
	struct gc *gc, const struct record *record, struct slice meta, const struct location *where)
{
	struct chore *chore =
		chore_new(gc, MUTATION_MOVE, RECORD_HEADER_BYTES + record->name.len + meta.len);
	if (!chore)
		return ERR_UNAVAILABLE;
	chore->from = *where;
	chore->mutation.moves_from = &chore->from;
	chore->mutation.bucket_id = record->bucket_id;
	chore->mutation.key_len = record->name.len;
	chore->mutation.data = record->data;
	record_head(chore->head, RECORD_MOVE, record->bucket_id, record->name.len, meta.len,
		record->data.len);
	unsigned char *to = chore->head + RECORD_HEADER_BYTES;
	memcpy(to, record->name.ptr, record->name.len);
	memcpy(to + record->name.len, meta.ptr, meta.len);
	chore_send(gc, chore);
	return ERR_OK;
}

/* So that reading and writing take no more of the disk than they may. */
static void pause_after(struct gc *gc, uint64_t bytes)
{
	uint64_t rate = gc->local->options.gc_bytes_per_second;
	uint64_t ms = bytes * 1000 / rate;
	(void)sleeper_sleep(&gc->local->collector, gc->is_short ? ms / SHORT_SPEED : ms);
}

/* Moves what is live in the segment that is being scanned. */
static enum err move_live(struct gc *gc, struct scan *scan)
{
	struct record record;
	uint64_t read_from = scan->at;
	unsigned sent = 0;
	enum err e = ERR_OK;
	while (e == ERR_OK && scan->segment->live > 0 && !gc_stopping(gc) &&
		scan_record(scan, &record)) {
		struct location where = {scan->segment->id, scan->at, 0, 0};
		struct index_value value;
		struct slice meta;
		if (is_live(gc, &record, &where, &value, &meta)) {
			e = move(gc, &record, meta, &where);
			index_value_release(&value);
			sent++;
		}
		scan_next(scan, &record);
		if (e != ERR_OK || sent == MOVES_AT_ONCE || scan_will_move(scan)) {
			enum err done = chore_finish(gc);
			e = e == ERR_OK ? done : e;
			sent = 0;
			pause_after(gc, scan->at - read_from);
			read_from = scan->at;
		}
	}
	enum err done = chore_finish(gc);
	return e == ERR_OK ? done : e;
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

/* Takes over the pin. Whether nothing is live in the segment any more. */
static bool rewrite(struct gc *gc, struct segment *segment)
{
	struct scan scan;
	if (!scan_init(&scan)) {
		segment_unpin(segment);
		return false;
	}
	scan_open(&scan, segment, SEGMENT_HEADER_BYTES,
		segment_end(gc->local->segments, segment->id));
	gc->raced = false;
	enum err e = move_live(gc, &scan);
	if (scan.fault) {
		segment->stuck = true;
		log_error("store: cannot read segment %016" PRIx64 ": %s; it is not collected",
			segment->id, files_text(scan.fault));
	} else if (e == ERR_OK && !gc->raced && segment->live > 0 && !gc_stopping(gc)) {
		report_left(segment);
	}
	bool empty = segment->live == 0;
	scan_release(&scan);
	return empty;
}

/* Whether it went. Nothing in it is live: the index, once it is on the disk, does not need it. */
static bool remove_segment(struct gc *gc, uint64_t id)
{
	if (gc_flush(gc) != ERR_OK || gc->flushed.segment <= id)
		return false;
	int e = segment_remove(gc->local->segments, id);
	if (e) {
		log_error("store: cannot remove segment %016" PRIx64 ": %s", id, files_text(e));
		return false;
	}
	if (chore_send_number(gc, MUTATION_FORGET_SEGMENT, id, 0) == ERR_OK)
		(void)chore_finish(gc);
	return true;
}

bool compact_segment(struct gc *gc, struct segment *segment)
{
	uint64_t id = segment->id;
	return rewrite(gc, segment) && remove_segment(gc, id);
}
