/* SPDX-License-Identifier: Apache-2.0 */
#include "store/local/apply/restore.h"

#include "store/local/apply/index_batch_internal.h"
#include "store/local/disk/bytes.h"

enum {
	PART_NUMBER_BYTES = 4, /* in the data of RECORD_COMPLETE */
	ENTRIES_MAX = 8,
	WRITE_AFTER = 1000, /* changes of the index, at the end */
};

struct restore {
	struct index_batch *batch;
	const struct record_at *record;
	struct object_meta meta;
	struct rows rows;
};

static void begin(struct restore *r)
{
	rows_begin(&r->rows, r->batch, r->record->bucket_id, r->record->key);
}

/* ---- What ends ------------------------------------------------------------------------------- */

/* The version is not an older one any more; another may be "null" already. */
static enum err drop_null_pointer(struct restore *r, const struct store_object *object)
{
	struct key pointer;
	char *bytes;
	size_t len;
	if (!object->is_null)
		return ERR_OK;
	key_null(&pointer, r->rows.bucket_id, r->rows.object_key);
	enum err e = index_tx_get(r->batch->tx, &pointer, &bytes, &len);
	if (e != ERR_OK || !bytes)
		return e;
	if (len != 8 || le64_get(bytes) == object->version)
		index_tx_delete(r->batch->tx, &pointer);
	free(bytes);
	return ERR_OK;
}

static enum err delete_row(struct restore *r, const struct row *row)
{
	index_batch_drop_bytes(r->batch, &row->entry);
	index_tx_delete(r->batch->tx, &row->key);
	return row == &r->rows.current ? ERR_OK : drop_null_pointer(r, &row->entry.meta.object);
}

/* Without a current object the newest of the others is it, unless it is a marker. */
static enum err promote(struct restore *r)
{
	struct rows *rows = &r->rows;
	struct key key;
	enum err e = rows_look(rows, RULES_NEWEST);
	if (e != ERR_OK || !rows->newest.found || rows->view.newest->is_marker)
		return e;
	key_object(&key, rows->bucket_id, rows->object_key);
	index_tx_put(r->batch->tx, &key, slice_of(rows->newest.bytes, rows->newest.len));
	index_tx_delete(r->batch->tx, &rows->newest.key);
	return drop_null_pointer(r, rows->view.newest);
}

/* That the row was made by another record than is said: a copy of it was collected. */
static void note_copy(struct restore *r, const struct entry *entry, const struct ended *ended)
{
	index_batch_note_moved(r->batch, entry->where.segment, ended->segment);
}

static enum err end_version(struct restore *r, const struct ended *ended, bool *ret_found)
{
	uint64_t version = ended_version(ended);
	struct row *row;
	begin(r);
	enum err e = rows_find(&r->rows, version, &row);
	*ret_found = e == ERR_OK && row;
	if (*ret_found && !index_batch_reserve(r->batch, ENTRIES_MAX))
		e = ERR_UNAVAILABLE;
	if (e == ERR_OK && row) {
		bool without = row == &r->rows.current || !r->rows.current.found;
		note_copy(r, &row->entry, ended);
		e = delete_row(r, row);
		if (e == ERR_OK && without)
			e = promote(r);
	}
	rows_end(&r->rows);
	return e;
}

static enum err end_upload(struct restore *r, const struct ended *ended)
{
	begin(r);
	r->rows.upload = ended->number;
	enum err e = rows_look(&r->rows, RULES_UPLOAD);
	if (e == ERR_OK && !index_batch_reserve(r->batch, ENTRIES_MAX))
		e = ERR_UNAVAILABLE;
	/* Its parts are found at the end, if no object has them. */
	if (e == ERR_OK && r->rows.begun.found) {
		note_copy(r, &r->rows.begun.entry, ended);
		index_batch_drop_bytes(r->batch, &r->rows.begun.entry);
		index_tx_delete(r->batch->tx, &r->rows.begun.key);
	}
	rows_end(&r->rows);
	return e;
}

/* The number is that of a version or of an upload. */
static enum err end_number(struct restore *r, const struct ended *ended)
{
	bool found;
	enum err e = end_version(r, ended, &found);
	return e == ERR_OK && !found ? end_upload(r, ended) : e;
}

