/* SPDX-License-Identifier: Apache-2.0 */
#include "store/local/apply/rows.h"

#include "base/log.h"
#include "store/local/apply/index_batch_internal.h"
#include "store/local/disk/bytes.h"

/* No version has this number. */
#define NO_VERSION UINT64_MAX

/* ---- One row --------------------------------------------------------------------------------- */

static void row_none(struct row *row)
{
	row->found = false;
	row->bytes = NULL;
}

enum err row_look(struct index_batch *batch, struct row *row)
{
	row_none(row);
	enum err e = index_tx_get(batch->tx, &row->key, &row->bytes, &row->len);
	if (e != ERR_OK || !row->bytes)
		return e;
	if (!entry_parse(slice_of(row->bytes, row->len), &row->entry)) {
		log_error("store: an entry of the index is damaged");
		/* It may be written over; what it pointed to cannot be known. */
		memset(&row->entry, 0, sizeof(row->entry));
		row->entry.meta.place = OBJECT_NONE;
	}
	row->found = true;
	return ERR_OK;
}

void row_release(struct row *row)
{
	free(TAKE(row->bytes));
}

static const struct store_object *object_of(const struct row *row)
{
	return row->found ? &row->entry.meta.object : NULL;
}

/* ---- Versions -------------------------------------------------------------------------------- */

static enum err look_at_current(struct rows *rows)
{
	key_object(&rows->current.key, rows->bucket_id, rows->object_key);
	enum err e = row_look(rows->batch, &rows->current);
	rows->view.current = object_of(&rows->current);
	rows->view.current_is_damaged = row_is_damaged(&rows->current);
	return e;
}

/* The version "null" if it is an older one, which a row of its own points to. */
static enum err look_at_null(struct rows *rows)
{
	struct key pointer;
	char *bytes;
	size_t len;
	key_null(&pointer, rows->bucket_id, rows->object_key);
	enum err e = index_tx_get(rows->batch->tx, &pointer, &bytes, &len);
	if (e != ERR_OK || !bytes)
		return e;
	uint64_t version = len == 8 ? le64_get(bytes) : 0;
	free(bytes);
	key_version(&rows->null.key, rows->bucket_id, rows->object_key, version);
	e = row_look(rows->batch, &rows->null);
	rows->view.null = object_of(&rows->null);
	return e;
}

static enum err look_at_named(struct rows *rows)
{
	key_version(&rows->named.key, rows->bucket_id, rows->object_key, rows->version.number);
	enum err e = row_look(rows->batch, &rows->named);
	rows->view.named = object_of(&rows->named);
	return e;
}

/* The number of the older version that is named. */
static uint64_t except(const struct rows *rows)
{
	if (rows->version.is_null)
		return rows->view.null ? rows->view.null->version : NO_VERSION;
	return rows->version.number ? rows->version.number : NO_VERSION;
}

static enum err look_at_newest(struct rows *rows)
{
	struct key prefix;
	struct slice rest;
	struct slice value;
	key_versions(&prefix, rows->bucket_id, rows->object_key);
	struct index_cursor *cursor = index_batch_cursor(rows->batch, &prefix);
	if (!cursor)
		return ERR_UNAVAILABLE;
	index_cursor_seek(cursor, S(""));
	bool there = index_cursor_at(cursor, &rest, &value);
	if (there && rest.len == 8 && ~be64_get(rest.ptr) == except(rows)) {
		index_cursor_next(cursor);
		there = index_cursor_at(cursor, &rest, &value);
	}
	enum err e = index_cursor_err(cursor);
	there = there && e == ERR_OK && rest.len == 8;
	if (there)
		key_version(
			&rows->newest.key, rows->bucket_id, rows->object_key, ~be64_get(rest.ptr));
	index_cursor_free(cursor);
	if (there)
		e = row_look(rows->batch, &rows->newest);
	rows->view.newest = object_of(&rows->newest);
	return e;
}

/* ---- Uploads --------------------------------------------------------------------------------- */

static enum err look_at_upload(struct rows *rows)
{
	key_upload(&rows->begun.key, rows->bucket_id, rows->object_key, rows->upload);
	enum err e = row_look(rows->batch, &rows->begun);
	rows->view.upload = object_of(&rows->begun);
	return e;
}

