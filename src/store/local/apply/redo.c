/* SPDX-License-Identifier: Apache-2.0 */
#include "store/local/apply/redo.h"

/* A record on its way to effects. */
struct redo {
	struct rows rows;
	const struct record_at *record;
	struct object_meta meta;
	struct rules_effects effects;
};

/* ---- Versions -------------------------------------------------------------------------------- */

/* What was there makes way, as the record says. */
static enum err make_way(struct redo *redo)
{
	struct rows *rows = &redo->rows;
	enum object_mode mode = redo->meta.mode;
	enum err e = rows_look(rows, RULES_CURRENT);
	bool null_is_current = rows->current.found && rows->view.current->is_null;
	if (e == ERR_OK && mode == OBJECT_REPLACES_NULL && !null_is_current)
		e = rows_look(rows, RULES_NULL);
	bool kept = !rows->view.current_is_damaged &&
		    (mode == OBJECT_KEEPS || (mode == OBJECT_REPLACES_NULL && !null_is_current));
	if (rows->current.found)
		redo->effects.current = kept ? RULES_BECOMES_OLDER : RULES_GOES;
	if (rows->null.found)
		redo->effects.null = RULES_GOES;
	return e;
}

static enum err make(struct redo *redo, enum rules_made made)
{
	redo->effects.made = made;
	redo->effects.object = redo->meta.object;
	return ERR_OK;
}

static enum err redo_object(struct redo *redo)
{
	enum err e = make_way(redo);
	return e == ERR_OK ? make(redo, RULES_MADE_CURRENT) : e;
}

static enum err redo_marker(struct redo *redo)
{
	enum err e = make_way(redo);
	return e == ERR_OK ? make(redo, RULES_MADE_MARKER) : e;
}

/* Without a current object the newest of the others is it, unless it is a marker. */
static enum err redo_version_delete(struct redo *redo)
{
	struct rows *rows = &redo->rows;
	struct row *row;
	enum err e = rows_find(rows, redo->meta.object.version, &row);
	if (e != ERR_OK || !row)
		return e;
	bool was_current = row == &rows->current;
	if (was_current || !rows->current.found)
		e = rows_look(rows, RULES_NEWEST);
	if (was_current)
		redo->effects.current = RULES_GOES;
	else
		redo->effects.named = RULES_GOES;
	if (rows->newest.found && !rows->view.newest->is_marker)
		redo->effects.newest = RULES_BECOMES_CURRENT;
	return e;
}

static enum err redo_metadata(struct redo *redo)
{
	struct row *row;
	enum err e = rows_find(&redo->rows, redo->meta.object.version, &row);
	if (e != ERR_OK || !row)
		return e != ERR_OK ? e : ERR_NO_SUCH_VERSION;
	if (row == &redo->rows.current)
		redo->effects.current = RULES_IS_CHANGED;
	else
		redo->effects.named = RULES_IS_CHANGED;
	return ERR_OK;
}

/* ---- Uploads --------------------------------------------------------------------------------- */

static enum err find_upload(struct redo *redo, uint64_t upload, unsigned besides)
{
	redo->rows.upload = upload;
	enum err e = rows_look(&redo->rows, RULES_UPLOAD | besides);
	return e == ERR_OK && !redo->rows.begun.found ? ERR_NO_SUCH_UPLOAD : e;
}

static enum err redo_part(struct redo *redo)
{
	redo->rows.part = redo->meta.number;
	enum err e = find_upload(redo, redo->meta.object.version, RULES_PART);
	if (redo->rows.old_part.found)
		redo->effects.part = RULES_GOES;
	return e == ERR_OK ? make(redo, RULES_MADE_PART) : e;
}

static enum err redo_abort(struct redo *redo)
{
	redo->effects.upload = RULES_GOES;
	return find_upload(redo, redo->meta.object.version, RULES_PARTS);
}

static enum err redo_complete(struct redo *redo)
{
	redo->effects.upload = RULES_IS_COMPLETE;
	enum err e = find_upload(redo, redo->meta.file, RULES_PARTS);
	return e == ERR_OK ? redo_object(redo) : e;
}

static enum err redo_append(struct redo *redo)
{
	const struct store_object *piece = &redo->meta.object;
	struct store_object *object = &redo->effects.object;
	/* It begins an object that was kept of another store. */
	if (piece->type == STORE_APPENDABLE)
		return redo_object(redo);
	enum err e = rows_look(&redo->rows, RULES_CURRENT);
	const struct store_object *current = redo->rows.view.current;
	if (e != ERR_OK)
		return e;
	if (current && current->type != STORE_APPENDABLE)
		return ERR_NOT_APPENDABLE;
	if ((current ? current->size : 0) != redo->meta.number)
		return ERR_POSITION_NOT_EQUAL_TO_LENGTH;
	if (current) {
		redo->effects.current = RULES_GROWS;
		*object = *current;
		rules_grow(object, piece, piece->modified_ms);
		return ERR_OK;
	}
	e = redo_object(redo);
	object->type = STORE_APPENDABLE;
	return e;
}

/* ---- All of them ----------------------------------------------------------------------------- */

static enum err effects_of(struct redo *redo)
{
	switch (redo->record->kind) {
	case RECORD_OBJECT:
		return redo_object(redo);
	case RECORD_OBJECT_DELETE:
		redo->meta.mode = OBJECT_REPLACES;
		return make_way(redo);
	case RECORD_METADATA:
		return redo_metadata(redo);
	case RECORD_MARKER:
		return redo_marker(redo);
	case RECORD_VERSION_DELETE:
		return redo_version_delete(redo);
	case RECORD_MULTIPART:
		return make(redo, RULES_MADE_UPLOAD);
	case RECORD_MULTIPART_ABORT:
		return redo_abort(redo);
	case RECORD_PART:
		return redo_part(redo);
	case RECORD_COMPLETE:
		return redo_complete(redo);
	case RECORD_APPEND:
		return redo_append(redo);
	case RECORD_MOVE:
	case RECORD_ENDED:
	case RECORD_BUCKET:
	case RECORD_BUCKET_DELETE:
		break;
	}
	return ERR_INTERNAL;
}

static enum err redo_ended(struct index_batch *batch, const struct record_at *record)
{
	struct ended_record ended;
	if (!ended_parse(record->data, &ended))
		return ERR_INTERNAL;
	return index_batch_ended(batch, &ended, record->bucket_id, record->key, &record->where);
}

enum err redo_record(struct index_batch *batch, const struct record_at *record)
{
	struct redo redo;
	if (record->kind == RECORD_MOVE)
		return effects_move(batch, record, NULL);
	if (record->kind == RECORD_ENDED)
		return redo_ended(batch, record);
	memset(&redo.meta, 0, sizeof(redo.meta));
	memset(&redo.effects, 0, sizeof(redo.effects));
	redo.record = record;
	if (record->kind != RECORD_OBJECT_DELETE && !object_meta_parse(record->meta, &redo.meta))
		return ERR_INTERNAL;
	if (record->kind == RECORD_METADATA && redo.meta.is_part)
		return effects_restate(batch, record, NULL);
	rows_begin(&redo.rows, batch, record->bucket_id, record->key);
	enum err e = effects_of(&redo);
	if (e == ERR_OK) {
		rules_count(&redo.rows.view, &redo.effects);
		e = effects_apply(&redo.rows, &redo.effects, record, &redo.meta);
	}
	rows_end(&redo.rows);
	return e;
}
