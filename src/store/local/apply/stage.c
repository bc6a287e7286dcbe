/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>

#include "base/log.h"
#include "store/local/apply/stage_internal.h"

struct stage *stage_new(struct index *index, struct segments *segments, struct buckets *buckets,
	const struct index_state *state)
{
	struct stage *stage = calloc(1, sizeof(*stage));
	if (!stage)
		return NULL;
	stage->index = index;
	stage->segments = segments;
	stage->buckets = buckets;
	stage->now = *state;
	stage->staged = *state;
	stage->tx = index_tx_new(index);
	if (!stage->tx) {
		stage_free(stage);
		return NULL;
	}
	return stage;
}

void stage_free(struct stage *stage)
{
	if (!stage)
		return;
	index_tx_free(stage->tx);
	free(stage->deltas);
	free(stage->counts);
	free(stage);
}

/* ---- Looking --------------------------------------------------------------------------------- */

enum err stage_look(struct stage *stage, const struct key *key, struct stage_entry *ret)
{
	memset(ret, 0, sizeof(*ret));
	enum err e = index_tx_get(stage->tx, key, &ret->bytes, &ret->len);
	if (e != ERR_OK || !ret->bytes)
		return e;
	if (!entry_parse(slice_of(ret->bytes, ret->len), &ret->entry)) {
		log_error("store: an entry of the index is damaged");
		/* It may be written over; what it pointed to cannot be known. */
		memset(&ret->entry, 0, sizeof(ret->entry));
		ret->entry.meta.place = OBJECT_NONE;
	}
	ret->found = true;
	return ERR_OK;
}

void stage_entry_release(struct stage_entry *entry)
{
	free(TAKE(entry->bytes));
}

struct index_cursor *stage_cursor(struct stage *stage, const struct key *prefix)
{
	return index_cursor_new(stage->index, stage->tx, prefix);
}

/* ---- Bytes ----------------------------------------------------------------------------------- */

bool stage_reserve(struct stage *stage, size_t count)
{
	if (stage->delta_count + count <= stage->delta_size)
		return true;
	size_t size = (stage->delta_count + count) * 2 + 64;
	struct stage_delta *deltas = realloc(stage->deltas, size * sizeof(*deltas));
	if (!deltas)
		return false;
	stage->deltas = deltas;
	stage->delta_size = size;
	return true;
}

static void add_live(struct stage *stage, uint64_t segment, int64_t bytes)
{
	/* Nearly all changes of a batch are about the newest segment. */
	for (size_t i = 0; i < stage->delta_count; i++)
		if (stage->deltas[i].segment == segment) {
			stage->deltas[i].bytes += bytes;
			return;
		}
	stage->deltas[stage->delta_count++] = (struct stage_delta){segment, bytes};
}

void stage_hold_bytes(struct stage *stage, const struct entry *entry)
{
	struct key key;
	if (entry->meta.place == OBJECT_INLINE) {
		add_live(stage, entry->where.segment, entry->where.length);
	} else if (entry->meta.place == OBJECT_FILE) {
		key_number(&key, KEY_FILE, entry->meta.file);
		index_tx_put_number(stage->tx, &key, entry->meta.object.size);
		stage->staged.file_bytes += entry->meta.object.size;
	}
}

void stage_drop_bytes(struct stage *stage, const struct entry *entry)
{
	struct key key;
	switch (entry->meta.place) {
	case OBJECT_INLINE:
		add_live(stage, entry->where.segment, -(int64_t)entry->where.length);
		return;
	case OBJECT_FILE:
		key_number(&key, KEY_FILE, entry->meta.file);
		index_tx_delete(stage->tx, &key);
		key_number(&key, KEY_TRASH, entry->meta.file);
		index_tx_put_number(stage->tx, &key, entry->meta.object.size);
		break;
	case OBJECT_SET:
		key_number(&key, KEY_DEAD_SET, entry->meta.file);
		index_tx_put_number(stage->tx, &key, 0);
		break;
	case OBJECT_NONE:
		return;
	}
	stage->trashed = true;
}

void stage_put(struct stage *stage, const struct key *key, const struct location *where,
	struct slice meta, enum object_place place)
{
	/* The record of what lies in a file is not needed once the index has it. */
	static const struct location nowhere;
	index_tx_put_entry(stage->tx, key, place == OBJECT_INLINE ? where : &nowhere, meta);
}

/* ---- Buckets, files and segments ------------------------------------------------------------- */

void stage_bucket(struct stage *stage, struct slice name, struct slice meta)
{
	struct key key;
	key_bucket(&key, name);
	index_tx_put(stage->tx, &key, meta);
}

void stage_bucket_delete(struct stage *stage, struct slice name, uint64_t bucket_id)
{
	struct key key;
	key_bucket(&key, name);
	index_tx_delete(stage->tx, &key);
	key_number(&key, KEY_COUNTS, bucket_id);
	index_tx_delete(stage->tx, &key);
}

void stage_file_forget(struct stage *stage, uint64_t file, uint64_t size)
{
	struct key key;
	key_number(&key, KEY_TRASH, file);
	index_tx_delete(stage->tx, &key);
	stage->staged.file_bytes -= size;
}

void stage_segment_forget(struct stage *stage, uint64_t segment)
{
	struct key key;
	key_number(&key, KEY_SEGMENT, segment);
	index_tx_delete(stage->tx, &key);
}

/* ---- Writing --------------------------------------------------------------------------------- */

/* Writes the new live counts into the transaction. */
static void put_live(struct stage *stage)
{
	for (size_t i = 0; i < stage->delta_count; i++) {
		struct segment *segment = segment_pin(stage->segments, stage->deltas[i].segment);
		if (!segment)
			continue;
		uint64_t live = segment->live + (uint64_t)stage->deltas[i].bytes;
		struct key key;
		key_number(&key, KEY_SEGMENT, segment->id);
		index_tx_put_number(stage->tx, &key, live);
		segment_unpin(segment);
	}
}

static void take_over(struct stage *stage)
{
	for (size_t i = 0; i < stage->delta_count; i++) {
		struct segment *segment = segment_pin(stage->segments, stage->deltas[i].segment);
		if (!segment)
			continue;
		segment->live += (uint64_t)stage->deltas[i].bytes;
		segment_unpin(segment);
	}
	stage_count_take_over(stage);
	stage->now = stage->staged;
}

enum err stage_write(struct stage *stage, uint64_t segment, uint64_t offset, uint64_t sequence,
	uint64_t file_mark, bool *ret_trashed)
{
	stage->staged.segment = segment;
	stage->staged.offset = offset;
	stage->staged.sequence = sequence;
	stage->staged.file_mark = file_mark;
	put_live(stage);
	stage_count_put(stage);
	index_tx_put_state(stage->tx, &stage->staged);
	enum err e = index_tx_write(stage->tx);
	if (e == ERR_OK)
		take_over(stage);
	*ret_trashed = e == ERR_OK && stage->trashed;
	stage_forget(stage);
	return e;
}

void stage_forget(struct stage *stage)
{
	index_tx_clear(stage->tx);
	stage->staged = stage->now;
	stage->delta_count = 0;
	stage->count_count = 0;
	stage->trashed = false;
}

const struct index_state *stage_state(const struct stage *stage)
{
	return &stage->now;
}