static enum err end_all(struct restore *r)
{
	enum err e = ERR_OK;
	for (size_t i = 0; i < OBJECT_ENDED_MAX && e == ERR_OK; i++)
		if (r->meta.ended[i].number)
			e = end_number(r, &r->meta.ended[i]);
	return e;
}

/* ---- Versions -------------------------------------------------------------------------------- */

/* The entry that the record makes. `ret_meta` is encoded. */
static struct entry made_entry(struct restore *r, struct slice *ret_meta)
{
	struct entry entry = {.where = r->record->where, .meta = r->meta};
	*ret_meta = r->record->meta;
	if (r->record->kind == RECORD_METADATA) {
		location_read(r->record->data.ptr, &entry.where);
		entry.stated = r->record->where;
	}
	if (r->record->kind != RECORD_APPEND)
		return entry;
	/* The first piece makes the object, see put_appendable() in effects.c. */
	struct object_meta *meta = &entry.meta;
	unsigned char *bytes = r->batch->meta;
	meta->place = OBJECT_PART_LIST;
	meta->file = meta->object.version;
	meta->has_sums = false;
	meta->is_part = false;
	meta->number = 0;
	meta->object.type = STORE_APPENDABLE;
	size_t len = OBJECT_META_BYTES + meta->object.headers.len + meta->object.tags.len;
	object_meta_write(bytes, meta);
	object_meta_write_text(bytes, &meta->object);
	*ret_meta = slice_of((const char *)bytes, len);
	if (meta->object.size > 0)
		entry.where.length = 0;
	return entry;
}

/* The same version or part as before, made by another record. */
static void replace(struct restore *r, const struct row *row)
{
	struct slice meta;
	struct entry entry = made_entry(r, &meta);
	if (r->record->kind == RECORD_METADATA)
		index_batch_restate(r->batch, &row->key, &row->entry, &entry.stated, meta);
	else
		index_batch_move(r->batch, &row->key, &row->entry, &entry.where, meta);
}

static void put_old(struct restore *r, uint64_t version, bool is_null, struct key *ret)
{
	struct key pointer;
	key_version(ret, r->rows.bucket_id, r->rows.object_key, version);
	if (!is_null)
		return;
	key_null(&pointer, r->rows.bucket_id, r->rows.object_key);
	index_tx_put_number(r->batch->tx, &pointer, version);
}

/* The current one becomes an older one. */
static void keep_current(struct restore *r)
{
	const struct row *row = &r->rows.current;
	const struct store_object *object = &row->entry.meta.object;
	struct key key;
	put_old(r, object->version, object->is_null, &key);
	index_tx_put(r->batch->tx, &key, slice_of(row->bytes, row->len));
	index_tx_delete(r->batch->tx, &row->key);
}

/* A version that is not there yet takes its place among the others. */
static enum err insert(struct restore *r)
{
	struct rows *rows = &r->rows;
	struct key key;
	struct slice meta;
	uint64_t version = r->meta.object.version;
	struct entry entry = made_entry(r, &meta);
	enum err e = rows_look(rows, RULES_NEWEST);
	if (e != ERR_OK)
		return e;
	bool is_newest = !(rows->current.found && rows->view.current->version > version) &&
			 !(rows->newest.found && rows->view.newest->version > version);
	if (is_newest && rows->current.found && entry.meta.mode == OBJECT_REPLACES)
		e = delete_row(r, &rows->current);
	else if (is_newest && rows->current.found)
		keep_current(r);
	if (is_newest && !entry.meta.object.is_marker)
		key_object(&key, rows->bucket_id, rows->object_key);
	else
		put_old(r, version, entry.meta.object.is_null, &key);
	index_batch_hold_bytes(r->batch, &entry);
	index_batch_put(r->batch, &key, &entry, meta);
	return e;
}

/* Whether the bytes of which a record says what is known may be there. */
static bool may_be_there(struct restore *r)
{
	struct location where;
	if (r->record->kind != RECORD_METADATA)
		return true;
	if (r->record->data.len != LOCATION_BYTES)
		return false;
	location_read(r->record->data.ptr, &where);
	return segment_exists(r->batch->segments, where.segment);
}

static enum err restore_version(struct restore *r)
{
	struct row *row;
	begin(r);
	enum err e = rows_find(&r->rows, r->meta.object.version, &row);
	if (e == ERR_OK && !index_batch_reserve(r->batch, ENTRIES_MAX))
		e = ERR_UNAVAILABLE;
	if (e == ERR_OK && row)
		replace(r, row);
	else if (e == ERR_OK && may_be_there(r))
		e = insert(r);
	rows_end(&r->rows);
	return e;
}

