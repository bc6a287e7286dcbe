/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Parts belong to a list, whose number is that of the upload, or of the version that is appended
 * to: completing an upload makes an object that names the list, and leaves the parts alone.
 */
#include "store/local/apply/effects.h"

#include "store/local/apply/index_batch_internal.h"
#include "store/local/disk/bytes.h"

enum {
	PART_NUMBER_BYTES = 4, /* in the data of RECORD_COMPLETE */
	ENTRIES_MAX = 8, /* how many entries the effects change, but for parts that are dropped */
};

/* All that is applied. */
struct applying {
	struct rows *rows;
	struct index_batch *batch;
	const struct rules_effects *effects;
	const struct record_at *record;
	const struct object_meta *meta;
	/* The parts that a completion drops, looked up before anything is changed. */
	struct entry *dropped;
	size_t dropped_count;
};

/* ---- What is there --------------------------------------------------------------------------- */

static void put_null_pointer(const struct applying *a, uint64_t version)
{
	struct key key;
	key_null(&key, a->rows->bucket_id, a->rows->object_key);
	index_tx_put_number(a->batch->tx, &key, version);
}

static void delete_null_pointer(const struct applying *a)
{
	struct key key;
	key_null(&key, a->rows->bucket_id, a->rows->object_key);
	index_tx_delete(a->batch->tx, &key);
}

static void put_bytes(const struct applying *a, const struct key *key, const struct row *row)
{
	index_tx_put(a->batch->tx, key, slice_of(row->bytes, row->len));
}

/* The current object becomes an older version. */
static void keep(const struct applying *a, const struct row *row)
{
	struct key key;
	const struct store_object *object = &row->entry.meta.object;
	key_version(&key, a->rows->bucket_id, a->rows->object_key, object->version);
	put_bytes(a, &key, row);
	if (object->is_null)
		put_null_pointer(a, object->version);
}

/* What is known of it is as the record says; its bytes stay. */
static void change(const struct applying *a, const struct row *row)
{
	index_batch_restate(a->batch, &row->key, &row->entry, &a->record->where, a->record->meta);
}

/* The object is as the effects say, and its headers and tags follow where they were. */
static void grow(const struct applying *a, struct row *row)
{
	struct object_meta meta = row->entry.meta;
	unsigned char *bytes = a->batch->meta;
	meta.object = a->effects->object;
	meta.object.headers = row->entry.meta.object.headers;
	meta.object.tags = row->entry.meta.object.tags;
	size_t len = OBJECT_META_BYTES + meta.object.headers.len + meta.object.tags.len;
	object_meta_write(bytes, &meta);
	object_meta_write_text(bytes, &meta.object);
	index_batch_put(a->batch, &row->key, &row->entry, slice_of((const char *)bytes, len));
}

static void apply_current(const struct applying *a, struct row *row)
{
	switch (a->effects->current) {
	case RULES_STAYS:
		return;
	case RULES_IS_CHANGED:
		change(a, row);
		return;
	case RULES_GROWS:
		grow(a, row);
		return;
	case RULES_BECOMES_OLDER:
		keep(a, row);
		break;
	case RULES_GOES:
	case RULES_BECOMES_CURRENT:
	case RULES_IS_COMPLETE:
		index_batch_drop_bytes(a->batch, &row->entry);
		break;
	}
	/* Another one comes in its place. */
	if (a->effects->made != RULES_MADE_CURRENT)
		index_tx_delete(a->batch->tx, &row->key);
}

/* An older version, or a marker. */
static void apply_old(const struct applying *a, const struct row *row, enum rules_fate fate)
{
	struct key key;
	if (fate == RULES_STAYS)
		return;
	if (fate == RULES_IS_CHANGED) {
		change(a, row);
		return;
	}
	index_tx_delete(a->batch->tx, &row->key);
	if (row->entry.meta.object.is_null)
		delete_null_pointer(a);
	if (fate == RULES_GOES) {
		index_batch_drop_bytes(a->batch, &row->entry);
	} else if (fate == RULES_BECOMES_CURRENT) {
		key_object(&key, a->rows->bucket_id, a->rows->object_key);
		put_bytes(a, &key, row);
	}
}

/* ---- Uploads --------------------------------------------------------------------------------- */

static void drop_list(const struct applying *a)
{
	struct entry list = {.meta = {.place = OBJECT_PART_LIST, .file = a->rows->upload}};
	index_batch_drop_bytes(a->batch, &list);
}

static void drop_parts(const struct applying *a)
{
	struct key key;
	for (size_t i = 0; i < a->dropped_count; i++) {
		const struct entry *part = &a->dropped[i];
		index_batch_drop_bytes(a->batch, part);
		key_part(&key, a->rows->upload, part->meta.number);
		index_tx_delete(a->batch->tx, &key);
	}
}

