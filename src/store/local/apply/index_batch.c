/* SPDX-License-Identifier: Apache-2.0 */
#include "store/local/apply/index_batch_internal.h"
#include "store/local/apply/rows.h"

struct index_batch *index_batch_new(struct index *index, struct segments *segments,
	struct buckets *buckets, const struct index_state *state)
{
	struct index_batch *batch = calloc(1, sizeof(*batch));
	if (!batch)
		return NULL;
	batch->index = index;
	batch->segments = segments;
	batch->buckets = buckets;
	batch->now = *state;
	batch->next = *state;
	batch->tx = index_tx_new(index);
	if (!batch->tx) {
		index_batch_free(batch);
		return NULL;
	}
	return batch;
}

void index_batch_free(struct index_batch *batch)
{
	if (!batch)
		return;
	index_tx_free(batch->tx);
	free(batch->deltas);
	free(batch->counts);
	free(batch);
}

struct index_cursor *index_batch_cursor(struct index_batch *batch, const struct key *prefix)
{
	return index_cursor_new(batch->index, batch->tx, prefix);
}

/* ---- Bytes ----------------------------------------------------------------------------------- */

bool index_batch_reserve(struct index_batch *batch, size_t count)
{
	if (!index_batch_reserve_counts(batch))
		return false;
	count *= 2; /* an entry may have two records */
	if (batch->delta_count + count <= batch->delta_size)
		return true;
	size_t size = (batch->delta_count + count) * 2 + 64;
	struct live_delta *deltas = realloc(batch->deltas, size * sizeof(*deltas));
	if (!deltas)
		return false;
	batch->deltas = deltas;
	batch->delta_size = size;
	return true;
}

static void add_live(struct index_batch *batch, uint64_t segment, int64_t bytes)
{
	/* Nearly all changes of a batch are about the newest segment. */
	for (size_t i = 0; i < batch->delta_count; i++)
		if (batch->deltas[i].segment == segment) {
			batch->deltas[i].bytes += bytes;
			return;
		}
	batch->deltas[batch->delta_count++] = (struct live_delta){segment, bytes};
}

void index_batch_hold_record(struct index_batch *batch, const struct location *where)
{
	if (where->segment)
		add_live(batch, where->segment, where->length);
}

void index_batch_drop_record(struct index_batch *batch, const struct location *where)
{
	if (where->segment)
		add_live(batch, where->segment, -(int64_t)where->length);
}

void index_batch_hold_bytes(struct index_batch *batch, const struct entry *entry)
{
	struct key key;
	index_batch_hold_record(batch, &entry->where);
	index_batch_hold_record(batch, &entry->stated);
	if (entry->meta.place == OBJECT_FILE) {
		key_number(&key, KEY_FILE, entry->meta.file);
		index_tx_put_number(batch->tx, &key, entry->meta.object.size);
		batch->next.file_bytes += entry->meta.object.size;
	}
}

void index_batch_drop_bytes(struct index_batch *batch, const struct entry *entry)
{
	struct key key;
	index_batch_drop_record(batch, &entry->where);
	index_batch_drop_record(batch, &entry->stated);
	switch (entry->meta.place) {
	case OBJECT_INLINE:
		return;
	case OBJECT_FILE:
		key_number(&key, KEY_FILE, entry->meta.file);
		index_tx_delete(batch->tx, &key);
		key_number(&key, KEY_TRASH, entry->meta.file);
		index_tx_put_number(batch->tx, &key, entry->meta.object.size);
		break;
	case OBJECT_PART_LIST:
		key_number(&key, KEY_DEAD_PART_LIST, entry->meta.file);
		index_tx_put_number(batch->tx, &key, 0);
		break;
	case OBJECT_NONE:
		return;
	}
	batch->has_garbage = true;
}

void index_batch_put(struct index_batch *batch, const struct key *key, const struct entry *entry,
	struct slice meta)
{
	index_tx_put_entry(batch->tx, key, &entry->where, &entry->stated, meta);
}