/* ---- Uploads and parts ----------------------------------------------------------------------- */

static enum err restore_upload(struct restore *r)
{
	begin(r);
	r->rows.upload = r->meta.object.version;
	enum err e = rows_look(&r->rows, RULES_UPLOAD);
	if (e == ERR_OK && !index_batch_reserve(r->batch, ENTRIES_MAX))
		e = ERR_UNAVAILABLE;
	if (e == ERR_OK && r->rows.begun.found) {
		replace(r, &r->rows.begun);
	} else if (e == ERR_OK) {
		struct entry entry = {.where = r->record->where, .meta = r->meta};
		index_batch_hold_bytes(r->batch, &entry);
		index_batch_put(r->batch, &r->rows.begun.key, &entry, r->record->meta);
	}
	rows_end(&r->rows);
	return e;
}

/* Whether both are the same bytes, which may have got sums since. */
static bool is_same_part(const struct row *row, const struct object_meta *meta)
{
	unsigned char old[OBJECT_META_BYTES];
	unsigned char now[OBJECT_META_BYTES];
	struct object_meta before = row->entry.meta;
	before.has_sums = meta->has_sums;
	before.object.headers = S("");
	before.object.tags = S("");
	object_meta_write(old, &before);
	object_meta_write(now, meta);
	return memcmp(old, now, sizeof(old)) == 0;
}

static enum err restore_part(struct restore *r)
{
	unsigned char bytes[OBJECT_META_BYTES];
	struct slice meta = slice_of((const char *)bytes, sizeof(bytes));
	struct row row;
	if (!may_be_there(r))
		return ERR_OK;
	key_part(&row.key, r->meta.object.version, r->meta.number);
	enum err e = row_look(r->batch, &row);
	if (e == ERR_OK && !index_batch_reserve(r->batch, ENTRIES_MAX))
		e = ERR_UNAVAILABLE;
	if (e == ERR_OK) {
		struct entry part = {.where = r->record->where, .meta = r->meta};
		memset(part.meta.ended, 0, sizeof(part.meta.ended));
		part.meta.object.headers = S("");
		part.meta.object.tags = S("");
		object_meta_write(bytes, &part.meta);
		if (r->record->kind == RECORD_METADATA) {
			location_read(r->record->data.ptr, &part.where);
			part.stated = r->record->where;
		}
		/* Or it is another in its place. */
		bool same = row.found && is_same_part(&row, &part.meta);
		if (same && part.stated.segment) {
			index_batch_restate(r->batch, &row.key, &row.entry, &part.stated, meta);
		} else if (same) {
			index_batch_move(r->batch, &row.key, &row.entry, &part.where, meta);
		} else {
			if (row.found)
				index_batch_drop_bytes(r->batch, &row.entry);
			index_batch_hold_bytes(r->batch, &part);
			index_batch_put(r->batch, &row.key, &part, meta);
		}
	}
	row_release(&row);
	return e;
}

/* Parts that an object of parts did not take. */
static enum err drop_parts(struct restore *r)
{
	struct slice numbers = r->record->data;
	enum err e = ERR_OK;
	for (size_t at = 0; at + PART_NUMBER_BYTES <= numbers.len && e == ERR_OK;
		at += PART_NUMBER_BYTES)
		e = index_batch_forget_part(r->batch, r->meta.file, le32_get(numbers.ptr + at));
	return e;
}

/*
 * The object grows by the piece, if it comes where the object ends. If others before it have gone
 * elsewhere, what they come to is said further on.
 */
static enum err grow(struct restore *r)
{
	struct row *row;
	begin(r);
	enum err e = rows_find(&r->rows, r->meta.object.version, &row);
	if (e == ERR_OK && row && row->entry.meta.object.type == STORE_APPENDABLE &&
		row->entry.meta.object.size == r->meta.number) {
		struct object_meta meta = row->entry.meta;
		unsigned char *bytes = r->batch->meta;
		rules_grow(&meta.object, &r->meta.object, r->meta.object.modified_ms);
		object_meta_write(bytes, &meta);
		object_meta_write_text(bytes, &meta.object);
		size_t len = OBJECT_META_BYTES + meta.object.headers.len + meta.object.tags.len;
		index_batch_put(
			r->batch, &row->key, &row->entry, slice_of((const char *)bytes, len));
	}
	rows_end(&r->rows);
	return e;
}

