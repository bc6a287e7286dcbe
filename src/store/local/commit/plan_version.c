/* SPDX-License-Identifier: Apache-2.0 */
/* The records of deletes, and of changes of what is known of a version. */
#include "store/local/commit/plan.h"
#include "store/local/state/local_internal.h"

/* No version has this number. */
#define NO_VERSION UINT64_MAX

static bool asks_version(const struct store_version *which)
{
	return which->is_null || which->number;
}

static bool is_as_seen(const struct stage_entry *entry, const struct store_only_if *only_if)
{
	return !only_if->set ||
	       (entry->found && entry->entry.meta.object.version == only_if->version);
}

/* ---- Deleting -------------------------------------------------------------------------------- */

/* A record that says no more of a version than which it is. */
static enum err make_short(struct mutation *mutation, enum record_kind kind, struct slice key,
	const struct object_meta *meta)
{
	enum err e = plan_make(mutation, kind, mutation->bucket_id, key, OBJECT_META_BYTES, 0);
	if (e == ERR_OK)
		object_meta_write(plan_meta(mutation), meta);
	return e;
}

/* One version, for good. */
static enum err make_version_delete(struct mutation *mutation, const struct stage_entry *entry)
{
	struct store_delete *del = mutation->del;
	struct object_meta meta = {.place = OBJECT_NONE};
	if (!entry->found) {
		mutation->nothing = true;
		return ERR_OK;
	}
	meta.object.is_null = entry->entry.meta.object.is_null;
	meta.object.version =
		del->version.is_null ? entry->entry.meta.object.version : del->version.number;
	del->deleted_marker = entry->entry.meta.object.is_marker;
	return make_short(mutation, RECORD_VERSION_DELETE, del->key, &meta);
}

static enum err make_marker(struct local *local, uint64_t sequence,
	enum store_versioning versioning, struct mutation *mutation)
{
	struct store_delete *del = mutation->del;
	struct object_meta meta = {.place = OBJECT_NONE, .mode = plan_mode(versioning)};
	meta.object.is_marker = true;
	meta.object.is_null = versioning != STORE_VERSIONED;
	meta.object.version = sequence;
	meta.object.modified_ms = clock_wall_ms(local->options.clock);
	del->made_marker = true;
	del->marker = sequence;
	del->marker_is_null = meta.object.is_null;
	return make_short(mutation, RECORD_MARKER, del->key, &meta);
}

enum err plan_delete(struct local *local, uint64_t sequence, enum store_versioning versioning,
	struct mutation *mutation)
{
	struct store_delete *del = mutation->del;
	bool one = asks_version(&del->version);
	struct stage_entry entry = {.found = false};
	enum err e = ERR_OK;
	if (one || del->only_if.set)
		e = stage_find(local->stage, mutation->bucket_id, del->key, &del->version, &entry);
	if (e == ERR_OK && !is_as_seen(&entry, &del->only_if))
		e = ERR_PRECONDITION_FAILED;
	if (e == ERR_OK && one)
		e = make_version_delete(mutation, &entry);
	else if (e == ERR_OK && versioning != STORE_UNVERSIONED)
		e = make_marker(local, sequence, versioning, mutation);
	/* Else it is the record that was brought. */
	stage_entry_release(&entry);
	return e;
}

/* ---- Changing -------------------------------------------------------------------------------- */

/* Tells of a delete marker, as a get does. */
static void report_marker(struct store_metadata_update *asked, const struct stage_entry *entry)
{
	const struct store_object *object = &entry->entry.meta.object;
	if (!entry->found || !object->is_marker)
		return;
	asked->object.is_marker = true;
	asked->object.is_null = object->is_null;
	asked->object.version = object->version;
	asked->object.modified_ms = object->modified_ms;
}

/* There is no object: perhaps because a delete marker says so. */
static enum err look_for_marker(struct stage *stage, struct store_metadata_update *asked)
{
	struct key key;
	struct stage_entry newest;
	enum err e =
		stage_look_newest(stage, asked->bucket_id, asked->key, NO_VERSION, &key, &newest);
	report_marker(asked, &newest);
	stage_entry_release(&newest);
	return e == ERR_OK ? ERR_NO_SUCH_KEY : e;
}

static enum err check_found(
	struct stage *stage, struct store_metadata_update *asked, const struct stage_entry *entry)
{
	if (!entry->found && asks_version(&asked->version))
		return ERR_NO_SUCH_VERSION;
	if (!entry->found)
		return look_for_marker(stage, asked);
	report_marker(asked, entry);
	return asked->object.is_marker ? ERR_METHOD_NOT_ALLOWED : ERR_OK;
}

/* All that is known of the version, with what is asked for in its place. */
static enum err make_change(struct local *local, struct mutation *mutation, struct object_meta meta)
{
	struct store_metadata_update *asked = mutation->object_change;
	struct store_object *object = &meta.object;
	if (asked->set_acl)
		object->acl = asked->acl;
	if (asked->set_headers) {
		object->headers = asked->headers;
		object->modified_ms = clock_wall_ms(local->options.clock);
	}
	if (asked->set_tags)
		object->tags = asked->tags;
	enum err e = plan_make(mutation, RECORD_METADATA, mutation->bucket_id, asked->key,
		OBJECT_META_BYTES + object->headers.len + object->tags.len, 0);
	if (e != ERR_OK)
		return e;
	unsigned char *to = plan_meta(mutation);
	object_meta_write(to, &meta);
	to += OBJECT_META_BYTES;
	if (object->headers.len)
		memcpy(to, object->headers.ptr, object->headers.len);
	to += object->headers.len;
	if (object->tags.len)
		memcpy(to, object->tags.ptr, object->tags.len);
	asked->object = *object;
	asked->object.headers = S("");
	asked->object.tags = S("");
	return ERR_OK;
}

enum err plan_change(struct local *local, struct mutation *mutation)
{
	struct store_metadata_update *asked = mutation->object_change;
	struct stage_entry entry;
	enum err e =
		stage_find(local->stage, mutation->bucket_id, asked->key, &asked->version, &entry);
	if (e == ERR_OK)
		e = check_found(local->stage, asked, &entry);
	if (e == ERR_OK && !is_as_seen(&entry, &asked->only_if))
		e = ERR_PRECONDITION_FAILED;
	if (e == ERR_OK && entry.entry.meta.place == OBJECT_NONE)
		e = ERR_INTERNAL; /* it is damaged */
	if (e == ERR_OK)
		e = make_change(local, mutation, entry.entry.meta);
	stage_entry_release(&entry);
	return e;
}
