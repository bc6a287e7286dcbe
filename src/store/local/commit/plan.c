/* SPDX-License-Identifier: Apache-2.0 */
#include "store/local/commit/plan.h"

#include "store/local/state/local_internal.h"

enum err plan_make(struct change *change, enum record_kind kind, uint64_t bucket_id,
	struct slice key, size_t meta, size_t data)
{
	change->bucket_id = bucket_id;
	change->key_len = key.len;
	change->head_len = RECORD_HEADER_BYTES + key.len + meta;
	change->made = malloc(change->head_len + data);
	change->head = change->made;
	if (!change->made)
		return ERR_UNAVAILABLE;
	record_head(change->head, kind, bucket_id, key.len, meta, data);
	memcpy(change->head + RECORD_HEADER_BYTES, key.ptr, key.len);
	change->data = slice_of((const char *)change->head + change->head_len, data);
	return ERR_OK;
}

unsigned char *plan_meta(const struct change *change)
{
	return change->head + RECORD_HEADER_BYTES + change->key_len;
}

enum object_mode plan_mode(enum store_versioning versioning)
{
	switch (versioning) {
	case STORE_UNVERSIONED:
		return OBJECT_REPLACES;
	case STORE_VERSIONED:
		return OBJECT_KEEPS;
	case STORE_VERSIONING_SUSPENDED:
		return OBJECT_REPLACES_NULL;
	}
	return OBJECT_REPLACES;
}

/* A new version of an object, in the record that was brought. */
static void plan_version(uint64_t sequence, enum store_versioning versioning, struct change *change)
{
	bool is_null = versioning != STORE_VERSIONED;
	object_meta_set_version(plan_meta(change), sequence, is_null, plan_mode(versioning));
	if (change->object) {
		change->object->version = sequence;
		change->object->is_null = is_null;
	}
}

/* A piece belongs to the set of the object that is there, or begins one. */
static enum err plan_append(struct local *local, uint64_t sequence,
	enum store_versioning versioning, struct change *change)
{
	struct key key;
	struct stage_entry old;
	key_object(&key, change->bucket_id,
		slice_of((const char *)change->head + RECORD_HEADER_BYTES, change->key_len));
	enum err e = stage_look(local->stage, &key, &old);
	plan_version(sequence, versioning, change);
	if (e == ERR_OK && old.found && old.entry.meta.object.type == STORE_APPENDABLE)
		object_meta_set_version(
			plan_meta(change), old.entry.meta.file, false, OBJECT_REPLACES);
	stage_entry_release(&old);
	return e;
}

enum err plan_record(struct local *local, uint64_t sequence, struct change *change)
{
	enum store_versioning versioning;
	if (change_about_bucket(change))
		return plan_bucket(local, sequence, change);
	if (!buckets_find(local->buckets, change->bucket_id, &versioning))
		return ERR_NO_SUCH_BUCKET;
	if (change->kind == CHANGE_APPEND)
		return plan_append(local, sequence, versioning, change);
	if (change->kind == CHANGE_COMPLETE)
		return plan_complete(local, sequence, versioning, change);
	if (change->kind == CHANGE_OBJECT_DELETE)
		return plan_delete(local, sequence, versioning, change);
	if (change->kind == CHANGE_META)
		return plan_change(local, change);
	if (change->kind == CHANGE_OBJECT) {
		plan_version(sequence, versioning, change);
	} else if (change->kind == CHANGE_UPLOAD) {
		object_meta_set_version(plan_meta(change), sequence, false, OBJECT_REPLACES);
		change->number = sequence;
	}
	return ERR_OK;
}

void plan_tell_object(struct stage *stage, struct change *change)
{
	struct key key;
	struct stage_entry now;
	key_object(&key, change->bucket_id,
		slice_of((const char *)change->head + RECORD_HEADER_BYTES, change->key_len));
	if (stage_look(stage, &key, &now) == ERR_OK && change->object) {
		/* All zero if there is none. */
		*change->object = now.entry.meta.object;
		change->object->headers = S("");
		change->object->tags = S("");
	}
	stage_entry_release(&now);
}