void index_batch_move(struct index_batch *batch, const struct key *key, const struct entry *from,
	const struct location *to, struct slice meta)
{
	index_batch_drop_record(batch, &from->where);
	index_batch_drop_record(batch, &from->stated);
	index_batch_hold_record(batch, to);
	index_tx_put_entry(batch->tx, key, to, NULL, meta);
	index_batch_note_moved(batch, from->where.segment, to->segment);
}

void index_batch_note_moved(struct index_batch *batch, uint64_t from, uint64_t to)
{
	struct key moved;
	if (from == 0 || from == to || !segment_exists(batch->segments, from))
		return;
	key_number(&moved, KEY_MOVED, from);
	index_tx_put_number(batch->tx, &moved, 0);
}

void index_batch_restate(struct index_batch *batch, const struct key *key, const struct entry *from,
	const struct location *stated, struct slice meta)
{
	index_batch_drop_record(batch, &from->stated);
	index_batch_hold_record(batch, stated);
	index_tx_put_entry(batch->tx, key, &from->where, stated, meta);
}

/* ---- Buckets, files and segments ------------------------------------------------------------- */

/* The location that is the value of a row; zeros if there is none. */
static enum err look_at_location(
	struct index_batch *batch, const struct key *key, struct location *ret)
{
	char *bytes;
	size_t len;
	memset(ret, 0, sizeof(*ret));
	enum err e = index_tx_get(batch->tx, key, &bytes, &len);
	if (e != ERR_OK || !bytes)
		return e;
	if (len == LOCATION_BYTES)
		location_read(bytes, ret);
	free(bytes);
	return ERR_OK;
}

/* Writes the location in place of another; ERR_PRECONDITION_FAILED if that is not `from` (or NULL).
 */
static enum err put_location(struct index_batch *batch, const struct key *key,
	const struct location *where, const struct location *from)
{
	struct location old;
	char bytes[LOCATION_BYTES];
	enum err e = look_at_location(batch, key, &old);
	if (e == ERR_OK && from && !location_eq(&old, from))
		e = ERR_PRECONDITION_FAILED;
	if (e == ERR_OK && !index_batch_reserve(batch, 1))
		e = ERR_UNAVAILABLE;
	if (e != ERR_OK)
		return e;
	location_write(bytes, where);
	index_tx_put(batch->tx, key, slice_of(bytes, sizeof(bytes)));
	index_batch_drop_record(batch, &old);
	index_batch_hold_record(batch, where);
	return ERR_OK;
}

static enum err delete_location(struct index_batch *batch, const struct key *key)
{
	struct location old;
	enum err e = look_at_location(batch, key, &old);
	if (e == ERR_OK && !index_batch_reserve(batch, 1))
		e = ERR_UNAVAILABLE;
	if (e != ERR_OK)
		return e;
	index_tx_delete(batch->tx, key);
	index_batch_drop_record(batch, &old);
	return ERR_OK;
}

enum err index_batch_bucket(struct index_batch *batch, struct slice name, uint64_t bucket_id,
	struct slice meta, const struct location *where, const struct location *from)
{
	struct key key;
	key_number(&key, KEY_BUCKET_RECORD, bucket_id);
	enum err e = put_location(batch, &key, where, from);
	if (e != ERR_OK)
		return e;
	key_bucket(&key, name);
	index_tx_put(batch->tx, &key, meta);
	return ERR_OK;
}

enum err index_batch_bucket_delete(struct index_batch *batch, struct slice name, uint64_t bucket_id)
{
	struct key key;
	key_number(&key, KEY_BUCKET_RECORD, bucket_id);
	enum err e = delete_location(batch, &key);
	if (e != ERR_OK)
		return e;
	key_bucket(&key, name);
	index_tx_delete(batch->tx, &key);
	key_number(&key, KEY_COUNTS, bucket_id);
	index_tx_delete(batch->tx, &key);
	return ERR_OK;
}

