/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What records about uploads, parts and appending mean for the index. Parts belong to a set, whose
 * number is that of the upload, or of the version that is appended to: completing an upload makes
 * an object that names the set, and leaves the parts alone.
 */
#include "crypto/crc64.h"
#include "crypto/digest.h"
#include "store/local/apply/stage_internal.h"
#include "store/local/disk/bytes.h"

enum {
	PART_NUMBER_BYTES = 4 /* in the data of RECORD_COMPLETE */
};

/* ---- Uploads --------------------------------------------------------------------------------- */

static enum err look_upload(struct stage *stage, const struct stage_record *record, uint64_t upload,
	struct key *ret_key, struct stage_entry *ret)
{
	key_upload(ret_key, record->bucket_id, record->key, upload);
	enum err e = stage_look(stage, ret_key, ret);
	return e == ERR_OK && !ret->found ? ERR_NO_SUCH_UPLOAD : e;
}

enum err stage_upload(
	struct stage *stage, const struct stage_record *record, const struct object_meta *meta)
{
	struct key key;
	key_upload(&key, record->bucket_id, record->key, meta->object.version);
	stage_put(stage, &key, &record->where, record->meta, OBJECT_NONE);
	stage_count_uploads(stage, record->bucket_id, 1, 0);
	return ERR_OK;
}

/* What the parts of an upload have come to. */
static enum err add_up(struct stage *stage, uint64_t upload, uint64_t *ret)
{
	struct key prefix;
	struct slice rest;
	struct slice value;
	struct entry part;
	*ret = 0;
	key_number(&prefix, KEY_PART, upload);
	struct index_cursor *cursor = stage_cursor(stage, &prefix);
	if (!cursor)
		return ERR_UNAVAILABLE;
	index_cursor_seek(cursor, S(""));
	while (index_cursor_at(cursor, &rest, &value)) {
		if (entry_parse(value, &part))
			*ret += part.meta.object.size;
		index_cursor_next(cursor);
	}
	enum err e = index_cursor_err(cursor);
	index_cursor_free(cursor);
	return e;
}

enum err stage_upload_abort(
	struct stage *stage, const struct stage_record *record, const struct object_meta *meta)
{
	struct key key;
	struct stage_entry upload = {.found = false};
	struct entry set = {.meta = {.place = OBJECT_SET, .file = meta->object.version}};
	uint64_t bytes = 0;
	enum err e = look_upload(stage, record, meta->object.version, &key, &upload);
	if (e == ERR_OK)
		e = add_up(stage, meta->object.version, &bytes);
	if (e == ERR_OK) {
		index_tx_delete(stage->tx, &key);
		stage_drop_bytes(stage, &set);
		stage_count_uploads(stage, record->bucket_id, -1, -(int64_t)bytes);
	}
	stage_entry_release(&upload);
	return e;
}

/* ---- Parts ----------------------------------------------------------------------------------- */

/* Puts a part, or a piece that was appended, in the place of one with that number. */
static void put_part(struct stage *stage, const struct entry *part)
{
	struct key key;
	unsigned char bytes[OBJECT_META_BYTES];
	struct object_meta meta = part->meta;
	meta.object.headers = S("");
	meta.object.tags = S("");
	object_meta_write(bytes, &meta);
	key_part(&key, meta.object.version, meta.number);
	stage_hold_bytes(stage, part);
	stage_put(stage, &key, &part->where, slice_of(bytes, sizeof(bytes)), meta.place);
}

enum err stage_part(
	struct stage *stage, const struct stage_record *record, const struct object_meta *meta)
{
	struct key key;
	struct stage_entry upload = {.found = false};
	struct stage_entry old = {.found = false};
	struct entry part = {.where = record->where, .meta = *meta};
	enum err e = ERR_UNAVAILABLE;
	if (stage_reserve(stage, 2))
		e = look_upload(stage, record, meta->object.version, &key, &upload);
	key_part(&key, meta->object.version, meta->number);
	if (e == ERR_OK)
		e = stage_look(stage, &key, &old);
	if (e == ERR_OK) {
		if (old.found)
			stage_drop_bytes(stage, &old.entry);
		put_part(stage, &part);
		stage_count_uploads(stage, record->bucket_id, 0,
			(int64_t)(meta->object.size - old.entry.meta.object.size));
	}
	stage_entry_release(&old);
	stage_entry_release(&upload);
	return e;
}

enum err stage_part_forget(struct stage *stage, uint64_t set, uint64_t number)
{
	struct key key;
	struct stage_entry part = {.found = false};
	key_part(&key, set, number);
	enum err e = stage_reserve(stage, 1) ? stage_look(stage, &key, &part) : ERR_UNAVAILABLE;
	if (e == ERR_OK && part.found) {
		stage_drop_bytes(stage, &part.entry);
		index_tx_delete(stage->tx, &key);
	}
	stage_entry_release(&part);
	return e;
}

void stage_set_forget(struct stage *stage, uint64_t set)
{
	struct key key;
	key_number(&key, KEY_DEAD_SET, set);
	index_tx_delete(stage->tx, &key);
}

/* ---- Completing ------------------------------------------------------------------------------ */

/* The parts that a completion drops, looked up before anything is staged. */
struct dropped {
	size_t count;
	struct entry *parts;
};

