/* SPDX-License-Identifier: Apache-2.0 */
/*
 * GetObjectMeta, /key?objectMeta: tag, size and time of an object without its content. With GET,
 * which old clients send (oss2), there is no content either: Content-Length is the object's all
 * the same, since that is where they read the size.
 */
#include "http/date.h"
#include "ops/arguments/version.h"
#include "ops/data/lookup.h"
#include "ops/ops_internal.h"
#include "ops/respond.h"

static void answer(struct lookup *lookup)
{
	struct request *r = lookup->r;
	const struct store_object *object = &lookup->get.object;
	char modified[DATE_SIZE];
	SCOPED_STRBUF(lines, 256);
	date_format(lookup_modified_ms(lookup) / 1000, modified);
	strbuf_adds(&lines, "ETag: \"");
	lookup_add_etag(lookup, &lines);
	strbuf_addf(&lines, "\"\r\nLast-Modified: %s\r\nx-oss-hash-crc64ecma: ", modified);
	strbuf_add_u64(&lines, object->crc64);
	strbuf_adds(&lines, "\r\n");
	respond_built_lines(r, &lines);
	version_add_headers(r, lookup->what.bucket, lookup_reported(lookup));
	respond_head(r, 200, object->size);
}

static void finish(struct request *r)
{
	lookup_start_here(r->state, r, true, true, answer);
}

static void release(struct request *r)
{
	lookup_release(r->state);
}

const struct op op_head_object_meta = {
	.name = "GetObjectMeta",
	.method = HTTP_HEAD,
	.level = OP_OBJECT,
	.subresource = "objectMeta",
	.access = OP_ACCESS_OBJECT,
	.action = "oss:GetObject",
	.version_action = "oss:GetObjectVersion",
	.body = OP_BODY_NONE,
	.state_size = sizeof(struct lookup),
	.finish = finish,
	.release = release,
};

const struct op op_get_object_meta = {
	.name = "GetObjectMeta",
	.method = HTTP_GET,
	.level = OP_OBJECT,
	.subresource = "objectMeta",
	.access = OP_ACCESS_OBJECT,
	.action = "oss:GetObject",
	.version_action = "oss:GetObjectVersion",
	.body = OP_BODY_NONE,
	.state_size = sizeof(struct lookup),
	.finish = finish,
	.release = release,
};