enum err index_batch_ended(struct index_batch *batch, const struct ended_record *ended,
	uint64_t bucket_id, struct slice key, const struct location *where)
{
	struct key row;
	/* Those of buckets are few. */
	if (ended->what.segment == 0 || !segment_exists(batch->segments, ended->what.segment))
		return ERR_OK;
	key_ended(&row, ended->what.segment, ended_label(&ended->what, bucket_id, key));
	return put_location(batch, &row, where, NULL);
}

enum err index_batch_forget_ended(struct index_batch *batch, uint64_t segment, uint64_t label)
{
	struct key key;
	key_ended(&key, segment, label);
	return delete_location(batch, &key);
}

void index_batch_forget_file(struct index_batch *batch, uint64_t file, uint64_t size)
{
	struct key key;
	key_number(&key, KEY_TRASH, file);
	index_tx_delete(batch->tx, &key);
	batch->next.file_bytes -= size;
}

void index_batch_forget_segment(struct index_batch *batch, uint64_t segment)
{
	struct key key;
	key_number(&key, KEY_SEGMENT, segment);
	index_tx_delete(batch->tx, &key);
	key_number(&key, KEY_MOVED, segment);
	index_tx_delete(batch->tx, &key);
}

enum err index_batch_forget_part(struct index_batch *batch, uint64_t list, uint64_t number)
{
	struct row part;
	key_part(&part.key, list, number);
	enum err e = row_look(batch, &part);
	if (e == ERR_OK && !index_batch_reserve(batch, 1))
		e = ERR_UNAVAILABLE;
	if (e == ERR_OK && part.found) {
		index_batch_drop_bytes(batch, &part.entry);
		index_tx_delete(batch->tx, &part.key);
	}
	row_release(&part);
	return e;
}

void index_batch_forget_list(struct index_batch *batch, uint64_t list)
{
	struct key key;
	key_number(&key, KEY_DEAD_PART_LIST, list);
	index_tx_delete(batch->tx, &key);
}

/* ---- Writing --------------------------------------------------------------------------------- */

/* Writes the new live counts into the transaction. */
static void put_live(struct index_batch *batch)
{
	for (size_t i = 0; i < batch->delta_count; i++) {
		struct segment *segment = segment_pin(batch->segments, batch->deltas[i].segment);
		if (!segment)
			continue;
		uint64_t live = segment->live + (uint64_t)batch->deltas[i].bytes;
		struct key key;
		key_number(&key, KEY_SEGMENT, segment->id);
		index_tx_put_number(batch->tx, &key, live);
		segment_unpin(segment);
	}
}

static void apply_to_memory(struct index_batch *batch)
{
	for (size_t i = 0; i < batch->delta_count; i++) {
		struct segment *segment = segment_pin(batch->segments, batch->deltas[i].segment);
		if (!segment)
			continue;
		segment->live += (uint64_t)batch->deltas[i].bytes;
		segment_unpin(segment);
	}
	index_batch_apply_counts(batch);
	batch->now = batch->next;
}

enum err index_batch_write(struct index_batch *batch, uint64_t segment, uint64_t offset,
	uint64_t sequence, uint64_t file_mark, bool *ret_garbage)
{
	batch->next.segment = segment;
	batch->next.offset = offset;
	batch->next.sequence = sequence;
	batch->next.file_mark = file_mark;
	put_live(batch);
	index_batch_put_counts(batch);
	index_tx_put_state(batch->tx, &batch->next);
	enum err e = index_tx_write(batch->tx);
	if (e == ERR_OK)
		apply_to_memory(batch);
	*ret_garbage = e == ERR_OK && batch->has_garbage;
	index_batch_clear(batch);
	return e;
}

void index_batch_clear(struct index_batch *batch)
{
	index_tx_clear(batch->tx);
	batch->next = batch->now;
	batch->delta_count = 0;
	batch->count_count = 0;
	batch->has_garbage = false;
}

void index_batch_set_state(struct index_batch *batch, const struct index_state *state)
{
	batch->now = *state;
	index_batch_clear(batch);
}

const struct index_state *index_batch_state(const struct index_batch *batch)
{
	return &batch->now;
}