static enum err look_dropped(
	struct stage *stage, uint64_t set, struct slice numbers, struct dropped *ret)
{
	size_t count = numbers.len / PART_NUMBER_BYTES;
	ret->count = 0;
	ret->parts = malloc((count + 1) * sizeof(*ret->parts));
	if (!ret->parts || !stage_reserve(stage, count + 2))
		return ERR_UNAVAILABLE;
	for (size_t i = 0; i < count; i++) {
		struct key key;
		struct stage_entry part;
		key_part(&key, set, le32_get(numbers.ptr + i * PART_NUMBER_BYTES));
		enum err e = stage_look(stage, &key, &part);
		if (part.found)
			ret->parts[ret->count++] = part.entry;
		stage_entry_release(&part);
		if (e != ERR_OK)
			return e;
	}
	return ERR_OK;
}

enum err stage_complete(struct stage *stage, const struct stage_record *record,
	const struct object_meta *meta, struct stage_condition condition)
{
	struct key key;
	struct key part_key;
	struct stage_entry upload = {.found = false};
	struct dropped dropped = {.parts = NULL};
	enum err e = look_upload(stage, record, meta->file, &key, &upload);
	if (e == ERR_OK)
		e = look_dropped(stage, meta->file, record->data, &dropped);
	if (e == ERR_OK)
		e = stage_place(stage, record, meta, record->meta, condition);
	if (e == ERR_OK) {
		uint64_t bytes = meta->object.size;
		index_tx_delete(stage->tx, &key);
		for (size_t i = 0; i < dropped.count; i++) {
			bytes += dropped.parts[i].meta.object.size;
			stage_drop_bytes(stage, &dropped.parts[i]);
			key_part(&part_key, meta->file, dropped.parts[i].meta.number);
			index_tx_delete(stage->tx, &part_key);
		}
		stage_count_uploads(stage, record->bucket_id, -1, -(int64_t)bytes);
	}
	free(dropped.parts);
	stage_entry_release(&upload);
	return e;
}

/* ---- Appending ------------------------------------------------------------------------------- */

/* The piece becomes the first of a new object. */
static enum err append_first(struct stage *stage, const struct stage_record *record,
	const struct object_meta *piece, struct stage_condition condition)
{
	struct object_meta meta = *piece;
	size_t len = OBJECT_META_BYTES + meta.object.headers.len + meta.object.tags.len;
	SCOPED_FREE unsigned char *bytes = malloc(len);
	if (!bytes)
		return ERR_UNAVAILABLE;
	meta.place = OBJECT_SET;
	meta.file = meta.object.version;
	meta.is_part = false;
	meta.object.type = STORE_APPENDABLE;
	memcpy(bytes + OBJECT_META_BYTES, record->meta.ptr + OBJECT_META_BYTES,
		len - OBJECT_META_BYTES);
	object_meta_write(bytes, &meta);
	return stage_place(stage, record, &meta, slice_of((const char *)bytes, len), condition);
}

/* The object grows by the piece. */
static void append_more(struct stage *stage, const struct stage_record *record,
	struct stage_entry *old, const struct object_meta *piece)
{
	struct key key;
	unsigned char md5s[2 * MD5_BYTES];
	struct object_meta *meta = &old->entry.meta;
	struct store_object *object = &meta->object;
	memcpy(md5s, object->md5, MD5_BYTES);
	memcpy(md5s + MD5_BYTES, piece->object.md5, MD5_BYTES);
	md5_of(slice_of((const char *)md5s, sizeof(md5s)), object->md5);
	object->crc64 = crc64_combine(object->crc64, piece->object.crc64, piece->object.size);
	object->size += piece->object.size;
	object->modified_ms = piece->object.modified_ms;
	if (piece->object.acl != STORE_ACL_DEFAULT)
		object->acl = piece->object.acl;
	stage_count_current(stage, record->bucket_id, 0, (int64_t)piece->object.size);
	/* Its headers and tags follow where they were. */
	char *bytes =
		old->bytes + old->len - object->headers.len - object->tags.len - OBJECT_META_BYTES;
	object_meta_write((unsigned char *)bytes, meta);
	key_object(&key, record->bucket_id, record->key);
	stage_put(stage, &key, &old->entry.where,
		slice_of(bytes, OBJECT_META_BYTES + object->headers.len + object->tags.len),
		OBJECT_SET);
}

enum err stage_append(struct stage *stage, const struct stage_record *record,
	const struct object_meta *meta, struct stage_condition condition)
{
	struct key key;
	struct stage_entry old = {.found = false};
	struct entry piece = {.where = record->where, .meta = *meta};
	key_object(&key, record->bucket_id, record->key);
	enum err e = stage_reserve(stage, 4) ? stage_look(stage, &key, &old) : ERR_UNAVAILABLE;
	if (e == ERR_OK)
		e = stage_check(&old, condition);
	if (e == ERR_OK && old.found && old.entry.meta.object.type != STORE_APPENDABLE)
		e = ERR_NOT_APPENDABLE;
	if (e == ERR_OK && (old.found ? old.entry.meta.object.size : 0) != meta->number)
		e = ERR_POSITION_NOT_EQUAL_TO_LENGTH;
	if (e == ERR_OK && !old.found)
		e = append_first(stage, record, meta, condition);
	else if (e == ERR_OK)
		append_more(stage, record, &old, meta);
	/* An empty piece would stand where the next one will. */
	if (e == ERR_OK && meta->object.size > 0)
		put_part(stage, &piece);
	stage_entry_release(&old);
	return e;
}
