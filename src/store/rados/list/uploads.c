/* SPDX-License-Identifier: Apache-2.0 */
/* Uploads that are not complete, and the parts of one. */
#include <stdlib.h>

#include "base/log.h"
#include "store/rados/list/list.h"
#include "store/rados/list/listing.h"
#include "store/rados/list/page.h"
#include "store/shared/roll_up.h"

static enum err damaged(const struct page *page)
{
	log_error("ceph: %s: a row is damaged, or of a later version", page->name);
	return ERR_INTERNAL;
}

/* ---- Uploads --------------------------------------------------------------------------------- */

static struct row_key begin(const struct store_list_multiparts *list)
{
	struct row_key none = {.len = 0};
	struct slice marker = list->key_marker;
	if (marker.len == 0 || slice_cmp(marker, list->prefix) < 0)
		return none;
	struct slice rolled = listing_rolled_marker(list->prefix, list->delimiter, marker);
	/* What is rolled up with the marker is a roll-up that is not greater than it. */
	struct row_key key =
		rolled.len ? row_key_of(ROW_UPLOAD, rolled) : row_key_all_of(ROW_UPLOAD, marker);
	if (!rolled.len && list->upload_marker)
		return row_key_upload(marker, list->upload_marker);
	return row_key_past(&key);
}

static enum err add_upload(struct listing *listing, const struct row_name *name,
	struct slice rolled, const struct store_object *object)
{
	struct store_list_multiparts *list = listing->uploads;
	struct slice key = row_name_key(name);
	struct store_multipart *row = &listing->multiparts[list->count];
	*row = (struct store_multipart){.is_prefix = rolled.len > 0};
	row->key = arena_copy(&listing->texts, rolled.len ? rolled : key);
	if (!row->key.ptr)
		return ERR_UNAVAILABLE;
	list->count++;
	if (!row->is_prefix) {
		row->upload = name->number;
		row->initiated_ms = object->modified_ms;
	}
	return ERR_OK;
}

static enum err take_uploads(struct listing *listing, struct page *page)
{
	struct store_list_multiparts *list = listing->uploads;
	struct range *range = &page->ranges[0];
	const struct row *row;
	while ((row = page_row(page, 0))) {
		struct row_name name;
		struct entry entry;
		range->at++;
		if (slice_cmp(row->key, row_key_slice(&range->after)) <= 0)
			continue;
		if (list->count == listing->max) {
			list->truncated = true;
			return ERR_OK;
		}
		if (!row_key_parse(row->key, &name) || !entry_read(row->value, &entry))
			return damaged(page);
		struct slice rolled = roll_up(list->prefix, list->delimiter, row_name_key(&name));
		enum err e = add_upload(listing, &name, rolled, &entry.object);
		if (e != ERR_OK)
			return e;
		range->after = rolled.len ? row_key_of(ROW_UPLOAD, rolled)
					  : row_key_upload(row_name_key(&name), name.number);
		if (rolled.len) {
			range->after = row_key_past(&range->after);
			page_pass(page, rolled);
		}
	}
	return ERR_OK;
}

static enum err list_uploads(struct listing *listing)
{
	struct store_list_multiparts *list = listing->uploads;
	struct page page;
	enum err e = ERR_OK;
	bool more = true;
	page_init(&page, listing->r, &listing->memory, list->bucket_id,
		listing_from(list->prefix, list->key_marker),
		list->delimiter.len ? PAGE_ROWS_FIRST : listing->max + 1);
	page.range_count = 1;
	page.ranges[0] = (struct range){
		.prefix = row_key_of(ROW_UPLOAD, list->prefix), .after = begin(list)};
	while (more && e == ERR_OK) {
		e = page_read(&page);
		if (e == ERR_OK)
			e = take_uploads(listing, &page);
		more = !list->truncated &&
		       (page_has_more(&page, 0) || page_go_right(&page, list->prefix));
	}
	page_release(&page);
	return e;
}

