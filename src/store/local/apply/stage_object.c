/* SPDX-License-Identifier: Apache-2.0 */
/* What records about objects mean for the index: new ones, markers, and deletes of the current. */
#include "store/local/apply/stage_internal.h"

enum err stage_check(const struct stage_entry *old, struct stage_condition condition)
{
	if (old->found && condition.absent)
		return ERR_FILE_ALREADY_EXISTS;
	enum store_acl acl = old->found ? old->entry.meta.object.acl : STORE_ACL_DEFAULT;
	bool open = acl == STORE_ACL_PUBLIC_READ_WRITE ||
		    (acl == STORE_ACL_DEFAULT && condition.caller == STORE_CALLER_PUBLIC_BUCKET);
	return condition.caller == STORE_CALLER_OWNER || open ? ERR_OK : ERR_ACCESS_DENIED;
}

void stage_forget_current(
	struct stage *stage, const struct stage_record *record, const struct store_object *object)
{
	struct key key;
	key_object(&key, record->bucket_id, record->key);
	index_tx_delete(stage->tx, &key);
	stage_count_current(stage, record->bucket_id, -1, -(int64_t)object->size);
}

/* ---- What makes way -------------------------------------------------------------------------- */

/* What is there before a version is made. */
struct displaced {
	struct stage_entry current;
	struct stage_entry null; /* the version "null" if it is an older one and has to go */
	struct key null_key;
};

static enum err look_displaced(struct stage *stage, const struct stage_record *record,
	enum object_mode mode, struct stage_condition condition, struct displaced *ret)
{
	struct key key;
	memset(ret, 0, sizeof(*ret));
	if (!stage_reserve(stage, 3))
		return ERR_UNAVAILABLE;
	key_object(&key, record->bucket_id, record->key);
	enum err e = stage_look(stage, &key, &ret->current);
	if (e == ERR_OK)
		e = stage_check(&ret->current, condition);
	bool null_is_current = ret->current.found && ret->current.entry.meta.object.is_null;
	if (e == ERR_OK && mode == OBJECT_REPLACES_NULL && !null_is_current)
		e = stage_look_null(
			stage, record->bucket_id, record->key, &ret->null_key, &ret->null);
	return e;
}

static void displaced_release(struct displaced *old)
{
	stage_entry_release(&old->current);
	stage_entry_release(&old->null);
}

static void put_null(struct stage *stage, const struct stage_record *record, uint64_t version)
{
	struct key key;
	key_null(&key, record->bucket_id, record->key);
	index_tx_put_number(stage->tx, &key, version);
}

/* The current object becomes an older version. */
static void keep(
	struct stage *stage, const struct stage_record *record, const struct stage_entry *current)
{
	struct key key;
	const struct store_object *object = &current->entry.meta.object;
	stage_forget_current(stage, record, object);
	key_version(&key, record->bucket_id, record->key, object->version);
	index_tx_put(stage->tx, &key, slice_of(current->bytes, current->len));
	stage_count_old(stage, record->bucket_id, 1, (int64_t)object->size);
	if (object->is_null)
		put_null(stage, record, object->version);
}

static void displace(struct stage *stage, const struct stage_record *record, enum object_mode mode,
	const struct displaced *old)
{
	const struct entry *current = &old->current.entry;
	bool kept = mode == OBJECT_KEEPS ||
		    (mode == OBJECT_REPLACES_NULL && !current->meta.object.is_null);
	if (old->null.found) {
		stage_forget_old(stage, record, &old->null_key, &old->null.entry.meta.object);
		stage_drop_bytes(stage, &old->null.entry);
	}
	if (!old->current.found)
		return;
	/* A damaged entry, which has no place, is of no use. */
	if (kept && current->meta.place != OBJECT_NONE) {
		keep(stage, record, &old->current);
	} else {
		stage_forget_current(stage, record, &current->meta.object);
		stage_drop_bytes(stage, current);
	}
}

/* ---- Making ---------------------------------------------------------------------------------- */

enum err stage_place(struct stage *stage, const struct stage_record *record,
	const struct object_meta *meta, struct slice meta_bytes, struct stage_condition condition)
{
	struct key key;
	struct displaced old;
	struct entry made = {.where = record->where, .meta = *meta};
	enum err e = look_displaced(stage, record, meta->mode, condition, &old);
	if (e == ERR_OK) {
		displace(stage, record, meta->mode, &old);
		key_object(&key, record->bucket_id, record->key);
		stage_count_current(stage, record->bucket_id, 1, (int64_t)meta->object.size);
		stage_hold_bytes(stage, &made);
		stage_put(stage, &key, &record->where, meta_bytes, meta->place);
	}
	displaced_release(&old);
	return e;
}

/* A delete marker; there is no current object then. */
static enum err mark(struct stage *stage, const struct stage_record *record,
	const struct object_meta *meta, struct stage_condition condition, bool *ret_existed)
{
	struct key key;
	struct displaced old;
	enum err e = look_displaced(stage, record, meta->mode, condition, &old);
	if (e == ERR_OK) {
		displace(stage, record, meta->mode, &old);
		key_version(&key, record->bucket_id, record->key, meta->object.version);
		stage_put(stage, &key, &record->where, record->meta, OBJECT_NONE);
		stage_count_old(stage, record->bucket_id, 1, 0);
		if (meta->object.is_null)
			put_null(stage, record, meta->object.version);
	}
	*ret_existed = old.current.found;
	displaced_release(&old);
	return e;
}

static enum err delete_current(struct stage *stage, const struct stage_record *record,
	struct stage_condition condition, bool *ret_existed)
{
	struct displaced old;
	enum err e = look_displaced(stage, record, OBJECT_REPLACES, condition, &old);
	if (e == ERR_OK)
		displace(stage, record, OBJECT_REPLACES, &old);
	*ret_existed = old.current.found;
	displaced_release(&old);
	return e;
}

enum err stage_record(struct stage *stage, const struct stage_record *record,
	struct stage_condition condition, bool *ret_existed)
{
	struct object_meta meta;
	*ret_existed = false;
	if (!stage_count_reserve(stage))
		return ERR_UNAVAILABLE;
	if (record->kind == RECORD_OBJECT_DELETE)
		return delete_current(stage, record, condition, ret_existed);
	if (!object_meta_parse(record->meta, &meta))
		return ERR_INTERNAL;
	switch (record->kind) {
	case RECORD_OBJECT:
		return stage_place(stage, record, &meta, record->meta, condition);
	case RECORD_MOVE:
		return stage_move(stage, record, &meta, condition);
	case RECORD_METADATA:
		return stage_mutation(stage, record, &meta);
	case RECORD_MARKER:
		return mark(stage, record, &meta, condition, ret_existed);
	case RECORD_VERSION_DELETE:
		return stage_version_delete(stage, record, &meta, condition, ret_existed);
	case RECORD_MULTIPART:
		return stage_upload(stage, record, &meta);
	case RECORD_MULTIPART_ABORT:
		return stage_upload_abort(stage, record, &meta);
	case RECORD_PART:
		return stage_part(stage, record, &meta);
	case RECORD_COMPLETE:
		return stage_complete(stage, record, &meta, condition);
	case RECORD_APPEND:
		return stage_append(stage, record, &meta, condition);
	case RECORD_OBJECT_DELETE:
	case RECORD_BUCKET:
	case RECORD_BUCKET_DELETE:
		break;
	}
	return ERR_INTERNAL;
}
