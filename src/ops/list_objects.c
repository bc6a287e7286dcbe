/* SPDX-License-Identifier: Apache-2.0 */
/* ListObjects, version 1 (spec: REST API section 5). */
#include "base/encode.h"
#include "base/limits.h"
#include "ops/object_headers.h"
#include "ops/ops_internal.h"
#include "ops/respond.h"
#include "oss/iso8601.h"
#include "oss/xml.h"

enum {
	DEFAULT_MAX_KEYS = 100,
	LIST_DOCUMENT_BYTES = 16 << 20
};

struct list_objects {
	struct request *r;
	struct store_list list;
	bool encode; /* encoding-type=url */
	bool listed; /* list holds something to be released */
};

/* A key or prefix as the client asked for it. */
static void add_name(const struct list_objects *state, struct strbuf *out, const char *element,
	struct slice name)
{
	if (!state->encode) {
		xml_element(out, element, name);
		return;
	}
	xml_open(out, element);
	percent_encode(out, name);
	xml_close(out, element);
}

static void add_object(
	const struct list_objects *state, const struct store_entry *entry, struct strbuf *out)
{
	const struct store_object *object = &entry->object;
	struct slice class = object_headers_find(object->headers, S("x-oss-storage-class"));
	xml_open(out, "Contents");
	add_name(state, out, "Key", entry->key);
	xml_open(out, "LastModified");
	iso8601_add(out, object->modified_ms);
	xml_close(out, "LastModified");
	strbuf_adds(out, "<ETag>\"");
	hex_encode_upper(out, slice_of(object->md5, sizeof(object->md5)));
	strbuf_adds(out, "\"</ETag><Type>Normal</Type>");
	xml_element_u64(out, "Size", object->size);
	xml_element(out, "StorageClass", class.len ? class : S("Standard"));
	strbuf_adds(out, "<Owner><ID>postern</ID><DisplayName>postern</DisplayName></Owner>");
	xml_close(out, "Contents");
}

static void format(const struct list_objects *state, struct strbuf *out)
{
	const struct store_list *list = &state->list;
	strbuf_adds(out, XML_PROLOG "<ListBucketResult>");
	xml_element(out, "Name", state->r->bucket->name);
	add_name(state, out, "Prefix", list->prefix);
	add_name(state, out, "Marker", list->marker);
	xml_element_u64(out, "MaxKeys", list->max_entries);
	add_name(state, out, "Delimiter", list->delimiter);
	if (state->encode)
		xml_element(out, "EncodingType", S("url"));
	xml_element(out, "IsTruncated", list->truncated ? S("true") : S("false"));
	if (list->truncated && list->count)
		add_name(state, out, "NextMarker", list->entries[list->count - 1].key);
	for (uint32_t i = 0; i < list->count; i++)
		if (!list->entries[i].is_prefix)
			add_object(state, &list->entries[i], out);
	for (uint32_t i = 0; i < list->count; i++) {
		if (!list->entries[i].is_prefix)
			continue;
		xml_open(out, "CommonPrefixes");
		add_name(state, out, "Prefix", list->entries[i].key);
		xml_close(out, "CommonPrefixes");
	}
	strbuf_adds(out, "</ListBucketResult>\n");
}

static void listed(struct task *task)
{
	struct store_wait *wait = CONTAINER_OF(task, struct store_wait, task);
	struct store_list *list = CONTAINER_OF(wait, struct store_list, wait);
	struct list_objects *state = CONTAINER_OF(list, struct list_objects, list);
	struct request *r = state->r;
	state->listed = wait->err == ERR_OK;
	if (!state->listed) {
		respond_error(r, wait->err);
	} else if (r->x) {
		SCOPED_STRBUF(xml, LIST_DOCUMENT_BYTES);
		format(state, &xml);
		if (strbuf_broken(&xml))
			respond_error(r, ERR_UNAVAILABLE);
		else
			respond(r, 200, "application/xml", strbuf_slice(&xml));
	}
	request_release(r);
}

static void refuse(struct request *r, const char *name, struct slice value, const char *why)
{
	respond_detail(r, "ArgumentName", slice_str(name));
	respond_detail(r, "ArgumentValue", value);
	respond_error_text(r, ERR_INVALID_ARGUMENT, "%s", why);
}

static bool read_params(struct request *r, struct list_objects *state)
{
	uint64_t max = DEFAULT_MAX_KEYS;
	struct slice max_keys = request_param(r, S("max-keys"));
	struct slice encoding = request_param(r, S("encoding-type"));
	if (max_keys.len && (!slice_to_u64(max_keys, &max) || max < 1 || max > LIMIT_LIST_KEYS)) {
		refuse(r, "max-keys", max_keys, "max-keys must be an integer from 1 to 1000.");
		return false;
	}
	if (encoding.len && !slice_eq(encoding, S("url"))) {
		refuse(r, "encoding-type", encoding, "encoding-type must be url.");
		return false;
	}
	state->encode = encoding.len > 0;
	state->list.max_entries = (uint32_t)max;
	state->list.prefix = request_param(r, S("prefix"));
	state->list.marker = request_param(r, S("marker"));
	state->list.delimiter = request_param(r, S("delimiter"));
	const struct slice *const names[] = {
		&state->list.prefix, &state->list.marker, &state->list.delimiter};
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		if (names[i]->len > LIMIT_KEY_BYTES) {
			refuse(r, "prefix, marker or delimiter", *names[i],
				"It is longer than a key can be.");
			return false;
		}
	}
	return true;
}

static void finish(struct request *r)
{
	struct list_objects *state = r->state;
	state->r = r;
	if (!read_params(r, state))
		return;
	state->list.wait = (struct store_wait){.task.run = listed, .home = r->home};
	state->list.bucket_id = r->bucket->id;
	request_hold(r);
	store_list(r->ops->options.store, &state->list);
}

static void release(struct request *r)
{
	struct list_objects *state = r->state;
	if (state->listed)
		store_list_release(r->ops->options.store, &state->list);
}

extern const struct op op_list_objects;
const struct op op_list_objects = {
	.name = "ListObjects",
	.method = HTTP_GET,
	.level = OP_BUCKET,
	.access = OP_ACCESS_READ,
	.body = OP_BODY_NONE,
	.state_size = sizeof(struct list_objects),
	.finish = finish,
	.release = release,
};