static void apply_upload(const struct applying *a)
{
	if (a->effects->part == RULES_GOES)
		index_batch_drop_bytes(a->batch, &a->rows->old_part.entry);
	if (a->effects->upload == RULES_STAYS)
		return;
	index_batch_drop_bytes(a->batch, &a->rows->begun.entry);
	index_tx_delete(a->batch->tx, &a->rows->begun.key);
	if (a->effects->upload == RULES_GOES)
		drop_list(a);
	else
		drop_parts(a);
}

/* ---- What is made ---------------------------------------------------------------------------- */

/* Puts a part, or a piece that was appended, in the place of one with that number. */
static void put_part(const struct applying *a)
{
	struct key key;
	unsigned char bytes[OBJECT_META_BYTES];
	struct entry part = {.where = a->record->where, .meta = *a->meta};
	struct object_meta *meta = &part.meta;
	memset(meta->ended, 0, sizeof(meta->ended));
	meta->object.headers = S("");
	meta->object.tags = S("");
	object_meta_write(bytes, meta);
	key_part(&key, meta->object.version, meta->number);
	index_batch_hold_bytes(a->batch, &part);
	index_batch_put(a->batch, &key, &part, slice_of((const char *)bytes, sizeof(bytes)));
}

/* The first piece makes an object, whose part list has the number of the version. */
static void put_appendable(const struct applying *a, const struct key *key)
{
	struct object_meta meta = {.place = OBJECT_PART_LIST,
		.mode = a->meta->mode,
		.file = a->effects->object.version,
		.object = a->effects->object};
	struct entry made = {.where = a->record->where, .meta = meta};
	unsigned char *bytes = a->batch->meta;
	meta.object.headers = a->meta->object.headers;
	meta.object.tags = a->meta->object.tags;
	memcpy(meta.ended, a->meta->ended, sizeof(meta.ended));
	size_t len = OBJECT_META_BYTES + meta.object.headers.len + meta.object.tags.len;
	object_meta_write(bytes, &meta);
	object_meta_write_text(bytes, &meta.object);
	/* The record is counted once, as that of the piece if there is one. */
	if (a->meta->object.size > 0)
		made.where.length = 0;
	index_batch_hold_record(a->batch, &made.where);
	index_batch_put(a->batch, key, &made, slice_of((const char *)bytes, len));
}

static void put_current(const struct applying *a)
{
	struct entry made = {.where = a->record->where, .meta = *a->meta};
	const struct key *key = &a->rows->current.key;
	if (a->record->kind == RECORD_APPEND) {
		put_appendable(a, key);
		return;
	}
	index_batch_hold_bytes(a->batch, &made);
	index_batch_put(a->batch, key, &made, a->record->meta);
}

static void put_made(const struct applying *a)
{
	struct key key;
	const struct store_object *object = &a->effects->object;
	struct entry none = {.where = a->record->where, .meta = {.place = OBJECT_NONE}};
	switch (a->effects->made) {
	case RULES_MADE_NOTHING:
		break;
	case RULES_MADE_CURRENT:
		put_current(a);
		break;
	case RULES_MADE_MARKER:
		key_version(&key, a->rows->bucket_id, a->rows->object_key, object->version);
		index_batch_hold_bytes(a->batch, &none);
		index_batch_put(a->batch, &key, &none, a->record->meta);
		if (object->is_null)
			put_null_pointer(a, object->version);
		break;
	case RULES_MADE_UPLOAD:
		key_upload(&key, a->rows->bucket_id, a->rows->object_key, object->version);
		index_batch_hold_bytes(a->batch, &none);
		index_batch_put(a->batch, &key, &none, a->record->meta);
		break;
	case RULES_MADE_PART:
		put_part(a);
		break;
	}
	/* An empty piece would lie where the next one will. */
	if (a->record->kind == RECORD_APPEND && a->meta->object.size > 0)
		put_part(a);
}

/* ---- All of it ------------------------------------------------------------------------------- */

static enum err look_at_dropped(struct applying *a)
{
	struct slice numbers = a->record->data;
	size_t count = numbers.len / PART_NUMBER_BYTES;
	a->dropped = malloc((count + 1) * sizeof(*a->dropped));
	if (!a->dropped)
		return ERR_UNAVAILABLE;
	enum err e = ERR_OK;
	for (size_t i = 0; i < count && e == ERR_OK; i++) {
		struct row part;
		key_part(&part.key, a->rows->upload, le32_get(numbers.ptr + i * PART_NUMBER_BYTES));
		e = row_look(a->batch, &part);
		if (part.found)
			a->dropped[a->dropped_count++] = part.entry;
		row_release(&part);
	}
	return e;
}

