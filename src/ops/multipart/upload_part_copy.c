/* SPDX-License-Identifier: Apache-2.0 */
/*
 * UploadPartCopy: UploadPart with x-oss-copy-source, and a range of it if x-oss-copy-source-range
 * says so (spec: REST API section 7).
 */
#include <inttypes.h>

#include "base/limits.h"
#include "http/range.h"
#include "ops/arguments/version.h"
#include "ops/data/copy_from.h"
#include "ops/data/object_copy.h"
#include "ops/data/object_text.h"
#include "ops/multipart/upload_id.h"
#include "ops/respond.h"
#include "oss/text/iso8601.h"
#include "oss/text/xml.h"

struct upload_part_copy {
	struct store_put_spec spec;
	struct copy_from from;
	struct object_copy copy;
};

static void copied(struct object_copy *copy, enum err e)
{
	const struct upload_part_copy *state = CONTAINER_OF(copy, struct upload_part_copy, copy);
	const struct store_object *source = &state->from.source.get.object;
	struct request *r = copy->r;
	const struct store_object *part = &copy->commit.object;
	if (e != ERR_OK) {
		upload_id_refuse(r, e);
		return;
	}
	SCOPED_STRBUF(xml, KIB(4));
	SCOPED_STRBUF(etag, 64);
	SCOPED_STRBUF(crc, 32);
	strbuf_addc(&etag, '"');
	object_etag_add(&etag, part);
	strbuf_addc(&etag, '"');
	strbuf_adds(&xml, XML_PROLOG "<CopyPartResult><LastModified>");
	iso8601_add(&xml, part->modified_ms);
	strbuf_addf(&xml, "</LastModified><ETag>%s</ETag></CopyPartResult>\n", etag.ptr);
	respond_built_header(r, "ETag", &etag);
	strbuf_add_u64(&crc, part->crc64);
	respond_built_header(r, "x-oss-hash-crc64ecma", &crc);
	version_add_header(r, "x-oss-copy-source-version-id", state->from.bucket, source->is_null,
		source->version);
	respond_xml(r, &xml);
}

/* As in GetObject: a range that is not wholly inside the source means all of it. */
static void found(struct copy_from *from)
{
	struct upload_part_copy *state = CONTAINER_OF(from, struct upload_part_copy, from);
	struct request *r = from->r;
	struct store_get *source = &from->source.get;
	struct byte_range range = {.first = 0, .size = source->object.size};
	struct slice asked = request_header(r, S("x-oss-copy-source-range"));
	if (range_parse(asked, source->object.size, false, &range) == RANGE_PART) {
		SCOPED_STRBUF(text, 96);
		strbuf_addf(&text, "bytes %" PRIu64 "-%" PRIu64 "/%" PRIu64, range.first,
			range.first + range.size - 1, source->object.size);
		respond_built_header(r, "Content-Range", &text);
	}
	if (range.size > LIMIT_PART_BYTES) {
		respond_error(r, ERR_ENTITY_TOO_LARGE);
		return;
	}
	state->spec.bucket_id = r->bucket->id;
	state->spec.key = r->address.key.text;
	state->spec.size_hint = range.size;
	state->copy.commit.caller = request_caller(r);
	object_copy_start(&state->copy, r, source, range.first, range.size, &state->spec, copied);
}

static bool read_request(struct request *r, struct upload_part_copy *state)
{
	return upload_part_of_request(r, &state->spec.part) &&
	       upload_id_of_request(r, &state->spec.upload) && copy_from_parse(&state->from, r);
}

static void begin(struct request *r)
{
	struct upload_part_copy *state = r->state;
	state->spec.kind = STORE_PUT_PART;
	(void)read_request(r, state);
}

static void finish(struct request *r)
{
	struct upload_part_copy *state = r->state;
	copy_from_find(&state->from, true, found);
}

static void release(struct request *r)
{
	struct upload_part_copy *state = r->state;
	object_copy_release(&state->copy);
	copy_from_release(&state->from);
}

const struct op op_upload_part_copy = {
	.name = "UploadPartCopy",
	.method = HTTP_PUT,
	.level = OP_OBJECT,
	.subresource = "partNumber",
	.header = "x-oss-copy-source",
	.access = OP_ACCESS_WRITE,
	.action = "oss:PutObject",
	.body = OP_BODY_NONE,
	.state_size = sizeof(struct upload_part_copy),
	.begin = begin,
	.finish = finish,
	.release = release,
};