static enum err restore_append(struct restore *r, uint64_t sequence)
{
	/* What is kept of another store has its version from there. */
	bool is_first =
		r->meta.object.version == sequence || r->meta.object.type == STORE_APPENDABLE;
	enum err e = is_first ? restore_version(r) : grow(r);
	return e == ERR_OK && r->meta.object.size > 0 ? restore_part(r) : e;
}

/* ---- All of them ----------------------------------------------------------------------------- */

static enum err restore_move(struct restore *r)
{
	if (r->meta.is_part)
		return restore_part(r);
	if (r->meta.place == OBJECT_NONE && !r->meta.object.is_marker)
		return restore_upload(r);
	enum err e = restore_version(r);
	return e == ERR_OK && r->meta.place == OBJECT_PART_LIST ? drop_parts(r) : e;
}

static enum err restore_ended(struct restore *r)
{
	struct ended_record ended;
	if (!ended_parse(r->record->data, &ended))
		return ERR_INTERNAL;
	enum err e = end_number(r, &ended.what);
	return e == ERR_OK ? index_batch_ended(r->batch, &ended, r->record->bucket_id,
				     r->record->key, &r->record->where)
			   : e;
}

enum err restore_record(
	struct index_batch *batch, const struct record_at *record, uint64_t sequence)
{
	struct restore r = {.batch = batch, .record = record};
	if (record->kind == RECORD_ENDED)
		return restore_ended(&r);
	if (!object_meta_parse(record->meta, &r.meta))
		return ERR_INTERNAL;
	enum err e = ERR_OK;
	/* What is known of a version ends nothing; it has been said before what the version did. */
	if (record->kind != RECORD_METADATA && !(record->kind == RECORD_MOVE && r.meta.is_part))
		e = end_all(&r);
	if (e != ERR_OK)
		return e;
	switch (record->kind) {
	case RECORD_OBJECT:
	case RECORD_MARKER:
		return restore_version(&r);
	case RECORD_COMPLETE:
		e = restore_version(&r);
		return e == ERR_OK ? drop_parts(&r) : e;
	case RECORD_MOVE:
		return restore_move(&r);
	case RECORD_METADATA:
		return r.meta.is_part ? restore_part(&r) : restore_version(&r);
	case RECORD_MULTIPART:
		return restore_upload(&r);
	case RECORD_PART:
		return restore_part(&r);
	case RECORD_APPEND:
		return restore_append(&r, sequence);
	case RECORD_OBJECT_DELETE:
	case RECORD_VERSION_DELETE:
	case RECORD_MULTIPART_ABORT:
		return ERR_OK;
	case RECORD_BUCKET:
	case RECORD_BUCKET_DELETE:
	case RECORD_ENDED:
		break;
	}
	return ERR_INTERNAL;
}

/* ---- The end --------------------------------------------------------------------------------- */

/* The part lists that something has: ascending, once sorted. */
struct part_lists {
	uint64_t *numbers;
	size_t count;
	size_t size;
};

static bool add_part_list(struct part_lists *lists, uint64_t number)
{
	if (lists->count == lists->size) {
		size_t size = lists->size ? lists->size * 2 : 1024;
		uint64_t *numbers = realloc(lists->numbers, size * sizeof(*numbers));
		if (!numbers)
			return false;
		lists->numbers = numbers;
		lists->size = size;
	}
	lists->numbers[lists->count++] = number;
	return true;
}

static int compare(const void *a, const void *b)
{
	const uint64_t *x = a;
	const uint64_t *y = b;
	return *x < *y ? -1 : *x > *y;
}

static bool has_part_list(const struct part_lists *lists, uint64_t number)
{
	return lists->count &&
	       bsearch(&number, lists->numbers, lists->count, sizeof(number), compare) != NULL;
}

