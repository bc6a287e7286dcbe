/* SPDX-License-Identifier: Apache-2.0 */
#include "copy/keys.h"

#include <stdlib.h>

#include "crypto/crc64.h"

void keys_begin(struct keys *keys, struct store *store, uint64_t bucket_id)
{
	*keys = (struct keys){.store = store,
		.list = {.bucket_id = bucket_id, .max_entries = LIMIT_COPY_PAGE, .versions = true}};
	waiter_init(&keys->waiter);
}

static void close_page(struct keys *keys)
{
	if (keys->is_open)
		store_list_release(keys->store, &keys->list);
	keys->is_open = false;
}

void keys_end(struct keys *keys)
{
	close_page(keys);
	free(TAKE(keys->versions.rows));
	waiter_release(&keys->waiter);
}

/* The first page, or the next one. */
static enum err read_page(struct keys *keys)
{
	struct store_list *list = &keys->list;
	if (keys->is_open) {
		const struct store_entry *last = &list->entries[list->count - 1];
		memcpy(keys->marker, last->key.ptr, last->key.len);
		list->marker = slice_of(keys->marker, last->key.len);
		list->after_version = last->object.version;
	}
	close_page(keys);
	list->wait.home = waiter_expect(&keys->waiter, &list->wait.task);
	store_list(keys->store, list);
	waiter_wait(&keys->waiter);
	keys->is_open = list->wait.err == ERR_OK;
	keys->at = 0;
	return list->wait.err;
}

/* The entry at which it is; NULL at the end. */
static enum err look(struct keys *keys, const struct store_entry **ret)
{
	*ret = NULL;
	if (!keys->is_open || (keys->at == keys->list.count && keys->list.truncated)) {
		enum err e = read_page(keys);
		if (e != ERR_OK)
			return e;
	}
	if (keys->at < keys->list.count)
		*ret = &keys->list.entries[keys->at];
	return ERR_OK;
}

static enum err add_row(struct version_rows *to, const struct store_object *object)
{
	if (to->count == to->size) {
		size_t size = to->size ? to->size * 2 : 4;
		struct version_row *rows = reallocarray(to->rows, size, sizeof(*rows));
		if (!rows)
			return ERR_UNAVAILABLE;
		to->rows = rows;
		to->size = size;
	}
	struct version_row *row = &to->rows[to->count++];
	/* Objects of the first format have no number: there is one version, "null", of a key. */
	*row = (struct version_row){.version = object->version ? object->version : 1,
		.modified_ms = object->modified_ms,
		.is_null = object->is_null,
		.is_marker = object->is_marker};
	if (object->is_marker)
		return ERR_OK;
	row->size = object->size;
	row->crc64 = object->crc64;
	row->texts = crc64_update(crc64_update(0, object->headers), object->tags);
	row->parts = object->parts;
	row->acl = (unsigned char)object->acl;
	row->type = (unsigned char)object->type;
	memcpy(row->md5, object->md5, sizeof(row->md5));
	return ERR_OK;
}

enum err keys_next(struct keys *keys)
{
	const struct store_entry *entry;
	enum err e;
	keys->there = false;
	keys->versions.count = 0;
	while ((e = look(keys, &entry)) == ERR_OK && entry) {
		if (keys->there && !slice_eq(entry->key, keys_key(keys)))
			break;
		if (!keys->there) {
			memcpy(keys->key, entry->key.ptr, entry->key.len);
			keys->key_len = entry->key.len;
			keys->there = true;
		}
		e = add_row(&keys->versions, &entry->object);
		if (e != ERR_OK)
			break;
		keys->at++;
	}
	if (e != ERR_OK)
		keys->there = false;
	return e;
}

const char *version_rows_differ(const struct version_row *a, const struct version_row *b)
{
	if (a->is_marker != b->is_marker || a->is_null != b->is_null || a->type != b->type)
		return "the target has something of another kind";
	if (a->size != b->size || a->crc64 != b->crc64)
		return "the target has other bytes";
	if (a->modified_ms != b->modified_ms || a->parts != b->parts ||
		memcmp(a->md5, b->md5, sizeof(a->md5)) != 0)
		return "the target has another time or ETag";
	if (a->acl != b->acl || a->texts != b->texts)
		return "the target has other headers, tags or another ACL";
	return NULL;
}
