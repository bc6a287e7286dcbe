/* SPDX-License-Identifier: Apache-2.0 */
/* Whose bytes those are that a record has, or names. */
#include "store/local/disk/bytes.h"
#include "store/local/scrub/scrub_internal.h"

/* ---- The entry of a record ------------------------------------------------------------------- */

static bool look(
	struct scrub *scrub, const struct key *key, const struct location *where, struct entry *ret)
{
	struct index_value value;
	if (index_get(scrub->local->index, key, false, &value) != INDEX_FOUND)
		return false;
	bool is_its = entry_parse(value.bytes, ret) && location_eq(&ret->where, where);
	ret->meta.object.headers = S("");
	ret->meta.object.tags = S("");
	index_value_release(&value);
	return is_its;
}

bool find_entry(struct scrub *scrub, const struct record *record, const struct location *where,
	struct key *ret_key, struct entry *ret)
{
	struct object_meta meta;
	if (!object_meta_parse(record->meta, &meta))
		return false;
	if (meta.is_part) {
		key_part(ret_key, meta.object.version, meta.number);
		return look(scrub, ret_key, where, ret);
	}
	key_object(ret_key, record->bucket_id, record->name);
	if (look(scrub, ret_key, where, ret))
		return true;
	key_version(ret_key, record->bucket_id, record->name, meta.object.version);
	return look(scrub, ret_key, where, ret);
}

bool find_again(struct scrub *scrub, const struct key *key, const struct location *where)
{
	struct entry ignored;
	return look(scrub, key, where, &ignored);
}

/* ---- The owner of a part list ---------------------------------------------------------------- */

static bool has_list(struct slice value, uint64_t list, struct owner *owner)
{
	struct entry entry;
	if (!entry_parse(value, &entry) || entry.meta.place != OBJECT_PART_LIST ||
		entry.meta.file != list)
		return false;
	owner->object = entry.meta.object;
	owner->object.headers = S("");
	owner->object.tags = S("");
	return true;
}

/* The name in the key of an object, a version or an upload; false if it is not well-formed. */
static bool split(enum key_kind kind, struct slice rest, struct owner *ret, uint64_t *ret_number)
{
	*ret_number = 0;
	if (rest.len <= 8)
		return false;
	ret->bucket_id = be64_get(rest.ptr);
	ret->key = slice_from(rest, 8);
	if (kind == KEY_VERSION)
		return key_split_version(slice_from(rest, 8), &ret->key, ret_number);
	if (kind == KEY_MULTIPART)
		return key_split_upload(slice_from(rest, 8), &ret->key, ret_number);
	return true;
}

static bool search(
	struct scrub *scrub, enum key_kind kind, uint64_t list, char *key, struct owner *owner)
{
	struct key prefix;
	struct slice rest;
	struct slice value;
	bool found = false;
	key_kind(&prefix, kind);
	struct index_cursor *cursor = index_cursor_new(scrub->local->index, NULL, &prefix);
	if (!cursor)
		return false;
	for (index_cursor_seek(cursor, S(""));
		!found && !scrub_stopping(scrub) && index_cursor_at(cursor, &rest, &value);
		index_cursor_next(cursor)) {
		struct owner its = {.bucket_id = 0};
		uint64_t number;
		found = split(kind, rest, &its, &number) &&
			(kind == KEY_MULTIPART ? number == list : has_list(value, list, &its));
		if (found) {
			memcpy(key, its.key.ptr, its.key.len);
			its.key = slice_of(key, its.key.len);
			*owner = its;
		}
	}
	index_cursor_free(cursor);
	return found;
}

void find_owner(struct scrub *scrub, uint64_t list, char *key, struct owner *owner)
{
	static const enum key_kind kinds[] = {KEY_OBJECT, KEY_VERSION, KEY_MULTIPART};
	bool found = false;
	*owner = (struct owner){.bucket_id = 0};
	for (size_t i = 0; i < ARRAY_LEN(kinds) && !found; i++)
		found = search(scrub, kinds[i], list, key, owner);
}
