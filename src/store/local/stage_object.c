/* SPDX-License-Identifier: Apache-2.0 */
/* What records about objects and their versions mean for the index. */
#include "store/local/stage_internal.h"

/* ERR_OK if the object that is there, if any, is as it has to be. */
static enum err check(const struct stage_entry *old, struct stage_condition condition)
{
	if (old->found && condition.absent)
		return ERR_FILE_ALREADY_EXISTS;
	enum store_acl acl = old->found ? old->entry.meta.object.acl : STORE_ACL_DEFAULT;
	if (condition.as_public && acl != STORE_ACL_DEFAULT && acl != STORE_ACL_PUBLIC_READ_WRITE)
		return ERR_ACCESS_DENIED;
	return ERR_OK;
}

/* Takes a current object that is replaced or deleted out of the counts. */
static void drop_current(struct stage *stage, const struct entry *old)
{
	stage->staged.bytes -= old->meta.object.size;
	stage->staged.objects--;
	stage_drop_bytes(stage, old);
}

enum err stage_place(struct stage *stage, const struct stage_record *record,
	const struct object_meta *meta, struct slice meta_bytes, struct stage_condition condition)
{
	struct key key;
	struct stage_entry old = {.found = false};
	struct entry made = {.where = record->where, .meta = *meta};
	key_object(&key, record->bucket_id, record->key);
	enum err e = stage_reserve(stage, 2) ? stage_look(stage, &key, &old) : ERR_UNAVAILABLE;
	if (e == ERR_OK)
		e = check(&old, condition);
	if (e == ERR_OK) {
		if (old.found)
			drop_current(stage, &old.entry);
		stage->staged.objects++;
		stage->staged.bytes += meta->object.size;
		stage_hold_bytes(stage, &made);
		stage_put(stage, &key, &record->where, meta_bytes, meta->place);
	}
	stage_entry_release(&old);
	return e;
}

static enum err delete_current(struct stage *stage, const struct stage_record *record,
	struct stage_condition condition, bool *ret_existed)
{
	struct key key;
	struct stage_entry old = {.found = false};
	key_object(&key, record->bucket_id, record->key);
	enum err e = stage_reserve(stage, 1) ? stage_look(stage, &key, &old) : ERR_UNAVAILABLE;
	if (e == ERR_OK)
		e = check(&old, condition);
	if (e == ERR_OK && old.found) {
		drop_current(stage, &old.entry);
		index_tx_delete(stage->tx, &key);
	}
	*ret_existed = old.found;
	stage_entry_release(&old);
	return e;
}

/* The key of what a record of RECORD_MOVE is about, and what the index has there. */
static enum err look_moved(struct stage *stage, const struct stage_record *record,
	const struct object_meta *meta, struct key *ret_key, struct stage_entry *ret)
{
	if (meta->is_part) {
		key_part(ret_key, meta->object.version, meta->number);
		return stage_look(stage, ret_key, ret);
	}
	key_object(ret_key, record->bucket_id, record->key);
	enum err e = stage_look(stage, ret_key, ret);
	if (e != ERR_OK || (ret->found && ret->entry.meta.object.version == meta->object.version))
		return e;
	stage_entry_release(ret);
	key_version(ret_key, record->bucket_id, record->key, meta->object.version);
	return stage_look(stage, ret_key, ret);
}

/* Whether what is known of it is still what the record says. */
static bool unchanged(const struct stage_entry *old, struct slice meta)
{
	return slice_ends(slice_of(old->bytes, old->len), meta);
}

static enum err move(struct stage *stage, const struct stage_record *record,
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

enum err stage_record(struct stage *stage, const struct stage_record *record,
	struct stage_condition condition, bool *ret_existed)
{
	struct object_meta meta;
	*ret_existed = false;
	if (record->kind == RECORD_OBJECT_DELETE)
		return delete_current(stage, record, condition, ret_existed);
	if (!object_meta_parse(record->meta, &meta))
		return ERR_INTERNAL;
	switch (record->kind) {
	case RECORD_OBJECT:
		return stage_place(stage, record, &meta, record->meta, condition);
	case RECORD_MOVE:
		return move(stage, record, &meta, condition);
	case RECORD_UPLOAD:
		return stage_upload(stage, record, &meta);
	case RECORD_UPLOAD_ABORT:
		return stage_upload_abort(stage, record, &meta);
	case RECORD_PART:
		return stage_part(stage, record, &meta);
	case RECORD_COMPLETE:
		return stage_complete(stage, record, &meta, condition);
	case RECORD_APPEND:
		return stage_append(stage, record, &meta, condition);
	case RECORD_OBJECT_DELETE:
	case RECORD_CHANGE:
	case RECORD_MARKER:
	case RECORD_VERSION_DELETE:
	case RECORD_BUCKET:
	case RECORD_BUCKET_DELETE:
		break;
	}
	return ERR_INTERNAL;
}
