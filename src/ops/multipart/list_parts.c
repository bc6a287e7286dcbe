/* SPDX-License-Identifier: Apache-2.0 */
/* ListParts: GET /key?uploadId=U (spec: REST API section 7). */
#include "base/encode.h"
#include "base/limits.h"
#include "ops/arguments/elements.h"
#include "ops/arguments/params.h"
#include "ops/multipart/upload_id.h"
#include "ops/ops_internal.h"
#include "ops/respond.h"
#include "oss/text/iso8601.h"
#include "oss/text/xml.h"

enum {
	LIST_DOCUMENT_BYTES = 1 << 20 /* 1,000 parts of some 300 bytes */
};

struct list_parts {
	struct request *r;
	bool encode;
	bool listed; /* `list` holds something to be released */
	struct store_list_parts list;
};

static void add_part(struct strbuf *out, const struct store_part *part)
{
	xml_open(out, "Part");
	xml_element_u64(out, "PartNumber", part->number);
	xml_open(out, "LastModified");
	iso8601_add(out, part->modified_ms);
	strbuf_adds(out, "</LastModified><ETag>\"");
	hex_encode_upper(out, slice_of(part->md5, sizeof(part->md5)));
	strbuf_adds(out, "\"</ETag>");
	xml_element_u64(out, "Size", part->size);
	xml_element_u64(out, "HashCrc64ecma", part->crc64);
	xml_close(out, "Part");
}

static void format(const struct list_parts *state, struct strbuf *out)
{
	const struct store_list_parts *list = &state->list;
	const struct address *address = &state->r->address;
	strbuf_adds(out, XML_PROLOG "<ListPartsResult>");
	if (state->encode)
		xml_element(out, "EncodingType", S("url"));
	xml_element(out, "Bucket", address->bucket.text);
	elements_add_key(out, state->r, state->encode);
	xml_open(out, "UploadId");
	upload_id_add(out, list->upload);
	xml_close(out, "UploadId");
	xml_element(out, "StorageClass", S("Standard"));
	xml_element_u64(out, "PartNumberMarker", list->after);
	/* Of no parts there is no number, but oss2 insists on the element. */
	xml_open(out, "NextPartNumberMarker");
	if (list->count)
		strbuf_add_u64(out, list->parts[list->count - 1].number);
	xml_close(out, "NextPartNumberMarker");
	xml_element_u64(out, "MaxParts", list->max_parts);
	xml_element(out, "IsTruncated", list->truncated ? S("true") : S("false"));
	for (uint32_t i = 0; i < list->count; i++)
		add_part(out, &list->parts[i]);
	strbuf_adds(out, "</ListPartsResult>\n");
}

static void on_listed(struct task *task)
{
	struct store_wait *wait = CONTAINER_OF(task, struct store_wait, task);
	struct store_list_parts *list = CONTAINER_OF(wait, struct store_list_parts, wait);
	struct list_parts *state = CONTAINER_OF(list, struct list_parts, list);
	struct request *r = state->r;
	state->listed = wait->err == ERR_OK;
	if (state->listed) {
		SCOPED_STRBUF(xml, LIST_DOCUMENT_BYTES);
		format(state, &xml);
		respond_xml(r, &xml);
	} else {
		upload_id_refuse(r, wait->err);
	}
	request_release(r);
}

static bool read_marker(struct request *r, uint32_t *ret)
{
	struct slice text = request_param(r, S("part-number-marker"));
	uint64_t number = 0;
	if (text.len && (!slice_to_u64(text, &number) || number > LIMIT_PARTS)) {
		return respond_bad_argument(r, "part-number-marker", text,
			"part-number-marker must be an integer from 0 to 10000.");
	}
	*ret = (uint32_t)number;
	return true;
}

static void finish(struct request *r)
{
	struct list_parts *state = r->state;
	struct store_list_parts *list = &state->list;
	state->r = r;
	if (!upload_id_of_request(r, &list->upload) || !params_encoding(r, &state->encode) ||
		!params_count(r, "max-parts", LIMIT_LIST_KEYS, &list->max_parts) ||
		!read_marker(r, &list->after))
		return;
	list->wait = (struct store_wait){.task.run = on_listed, .home = r->home};
	list->bucket_id = r->bucket->id;
	list->key = r->address.key.text;
	request_hold(r);
	store_list_parts(r->ops->options.store, list);
}

static void release(struct request *r)
{
	struct list_parts *state = r->state;
	if (state->listed)
		store_list_parts_release(r->ops->options.store, &state->list);
}

const struct op op_list_parts = {
	.name = "ListParts",
	.method = HTTP_GET,
	.level = OP_OBJECT,
	.subresource = "uploadId",
	.access = OP_ACCESS_WRITE,
	.action = "oss:ListParts",
	.body = OP_BODY_NONE,
	.state_size = sizeof(struct list_parts),
	.finish = finish,
	.release = release,
};
