/* SPDX-License-Identifier: Apache-2.0 */
/* ListMultipartUploads: GET /?uploads (spec: REST API section 7). */
#include "base/limits.h"
#include "ops/arguments/elements.h"
#include "ops/arguments/params.h"
#include "ops/arguments/require.h"
#include "ops/multipart/upload_id.h"
#include "ops/ops_internal.h"
#include "ops/respond.h"
#include "oss/text/iso8601.h"
#include "oss/text/xml.h"

enum {
	LIST_DOCUMENT_BYTES = 8 << 20 /* 1,000 keys of 1,023 bytes, each byte escaped */
};

struct list_uploads {
	struct request *r;
	bool encode;
	bool listed; /* `list` holds something to be released */
	struct slice id_marker;
	struct store_list_multiparts list;
};

/* An element with the id; empty if there is none. */
static void add_id(struct strbuf *out, const char *element, uint64_t upload)
{
	xml_open(out, element);
	if (upload)
		upload_id_add(out, upload);
	xml_close(out, element);
}

static void add_upload(
	const struct list_uploads *state, struct strbuf *out, const struct store_multipart *upload)
{
	xml_open(out, "Upload");
	elements_add_name(out, "Key", upload->key, state->encode);
	add_id(out, "UploadId", upload->upload);
	xml_element(out, "StorageClass", S("Standard"));
	xml_open(out, "Initiated");
	iso8601_add(out, upload->initiated_ms);
	xml_close(out, "Initiated");
	xml_close(out, "Upload");
}

static void add_rows(const struct list_uploads *state, struct strbuf *out)
{
	const struct store_list_multiparts *list = &state->list;
	for (uint32_t i = 0; i < list->count; i++)
		if (!list->uploads[i].is_prefix)
			add_upload(state, out, &list->uploads[i]);
	for (uint32_t i = 0; i < list->count; i++) {
		if (!list->uploads[i].is_prefix)
			continue;
		xml_open(out, "CommonPrefixes");
		elements_add_name(out, "Prefix", list->uploads[i].key, state->encode);
		xml_close(out, "CommonPrefixes");
	}
}

static void format(const struct list_uploads *state, struct strbuf *out)
{
	const struct store_list_multiparts *list = &state->list;
	const struct store_multipart end = {.key = S(""), .upload = 0};
	/* Also of the last page: OSS fills them, and clients compare. */
	const struct store_multipart *last = list->count ? &list->uploads[list->count - 1] : &end;
	strbuf_adds(out, XML_PROLOG "<ListMultipartUploadsResult>");
	if (state->encode)
		xml_element(out, "EncodingType", S("url"));
	xml_element(out, "Bucket", state->r->bucket->name);
	elements_add_name(out, "KeyMarker", list->key_marker, state->encode);
	xml_element(out, "UploadIdMarker", state->id_marker);
	elements_add_name(out, "NextKeyMarker", last->key, state->encode);
	add_id(out, "NextUploadIdMarker", last->is_prefix ? 0 : last->upload);
	elements_add_name(out, "Delimiter", list->delimiter, state->encode);
	elements_add_name(out, "Prefix", list->prefix, state->encode);
	xml_element_u64(out, "MaxUploads", list->max_uploads);
	xml_element(out, "IsTruncated", list->truncated ? S("true") : S("false"));
	add_rows(state, out);
	strbuf_adds(out, "</ListMultipartUploadsResult>\n");
}

static void release(struct request *r)
{
	struct list_uploads *state = r->state;
	if (!state->listed)
		return;
	state->listed = false;
	store_list_multiparts_release(r->ops->options.store, &state->list);
}

static void on_listed(struct task *task)
{
	struct store_wait *wait = CONTAINER_OF(task, struct store_wait, task);
	struct store_list_multiparts *list = CONTAINER_OF(wait, struct store_list_multiparts, wait);
	struct list_uploads *state = CONTAINER_OF(list, struct list_uploads, list);
	struct request *r = state->r;
	state->listed = wait->err == ERR_OK;
	if (!state->listed) {
		respond_error(r, wait->err);
	} else if (!request_is_gone(r)) {
		SCOPED_STRBUF(xml, LIST_DOCUMENT_BYTES);
		format(state, &xml);
		/* The client may be slow to take it. */
		release(r);
		respond_xml(r, &xml);
	}
	request_release(r);
}

/*
 * OSS passes over an upload-id-marker without a key-marker, and takes any text for one. Text that
 * is no id of ours is taken to be behind all of them.
 */
static bool read_marker(struct request *r, struct list_uploads *state)
{
	struct store_list_multiparts *list = &state->list;
	struct slice *id = &state->id_marker;
	if (!params_name(r, "key-marker", &list->key_marker) ||
		!params_name(r, "upload-id-marker", id))
		return false;
	if (id->len && list->key_marker.len && !upload_id_parse(*id, &list->upload_marker))
		list->upload_marker = UINT64_MAX;
	return true;
}

static void finish(struct request *r)
{
	struct list_uploads *state = r->state;
	struct store_list_multiparts *list = &state->list;
	state->r = r;
	if (!require_bucket(r) || !params_encoding(r, &state->encode) ||
		!params_name(r, "prefix", &list->prefix) ||
		!params_name(r, "delimiter", &list->delimiter) || !read_marker(r, state) ||
		!params_count(r, "max-uploads", LIMIT_LIST_KEYS, &list->max_uploads))
		return;
	list->wait = (struct store_wait){.task.run = on_listed, .home = r->home};
	list->bucket_id = r->bucket->id;
	request_hold(r);
	list->pool = request_account(r)->pool;
	store_list_multiparts(r->ops->options.store, list);
}

const struct op op_list_multipart_uploads = {
	.name = "ListMultipartUploads",
	.method = HTTP_GET,
	.level = OP_BUCKET,
	.subresource = "uploads",
	.access = OP_ACCESS_OWNER,
	.action = "oss:ListMultipartUploads",
	.body = OP_BODY_NONE,
	.state_size = sizeof(struct list_uploads),
	.finish = finish,
	.release = release,
};
