/* SPDX-License-Identifier: Apache-2.0 */
#include "store/local/disk/bytes.h"
#include "store/local/read/list_internal.h"
#include "store/local/read/read.h"

struct part_listing {
	struct list_job job;
	struct store_list_parts *list;
	struct store_part parts[];
};

static enum err check_upload(struct local *local, const struct store_list_parts *list)
{
	struct key key;
	struct index_value value;
	key_upload(&key, list->bucket_id, list->key, list->upload);
	switch (index_get(local->index, &key, false, &value)) {
	case INDEX_FOUND:
		index_value_release(&value);
		return ERR_OK;
	case INDEX_ABSENT:
		return ERR_NO_SUCH_UPLOAD;
	case INDEX_NOT_CACHED:
	case INDEX_FAILED:
		break;
	}
	return ERR_INTERNAL;
}

static void add_part(struct part_listing *listing, const struct entry *entry)
{
	const struct store_object *object = &entry->meta.object;
	struct store_part *part = &listing->parts[listing->list->count++];
	part->number = (uint32_t)entry->meta.number;
	part->size = object->size;
	part->modified_ms = object->modified_ms;
	part->crc64 = object->crc64;
	memcpy(part->md5, object->md5, sizeof(part->md5));
}

static enum err walk(struct part_listing *listing, struct index_cursor *cursor)
{
	struct store_list_parts *list = listing->list;
	struct slice rest;
	struct slice value;
	char after[8];
	be64_put(after, (uint64_t)list->after + 1);
	index_cursor_seek(cursor, slice_of(after, sizeof(after)));
	while (index_cursor_at(cursor, &rest, &value)) {
		struct entry entry;
		if (list->count == list->max_parts) {
			list->truncated = true;
			break;
		}
		if (!entry_parse(value, &entry))
			return ERR_INTERNAL;
		add_part(listing, &entry);
		index_cursor_next(cursor);
	}
	return index_cursor_err(cursor);
}

static enum err fill(struct list_job *base)
{
	struct part_listing *listing = CONTAINER_OF(base, struct part_listing, job);
	struct store_list_parts *list = listing->list;
	struct key prefix;
	list->parts = listing->parts;
	enum err e = check_upload(listing->job.local, list);
	if (e != ERR_OK || list->max_parts == 0)
		return e;
	key_number(&prefix, KEY_PART, list->upload);
	struct index_cursor *cursor = index_cursor_new(listing->job.local->index, NULL, &prefix);
	if (!cursor)
		return ERR_UNAVAILABLE;
	e = walk(listing, cursor);
	index_cursor_free(cursor);
	return e;
}

void read_list_parts(struct store *store, struct store_list_parts *list)
{
	if (list->max_parts > LIMIT_LIST_KEYS)
		list->max_parts = LIMIT_LIST_KEYS;
	const struct list_job_spec spec = {
		.size = sizeof(struct part_listing) + list->max_parts * sizeof(list->parts[0]),
		.wait = &list->wait,
		.count = &list->count,
		.held = &list->held,
		.fill = fill};
	list->parts = NULL;
	list->truncated = false;
	struct list_job *base = list_job_new(store, &spec);
	if (!base)
		return;
	CONTAINER_OF(base, struct part_listing, job)->list = list;
	list_job_send(base);
}

void read_list_parts_release(struct store *store UNUSED, struct store_list_parts *list)
{
	list_job_release(TAKE(list->held));
}
