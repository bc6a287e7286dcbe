/* SPDX-License-Identifier: Apache-2.0 */
/* What records about one version of an object, current or older, mean for the index. */
#include "store/local/apply/stage_internal.h"
#include "store/local/disk/bytes.h"

/* ---- Finding --------------------------------------------------------------------------------- */

enum err stage_look_null(struct stage *stage, uint64_t bucket_id, struct slice object_key,
	struct key *ret_key, struct stage_entry *ret)
{
	struct key pointer;
	char *bytes;
	size_t len;
	memset(ret, 0, sizeof(*ret));
	key_null(&pointer, bucket_id, object_key);
	enum err e = index_tx_get(stage->tx, &pointer, &bytes, &len);
	if (e != ERR_OK || !bytes)
		return e;
	uint64_t version = len == 8 ? le64_get(bytes) : 0;
	free(bytes);
	key_version(ret_key, bucket_id, object_key, version);
	return stage_look(stage, ret_key, ret);
}

enum err stage_look_version(struct stage *stage, uint64_t bucket_id, struct slice object_key,
	uint64_t version, struct key *ret_key, struct stage_entry *ret)
{
	key_object(ret_key, bucket_id, object_key);
	enum err e = stage_look(stage, ret_key, ret);
	if (e != ERR_OK || (ret->found && ret->entry.meta.object.version == version))
		return e;
	stage_entry_release(ret);
	key_version(ret_key, bucket_id, object_key, version);
	return stage_look(stage, ret_key, ret);
}

enum err stage_find(struct stage *stage, uint64_t bucket_id, struct slice object_key,
	const struct store_version *which, struct stage_entry *ret)
{
	struct key key;
	if (which->number && !which->is_null)
		return stage_look_version(stage, bucket_id, object_key, which->number, &key, ret);
	key_object(&key, bucket_id, object_key);
	enum err e = stage_look(stage, &key, ret);
	if (e != ERR_OK || !which->is_null || (ret->found && ret->entry.meta.object.is_null))
		return e;
	stage_entry_release(ret);
	return stage_look_null(stage, bucket_id, object_key, &key, ret);
}

enum err stage_look_newest(struct stage *stage, uint64_t bucket_id, struct slice object_key,
	uint64_t except, struct key *ret_key, struct stage_entry *ret)
{
	struct key prefix;
	struct slice rest;
	struct slice value;
	memset(ret, 0, sizeof(*ret));
	key_versions(&prefix, bucket_id, object_key);
	struct index_cursor *cursor = stage_cursor(stage, &prefix);
	if (!cursor)
		return ERR_UNAVAILABLE;
	index_cursor_seek(cursor, S(""));
	bool there = index_cursor_at(cursor, &rest, &value);
	if (there && rest.len == 8 && ~be64_get(rest.ptr) == except) {
		index_cursor_next(cursor);
		there = index_cursor_at(cursor, &rest, &value);
	}
	enum err e = index_cursor_err(cursor);
	there = there && e == ERR_OK && rest.len == 8;
	if (there)
		key_version(ret_key, bucket_id, object_key, ~be64_get(rest.ptr));
	index_cursor_free(cursor);
	return there ? stage_look(stage, ret_key, ret) : e;
}

/* ---- Deleting -------------------------------------------------------------------------------- */

void stage_forget_old(struct stage *stage, const struct stage_record *record, const struct key *at,
	const struct store_object *object)
{
	struct key pointer;
	index_tx_delete(stage->tx, at);
	stage_count_old(stage, record->bucket_id, -1, -(int64_t)object->size);
	if (object->is_null) {
		key_null(&pointer, record->bucket_id, record->key);
		index_tx_delete(stage->tx, &pointer);
	}
}

/* The version becomes the current one, unless it is a delete marker. */
static void promote(struct stage *stage, const struct stage_record *record,
	const struct key *old_key, const struct stage_entry *old)
{
	struct key key;
	const struct store_object *object = &old->entry.meta.object;
	if (!old->found || object->is_marker)
		return;
	stage_forget_old(stage, record, old_key, object);
	key_object(&key, record->bucket_id, record->key);
	index_tx_put(stage->tx, &key, slice_of(old->bytes, old->len));
	stage_count_current(stage, record->bucket_id, 1, (int64_t)object->size);
}

