/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ListObjectVersions, /?versions (spec: REST API section 5): all versions of all objects, and the
 * delete markers; newest first. Where the next list begins is a key and the id of a version, which
 * may have been deleted meanwhile. Therefore NextVersionIdMarker always tells the number of the
 * version, also of one whose id is "null"; "null" is understood all the same.
 */
#include "ops/arguments/elements.h"
#include "ops/arguments/params.h"
#include "ops/arguments/version.h"
#include "ops/bucket/listing.h"
#include "ops/ops_internal.h"
#include "ops/respond.h"
#include "oss/text/iso8601.h"
#include "oss/text/xml.h"

struct list_object_versions {
	struct listing listing;
	struct slice version_marker; /* as sent */
	struct store_get null;       /* finds the number of the version "null" */
};

static void add_version(
	const struct listing *listing, const struct store_entry *entry, struct strbuf *out)
{
	const struct store_object *object = &entry->object;
	const char *element = object->is_marker ? "DeleteMarker" : "Version";
	xml_open(out, element);
	listing_add_name(listing, out, "Key", entry->key);
	xml_open(out, "VersionId");
	version_add_id(out, object->is_null, object->version);
	xml_close(out, "VersionId");
	xml_element(out, "IsLatest", entry->is_latest ? S("true") : S("false"));
	if (object->is_marker) {
		xml_open(out, "LastModified");
		iso8601_add(out, object->modified_ms);
		xml_close(out, "LastModified");
	} else {
		listing_add_facts(out, object);
	}
	elements_add_owner(out);
	xml_close(out, element);
}

static void add_next(const struct listing *listing, struct strbuf *out)
{
	const struct store_list *list = &listing->list;
	if (!list->truncated || !list->count)
		return;
	const struct store_entry *last = &list->entries[list->count - 1];
	listing_add_name(listing, out, "NextKeyMarker", last->key);
	xml_open(out, "NextVersionIdMarker");
	if (!last->is_prefix)
		version_add_id(out, false, last->object.version);
	xml_close(out, "NextVersionIdMarker");
}

static void format(struct listing *listing, struct strbuf *out)
{
	const struct list_object_versions *state =
		CONTAINER_OF(listing, struct list_object_versions, listing);
	const struct store_list *list = &listing->list;
	strbuf_adds(out, XML_PROLOG "<ListVersionsResult>");
	xml_element(out, "Name", listing->r->bucket->name);
	listing_add_name(listing, out, "Prefix", list->prefix);
	listing_add_name(listing, out, "KeyMarker", list->marker);
	xml_element(out, "VersionIdMarker", state->version_marker);
	xml_element_u64(out, "MaxKeys", list->max_entries);
	listing_add_name(listing, out, "Delimiter", list->delimiter);
	if (listing->encode)
		xml_element(out, "EncodingType", S("url"));
	xml_element(out, "IsTruncated", list->truncated ? S("true") : S("false"));
	add_next(listing, out);
	for (uint32_t i = 0; i < list->count; i++)
		if (!list->entries[i].is_prefix)
			add_version(listing, &list->entries[i], out);
	listing_add_prefixes(listing, out);
	strbuf_adds(out, "</ListVersionsResult>\n");
}

/* The number of the version "null" is known, or there is none. */
static void on_null_found(struct task *task)
{
	struct store_wait *wait = CONTAINER_OF(task, struct store_wait, task);
	struct store_get *get = CONTAINER_OF(wait, struct store_get, wait);
	struct list_object_versions *state = CONTAINER_OF(get, struct list_object_versions, null);
	struct request *r = state->listing.r;
	bool found = wait->err == ERR_OK;
	if (found || (wait->err == ERR_METHOD_NOT_ALLOWED && get->object.is_marker))
		state->listing.list.after_version = get->object.version;
	if (found)
		store_get_release(r->ops->options.store, get);
	if (found || wait->err == ERR_NO_SUCH_KEY || wait->err == ERR_NO_SUCH_VERSION ||
		wait->err == ERR_METHOD_NOT_ALLOWED)
		listing_start(&state->listing, format);
	else
		respond_error(r, wait->err);
	request_release(r);
}

static void find_null(struct list_object_versions *state)
{
	struct request *r = state->listing.r;
	state->null = (struct store_get){
		.wait = {.task.run = on_null_found, .home = r->home},
		.bucket_id = r->bucket->id,
		.key = state->listing.list.marker,
		.version = {.is_null = true},
		.head_only = true,
	};
	request_hold(r);
	if (store_get(r->ops->options.store, &state->null) == STORE_DONE)
		on_null_found(&state->null.wait.task);
}

static void finish(struct request *r)
{
	struct list_object_versions *state = r->state;
	struct store_list *list = &state->listing.list;
	struct slice marker = request_param(r, S("version-id-marker"));
	struct store_version version;
	list->versions = true;
	state->version_marker = marker.len ? marker : (struct slice){NULL, 0};
	if (!listing_init(&state->listing, r) || !params_name(r, "key-marker", &list->marker) ||
		!version_of_argument(r, "version-id-marker", state->version_marker, &version))
		return;
	if (marker.len && !list->marker.len) {
		(void)respond_bad_argument(r, "version-id-marker", marker,
			"A version-id-marker cannot be specified without a key-marker.");
		return;
	}
	list->after_version = version.number;
	if (version.is_null)
		find_null(state);
	else
		listing_start(&state->listing, format);
}

static void release(struct request *r)
{
	struct list_object_versions *state = r->state;
	listing_release(&state->listing);
}

const struct op op_list_object_versions = {
	.name = "ListObjectVersions",
	.method = HTTP_GET,
	.level = OP_BUCKET,
	.subresource = "versions",
	.access = OP_ACCESS_READ,
	.action = "oss:ListObjectVersions",
	.body = OP_BODY_NONE,
	.state_size = sizeof(struct list_object_versions),
	.finish = finish,
	.release = release,
};
