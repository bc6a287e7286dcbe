/* SPDX-License-Identifier: Apache-2.0 */
#include "ops/bucket/listing.h"

#include "ops/arguments/elements.h"
#include "ops/arguments/params.h"
#include "ops/data/object_headers.h"
#include "ops/data/object_text.h"
#include "ops/ops_internal.h"
#include "ops/respond.h"
#include "oss/text/iso8601.h"
#include "oss/text/xml.h"

enum {
	LIST_DOCUMENT_BYTES = 8 << 20 /* 1,000 keys of 1,023 bytes, each byte escaped */
};

bool listing_init(struct listing *listing, struct request *r)
{
	listing->r = r;
	struct store_list *list = &listing->list;
	return params_max_keys(r, &list->max_entries) && params_encoding(r, &listing->encode) &&
	       params_name(r, "prefix", &list->prefix) &&
	       params_name(r, "delimiter", &list->delimiter);
}

static void on_listed(struct task *task)
{
	struct store_wait *wait = CONTAINER_OF(task, struct store_wait, task);
	struct store_list *list = CONTAINER_OF(wait, struct store_list, wait);
	struct listing *listing = CONTAINER_OF(list, struct listing, list);
	struct request *r = listing->r;
	listing->listed = wait->err == ERR_OK;
	if (!listing->listed) {
		respond_error(r, wait->err);
	} else if (!request_is_gone(r)) {
		SCOPED_STRBUF(xml, LIST_DOCUMENT_BYTES);
		listing->format(listing, &xml);
		/* The client may be slow to take it. */
		listing_release(listing);
		respond_xml(r, &xml);
	}
	request_release(r);
}

void listing_start(
	struct listing *listing, void (*format)(struct listing *listing, struct strbuf *out))
{
	struct request *r = listing->r;
	listing->format = format;
	listing->list.wait = (struct store_wait){.task.run = on_listed, .home = r->home};
	listing->list.bucket_id = r->bucket->id;
	request_hold(r);
	listing->list.pool = request_account(r)->pool;
	store_list(r->ops->options.store, &listing->list);
}

void listing_release(struct listing *listing)
{
	if (!listing->listed)
		return;
	listing->listed = false;
	store_list_release(listing->r->ops->options.store, &listing->list);
}

void listing_add_name(
	const struct listing *listing, struct strbuf *out, const char *element, struct slice name)
{
	elements_add_name(out, element, name, listing->encode);
}

struct slice listing_next(const struct listing *listing)
{
	const struct store_list *list = &listing->list;
	return list->truncated && list->count ? list->entries[list->count - 1].key : S("");
}

void listing_add_facts(struct strbuf *out, const struct store_object *object)
{
	struct slice class = object_headers_find(object->headers, S("x-oss-storage-class"));
	xml_open(out, "LastModified");
	iso8601_add(out, object->modified_ms);
	xml_close(out, "LastModified");
	strbuf_adds(out, "<ETag>\"");
	object_etag_add(out, object);
	strbuf_adds(out, "\"</ETag>");
	xml_element(out, "Type", slice_str(object_type_name(object->type)));
	xml_element_u64(out, "Size", object->size);
	xml_element(out, "StorageClass", class.len ? class : S("Standard"));
}

static void add_object(const struct listing *listing, const struct store_entry *entry,
	struct strbuf *out, bool with_owner)
{
	xml_open(out, "Contents");
	listing_add_name(listing, out, "Key", entry->key);
	listing_add_facts(out, &entry->object);
	if (with_owner)
		elements_add_owner(out);
	xml_close(out, "Contents");
}

void listing_add_prefixes(const struct listing *listing, struct strbuf *out)
{
	const struct store_list *list = &listing->list;
	for (uint32_t i = 0; i < list->count; i++) {
		if (!list->entries[i].is_prefix)
			continue;
		xml_open(out, "CommonPrefixes");
		listing_add_name(listing, out, "Prefix", list->entries[i].key);
		xml_close(out, "CommonPrefixes");
	}
}

void listing_add_rows(const struct listing *listing, struct strbuf *out, bool with_owner)
{
	const struct store_list *list = &listing->list;
	for (uint32_t i = 0; i < list->count; i++)
		if (!list->entries[i].is_prefix)
			add_object(listing, &list->entries[i], out, with_owner);
	listing_add_prefixes(listing, out);
}
