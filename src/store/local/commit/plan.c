/* SPDX-License-Identifier: Apache-2.0 */
#include "store/local/commit/plan.h"

#include "store/local/state/local_internal.h"

enum err plan_make(struct mutation *mutation, enum record_kind kind, uint64_t bucket_id,
	struct slice key, size_t meta, size_t data)
{
	mutation->bucket_id = bucket_id;
	mutation->key_len = key.len;
	mutation->head_len = RECORD_HEADER_BYTES + key.len + meta;
	mutation->made = malloc(mutation->head_len + data);
	mutation->head = mutation->made;
	if (!mutation->made)
		return ERR_UNAVAILABLE;
	record_head(mutation->head, kind, bucket_id, key.len, meta, data);
	memcpy(mutation->head + RECORD_HEADER_BYTES, key.ptr, key.len);
	mutation->data = slice_of((const char *)mutation->head + mutation->head_len, data);
	return ERR_OK;
}

unsigned char *plan_meta(const struct mutation *mutation)
{
	return mutation->head + RECORD_HEADER_BYTES + mutation->key_len;
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
static void plan_version(
	uint64_t sequence, enum store_versioning versioning, struct mutation *mutation)
{
	bool is_null = versioning != STORE_VERSIONED;
	object_meta_set_version(plan_meta(mutation), sequence, is_null, plan_mode(versioning));
	if (mutation->object) {
		mutation->object->version = sequence;
		mutation->object->is_null = is_null;
	}
}

/* A piece belongs to the set of the object that is there, or begins one. */
static enum err plan_append(struct local *local, uint64_t sequence,
	enum store_versioning versioning, struct mutation *mutation)
{
	struct key key;
	struct stage_entry old;
	key_object(&key, mutation->bucket_id,
		slice_of((const char *)mutation->head + RECORD_HEADER_BYTES, mutation->key_len));
	enum err e = stage_look(local->stage, &key, &old);
	plan_version(sequence, versioning, mutation);
	if (e == ERR_OK && old.found && old.entry.meta.object.type == STORE_APPENDABLE)
		object_meta_set_version(
			plan_meta(mutation), old.entry.meta.file, false, OBJECT_REPLACES);
	stage_entry_release(&old);
	return e;
}

enum err plan_record(struct local *local, uint64_t sequence, struct mutation *mutation)
{
	enum store_versioning versioning;
	if (mutation_about_bucket(mutation))
		return plan_bucket(local, sequence, mutation);
	if (!buckets_find(local->buckets, mutation->bucket_id, &versioning))
		return ERR_NO_SUCH_BUCKET;
	if (mutation->kind == MUTATION_APPEND)
		return plan_append(local, sequence, versioning, mutation);
	if (mutation->kind == MUTATION_COMPLETE)
		return plan_complete(local, sequence, versioning, mutation);
	if (mutation->kind == MUTATION_OBJECT_DELETE)
		return plan_delete(local, sequence, versioning, mutation);
	if (mutation->kind == MUTATION_METADATA)
		return plan_change(local, mutation);
	if (mutation->kind == MUTATION_OBJECT) {
		plan_version(sequence, versioning, mutation);
	} else if (mutation->kind == MUTATION_MULTIPART) {
		object_meta_set_version(plan_meta(mutation), sequence, false, OBJECT_REPLACES);
		mutation->number = sequence;
	}
	return ERR_OK;
}

void plan_report_object(struct stage *stage, struct mutation *mutation)
{
	struct key key;
	struct stage_entry now;
	key_object(&key, mutation->bucket_id,
		slice_of((const char *)mutation->head + RECORD_HEADER_BYTES, mutation->key_len));
	if (stage_look(stage, &key, &now) == ERR_OK && mutation->object) {
		/* All zero if there is none. */
		*mutation->object = now.entry.meta.object;
		mutation->object->headers = S("");
		mutation->object->tags = S("");
	}
	stage_entry_release(&now);
}