/* Whether there is a current object besides the version `gone`; `ret_was` says if it was that. */
static enum err has_current(struct stage *stage, const struct stage_record *record, uint64_t gone,
	bool *ret, bool *ret_was)
{
	struct key key;
	struct stage_entry current;
	key_object(&key, record->bucket_id, record->key);
	enum err e = stage_look(stage, &key, &current);
	*ret_was = current.found && current.entry.meta.object.version == gone;
	*ret = current.found && !*ret_was;
	stage_entry_release(&current);
	return e;
}

enum err stage_version_delete(struct stage *stage, const struct stage_record *record,
	const struct object_meta *meta, struct stage_condition condition, bool *ret_existed)
{
	struct key key;
	struct key newest_key;
	struct stage_entry old = {.found = false};
	struct stage_entry newest = {.found = false};
	uint64_t version = meta->object.version;
	bool has = false;
	bool was_current = false;
	enum err e = ERR_UNAVAILABLE;
	if (stage_reserve(stage, 1))
		e = stage_look_version(stage, record->bucket_id, record->key, version, &key, &old);
	if (e == ERR_OK)
		e = stage_check(&old, condition);
	if (e == ERR_OK)
		e = has_current(stage, record, version, &has, &was_current);
	if (e == ERR_OK && !has)
		e = stage_look_newest(
			stage, record->bucket_id, record->key, version, &newest_key, &newest);
	if (e == ERR_OK && old.found) {
		if (was_current)
			stage_forget_current(stage, record, &old.entry.meta.object);
		else
			stage_forget_old(stage, record, &key, &old.entry.meta.object);
		stage_drop_bytes(stage, &old.entry);
		promote(stage, record, &newest_key, &newest);
	}
	*ret_existed = old.found;
	stage_entry_release(&newest);
	stage_entry_release(&old);
	return e;
}

/* ---- Changing -------------------------------------------------------------------------------- */

enum err stage_mutation(
	struct stage *stage, const struct stage_record *record, const struct object_meta *meta)
{
	struct key key;
	struct stage_entry old;
	enum err e = stage_look_version(
		stage, record->bucket_id, record->key, meta->object.version, &key, &old);
	if (e == ERR_OK && !old.found)
		e = ERR_NO_SUCH_VERSION;
	if (e == ERR_OK)
		stage_put(stage, &key, &old.entry.where, record->meta, meta->place);
	stage_entry_release(&old);
	return e;
}

/* The key of what a record of RECORD_MOVE is about, and what the index has there. */
static enum err look_moved(struct stage *stage, const struct stage_record *record,
	const struct object_meta *meta, struct key *ret_key, struct stage_entry *ret)
{
	uint64_t version = meta->object.version;
	if (!meta->is_part)
		return stage_look_version(
			stage, record->bucket_id, record->key, version, ret_key, ret);
	key_part(ret_key, version, meta->number);
	return stage_look(stage, ret_key, ret);
}

/* Whether what is known of it is still what the record says. */
static bool unchanged(const struct stage_entry *old, struct slice meta)
{
	return slice_eq(entry_meta(slice_of(old->bytes, old->len)), meta);
}

enum err stage_move(struct stage *stage, const struct stage_record *record,
	const struct object_meta *meta, struct stage_condition condition)
{
	struct key key;
	struct stage_entry old = {.found = false};
	struct entry moved = {.where = record->where, .meta = *meta};
	enum err e = ERR_UNAVAILABLE;
	if (stage_reserve(stage, 2))
		e = look_moved(stage, record, meta, &key, &old);
	if (e == ERR_OK &&
		(!old.found || old.entry.meta.place != OBJECT_INLINE ||
			(condition.here && (!location_eq(&old.entry.where, condition.here) ||
						   !unchanged(&old, record->meta)))))
		e = ERR_PRECONDITION_FAILED;
	if (e == ERR_OK) {
		stage_drop_bytes(stage, &old.entry);
		stage_hold_bytes(stage, &moved);
		stage_put(stage, &key, &record->where, record->meta, meta->place);
	}
	stage_entry_release(&old);
	return e;
}