/* The part lists of the entries of a kind. */
static enum err gather_part_lists(struct index *index, enum key_kind kind, struct part_lists *lists)
{
	struct key prefix;
	struct slice rest;
	struct slice value;
	struct entry entry;
	enum err e = ERR_OK;
	key_kind(&prefix, kind);
	struct index_cursor *cursor = index_cursor_new(index, NULL, &prefix);
	if (!cursor)
		return ERR_UNAVAILABLE;
	for (index_cursor_seek(cursor, S(""));
		e == ERR_OK && index_cursor_at(cursor, &rest, &value); index_cursor_next(cursor)) {
		if (!entry_parse(value, &entry))
			continue;
		if (kind == KEY_MULTIPART && !add_part_list(lists, entry.meta.object.version))
			e = ERR_UNAVAILABLE;
		if (kind != KEY_MULTIPART && entry.meta.place == OBJECT_PART_LIST &&
			!add_part_list(lists, entry.meta.file))
			e = ERR_UNAVAILABLE;
	}
	if (e == ERR_OK)
		e = index_cursor_err(cursor);
	index_cursor_free(cursor);
	return e;
}

static enum err write_now(struct index_batch *batch)
{
	const struct index_state now = *index_batch_state(batch);
	bool ignored;
	return index_batch_write(
		batch, now.segment, now.offset, now.sequence, now.file_mark, &ignored);
}

/*
 * Removes a part whose part list no object and no upload has. Rows of part lists that wait for the
 * collector go too: their parts are removed here.
 */
static enum err drop_if_unused(struct index_batch *batch, const struct part_lists *lists,
	enum key_kind kind, struct slice rest)
{
	struct key key;
	uint64_t list = rest.len >= 8 ? be64_get(rest.ptr) : 0;
	if (kind == KEY_DEAD_PART_LIST) {
		key_number(&key, kind, list);
		index_tx_delete(batch->tx, &key);
		return ERR_OK;
	}
	if (rest.len != 16 || has_part_list(lists, list))
		return ERR_OK;
	return index_batch_forget_part(batch, list, be64_get(rest.ptr + 8));
}

static enum err drop_unused(struct index_batch *batch, struct index *index,
	const struct part_lists *lists, enum key_kind kind)
{
	struct key prefix;
	struct slice rest;
	struct slice value;
	unsigned rows = 0;
	enum err e = ERR_OK;
	key_kind(&prefix, kind);
	struct index_cursor *cursor = index_cursor_new(index, NULL, &prefix);
	if (!cursor)
		return ERR_UNAVAILABLE;
	for (index_cursor_seek(cursor, S(""));
		e == ERR_OK && index_cursor_at(cursor, &rest, &value); index_cursor_next(cursor)) {
		e = drop_if_unused(batch, lists, kind, rest);
		if (e == ERR_OK && ++rows % WRITE_AFTER == 0)
			e = write_now(batch);
	}
	if (e == ERR_OK)
		e = index_cursor_err(cursor);
	index_cursor_free(cursor);
	return e == ERR_OK ? write_now(batch) : e;
}

struct trash {
	struct index_batch *batch;
	struct index *index;
	enum err err;
};

/* A file that a record dropped, but that an entry still uses, is not to be removed. */
static bool settle_file(uint64_t file, uint64_t size, void *ctx)
{
	struct trash *trash = ctx;
	struct index_value value;
	struct key key;
	key_number(&key, KEY_FILE, file);
	enum index_found found = index_get(trash->index, &key, false, &value);
	if (found == INDEX_FOUND) {
		index_value_release(&value);
		index_batch_forget_file(trash->batch, file, size);
		trash->err = write_now(trash->batch);
	} else if (found == INDEX_FAILED) {
		trash->err = ERR_INTERNAL;
	}
	return trash->err == ERR_OK;
}

enum err restore_finish(struct index_batch *batch, struct index *index)
{
	struct part_lists lists = {.numbers = NULL};
	enum err e = gather_part_lists(index, KEY_OBJECT, &lists);
	if (e == ERR_OK)
		e = gather_part_lists(index, KEY_VERSION, &lists);
	if (e == ERR_OK)
		e = gather_part_lists(index, KEY_MULTIPART, &lists);
	if (e == ERR_OK && lists.count)
		qsort(lists.numbers, lists.count, sizeof(lists.numbers[0]), compare);
	if (e == ERR_OK)
		e = drop_unused(batch, index, &lists, KEY_DEAD_PART_LIST);
	if (e == ERR_OK)
		e = drop_unused(batch, index, &lists, KEY_PART);
	free(lists.numbers);
	struct trash trash = {.batch = batch, .index = index, .err = e};
	if (e == ERR_OK)
		e = index_each_number(index, KEY_TRASH, settle_file, &trash);
	return e == ERR_OK ? trash.err : e;
}