static enum err look_at_part(struct rows *rows)
{
	key_part(&rows->old_part.key, rows->upload, rows->part);
	enum err e = row_look(rows->batch, &rows->old_part);
	rows->view.part = object_of(&rows->old_part);
	return e;
}

static bool add_part(struct rows *rows, const struct object_meta *meta, size_t *size)
{
	if (rows->view.part_count == *size) {
		*size = *size ? *size * 2 : 16;
		struct store_part *parts = realloc(rows->parts, *size * sizeof(*parts));
		if (!parts)
			return false;
		rows->parts = parts;
		rows->view.parts = parts;
	}
	const struct store_object *object = &meta->object;
	struct store_part *part = &rows->parts[rows->view.part_count++];
	*part = (struct store_part){.number = (uint32_t)meta->number,
		.size = object->size,
		.modified_ms = object->modified_ms,
		.crc64 = object->crc64};
	memcpy(part->md5, object->md5, sizeof(part->md5));
	return true;
}

static enum err look_at_parts(struct rows *rows)
{
	struct key prefix;
	struct slice rest;
	struct slice value;
	struct entry part;
	size_t size = 0;
	key_number(&prefix, KEY_PART, rows->upload);
	struct index_cursor *cursor = index_batch_cursor(rows->batch, &prefix);
	if (!cursor)
		return ERR_UNAVAILABLE;
	enum err e = ERR_OK;
	index_cursor_seek(cursor, S(""));
	for (; e == ERR_OK && index_cursor_at(cursor, &rest, &value); index_cursor_next(cursor)) {
		if (!entry_parse(value, &part))
			rows->has_damaged_part = true;
		else if (!add_part(rows, &part.meta, &size))
			e = ERR_UNAVAILABLE;
	}
	if (e == ERR_OK)
		e = index_cursor_err(cursor);
	index_cursor_free(cursor);
	return e;
}

/* ---- All ------------------------------------------------------------------------------------- */

void rows_begin(
	struct rows *rows, struct index_batch *batch, uint64_t bucket_id, struct slice object_key)
{
	rows->batch = batch;
	rows->bucket_id = bucket_id;
	rows->object_key = object_key;
	rows->version = (struct store_version){.number = 0};
	rows->upload = 0;
	rows->part = 0;
	rows->view = (struct rules_view){.known = 0};
	/* Their keys are long, and most are not looked at. */
	row_none(&rows->current);
	row_none(&rows->null);
	row_none(&rows->named);
	row_none(&rows->newest);
	row_none(&rows->begun);
	row_none(&rows->old_part);
	rows->parts = NULL;
	rows->has_damaged_part = false;
}

enum err rows_look(struct rows *rows, unsigned which)
{
	static const struct {
		enum rules_row row;
		enum err (*look)(struct rows *rows);
	} looks[] = {
		{RULES_CURRENT, look_at_current},
		{RULES_NULL, look_at_null},
		{RULES_NAMED, look_at_named},
		{RULES_NEWEST, look_at_newest},
		{RULES_UPLOAD, look_at_upload},
		{RULES_PART, look_at_part},
		{RULES_PARTS, look_at_parts},
	};
	enum err e = ERR_OK;
	for (size_t i = 0; i < ARRAY_LEN(looks) && e == ERR_OK; i++)
		if (which & looks[i].row)
			e = looks[i].look(rows);
	rows->view.known |= which;
	return e;
}

enum err rows_find(struct rows *rows, uint64_t version, struct row **ret)
{
	*ret = &rows->current;
	rows->version.number = version;
	enum err e = rows_look(rows, RULES_CURRENT);
	if (e != ERR_OK || (rows->current.found && rows->view.current->version == version))
		return e;
	e = rows_look(rows, RULES_NAMED);
	*ret = rows->named.found ? &rows->named : NULL;
	return e;
}

void rows_end(struct rows *rows)
{
	row_release(&rows->current);
	row_release(&rows->null);
	row_release(&rows->named);
	row_release(&rows->newest);
	row_release(&rows->begun);
	row_release(&rows->old_part);
	free(TAKE(rows->parts));
}