enum err effects_apply(struct rows *rows, const struct rules_effects *effects,
	const struct record_at *record, const struct object_meta *meta)
{
	struct applying a = {.rows = rows,
		.batch = rows->batch,
		.effects = effects,
		.record = record,
		.meta = meta};
	enum err e = ERR_OK;
	if (effects->upload == RULES_IS_COMPLETE)
		e = look_at_dropped(&a);
	if (e == ERR_OK && !index_batch_reserve(a.batch, ENTRIES_MAX + a.dropped_count))
		e = ERR_UNAVAILABLE;
	if (e == ERR_OK) {
		apply_current(&a, &rows->current);
		apply_old(&a, &rows->null, effects->null);
		apply_old(&a, &rows->named, effects->named);
		apply_old(&a, &rows->newest, effects->newest);
		apply_upload(&a);
		put_made(&a);
		index_batch_count(a.batch, rows->bucket_id, &effects->counts);
	}
	free(a.dropped);
	return e;
}

/* ---- Moves ----------------------------------------------------------------------------------- */

enum carried {
	CARRIED_MOVE,
	CARRIED_RESTATE,
	CARRIED_SUMS,
};

/* What is known of it, with sums of its blocks. */
static struct slice with_sums(struct index_batch *batch, const struct row *row)
{
	unsigned char *bytes = batch->meta;
	struct object_meta meta = row->entry.meta;
	meta.has_sums = true;
	object_meta_write(bytes, &meta);
	object_meta_write_text(bytes, &meta.object);
	return slice_of((const char *)bytes,
		OBJECT_META_BYTES + meta.object.headers.len + meta.object.tags.len);
}

/* Whether what is known of it is still what the record says. */
static bool unchanged(
	struct index_batch *batch, const struct row *row, struct slice meta, enum carried how)
{
	if (how == CARRIED_SUMS)
		return !row->entry.meta.has_sums && slice_eq(with_sums(batch, row), meta);
	return slice_eq(entry_meta(slice_of(row->bytes, row->len)), meta);
}

/* The row that the record is about, wherever it is; NULL if it is not there. */
static enum err find_row(struct rows *rows, const struct object_meta *meta, struct row **ret)
{
	enum err e;
	if (meta->is_part) {
		rows->upload = meta->object.version;
		rows->part = meta->number;
		e = rows_look(rows, RULES_PART);
		*ret = rows->old_part.found ? &rows->old_part : NULL;
	} else if (meta->place == OBJECT_NONE && !meta->object.is_marker) {
		rows->upload = meta->object.version;
		e = rows_look(rows, RULES_UPLOAD);
		*ret = rows->begun.found ? &rows->begun : NULL;
	} else {
		e = rows_find(rows, meta->object.version, ret);
	}
	return e;
}

static enum err carry(struct index_batch *batch, const struct record_at *record,
	const struct location *from, enum carried how)
{
	bool restates = how != CARRIED_MOVE;
	struct rows rows;
	struct object_meta meta;
	struct row *row = NULL;
	if (!object_meta_parse(record->meta, &meta))
		return ERR_INTERNAL;
	rows_begin(&rows, batch, record->bucket_id, record->key);
	enum err e = find_row(&rows, &meta, &row);
	if (e == ERR_OK && !index_batch_reserve(batch, 2))
		e = ERR_UNAVAILABLE;
	if (e == ERR_OK && (!row || row->entry.meta.place != meta.place))
		e = ERR_PRECONDITION_FAILED;
	if (e == ERR_OK && from &&
		(!location_eq(restates ? &row->entry.stated : &row->entry.where, from) ||
			!unchanged(batch, row, record->meta, how)))
		e = ERR_PRECONDITION_FAILED;
	if (e == ERR_OK && restates)
		index_batch_restate(batch, &row->key, &row->entry, &record->where, record->meta);
	else if (e == ERR_OK)
		index_batch_move(batch, &row->key, &row->entry, &record->where, record->meta);
	rows_end(&rows);
	return e;
}

enum err effects_move(
	struct index_batch *batch, const struct record_at *record, const struct location *from)
{
	return carry(batch, record, from, CARRIED_MOVE);
}

enum err effects_restate(
	struct index_batch *batch, const struct record_at *record, const struct location *from)
{
	return carry(batch, record, from, CARRIED_RESTATE);
}

enum err effects_add_sums(
	struct index_batch *batch, const struct record_at *record, const struct location *from)
{
	return carry(batch, record, from, CARRIED_SUMS);
}