static enum err collect(struct listing *listing)
{
	struct store_list_multiparts *list = listing->uploads;
	enum err e = ERR_OK;
	if (list->bucket_id && list->prefix.len <= LIMIT_KEY_BYTES &&
		list->key_marker.len <= LIMIT_KEY_BYTES)
		e = list_uploads(listing);
	if (e == ERR_OK)
		list->uploads = listing->multiparts;
	return e;
}

void rados_list_uploads(struct store *store, struct store_list_multiparts *list)
{
	const struct listing_request request = {.uploads = list,
		.pool = list->pool,
		.max = list->max_uploads,
		.collect = collect,
		.wait = &list->wait,
		.count = &list->count,
		.truncated = &list->truncated,
		.held = &list->held};
	list->uploads = NULL;
	listing_begin(rados_of(store), &request);
}

void rados_list_uploads_release(struct store *store UNUSED, struct store_list_multiparts *list)
{
	listing_free(TAKE(list->held));
}

/* ---- Parts ----------------------------------------------------------------------------------- */

struct parts {
	struct task task;
	struct rados *r;
	struct store_list_parts *list;
	struct store_part parts[];
};

static enum err take_parts(struct store_list_parts *list, struct page *page)
{
	const struct row *row;
	while ((row = page_row(page, 0))) {
		struct row_name name;
		struct part_entry part;
		if (list->count == list->max_parts) {
			list->truncated = true;
			return ERR_OK;
		}
		if (!row_key_parse(row->key, &name) || !part_parse(row->value, &part))
			return damaged(page);
		part.part.number = name.part;
		list->parts[list->count++] = part.part;
		page->ranges[0].at++;
	}
	return ERR_OK;
}

static enum err list_parts(struct rados *r, struct store_list_parts *list)
{
	struct page page;
	uint32_t after = list->after < ROW_PART_MAX ? list->after : ROW_PART_MAX;
	/* A page has room for one more than is asked for: LIMIT_LIST_KEYS is below its limit. */
	page_init(&page, r, NULL, list->bucket_id, list->key, list->max_parts + 1);
	struct row_key upload = row_key_upload(list->key, list->upload);
	page.exact = row_key_slice(&upload);
	page.range_count = 1;
	page.ranges[0] = (struct range){.prefix = row_key_parts(list->key, list->upload),
		.after = row_key_part(list->key, list->upload, after)};
	enum err e = page_read(&page);
	if (e == ERR_OK && page.exact_value.len == 0)
		e = ERR_NO_SUCH_UPLOAD;
	if (e == ERR_OK && list->max_parts)
		e = take_parts(list, &page);
	page_release(&page);
	return e;
}

static void run_parts(struct task *task)
{
	struct parts *parts = CONTAINER_OF(task, struct parts, task);
	struct store_list_parts *list = parts->list;
	enum err e = life_is_well(&parts->r->life) ? list_parts(parts->r, list) : ERR_UNAVAILABLE;
	if (e != ERR_OK) {
		list->held = NULL;
		list->parts = NULL;
		free(parts);
	}
	store_answer(&list->wait, e);
}

void rados_list_parts(struct store *store, struct store_list_parts *list)
{
	if (list->max_parts > LIMIT_LIST_KEYS)
		list->max_parts = LIMIT_LIST_KEYS;
	list->count = 0;
	list->truncated = false;
	list->parts = NULL;
	list->held = NULL;
	bool valid = list->key.len > 0 && list->key.len <= LIMIT_KEY_BYTES && list->upload &&
		     list->bucket_id;
	struct parts *parts = NULL;
	if (valid)
		parts = malloc(sizeof(*parts) + list->max_parts * sizeof(parts->parts[0]));
	if (!parts) {
		store_answer(&list->wait, valid ? ERR_UNAVAILABLE : ERR_NO_SUCH_UPLOAD);
		return;
	}
	parts->task.run = run_parts;
	parts->r = rados_of(store);
	parts->list = list;
	list->held = parts;
	list->parts = parts->parts;
	thread_queue_add(parts->r->readers, &parts->task);
}

void rados_list_parts_release(struct store *store UNUSED, struct store_list_parts *list)
{
	free(TAKE(list->held));
}
