/* SPDX-License-Identifier: Apache-2.0 */
/*
 * CompleteMultipartUpload: POST /key?uploadId=U makes an object of parts, of those that the body
 * names or of all (spec: REST API section 7). With a callback, what it asks of the new object is
 * read from it.
 */
#include "base/limits.h"
#include "ops/arguments/elements.h"
#include "ops/arguments/params.h"
#include "ops/arguments/require.h"
#include "ops/data/callback_args.h"
#include "ops/data/object_reader.h"
#include "ops/data/object_text.h"
#include "ops/multipart/part_list.h"
#include "ops/multipart/upload_id.h"
#include "ops/ops_internal.h"
#include "ops/respond.h"
#include "oss/acl.h"
#include "oss/text/xml.h"

struct complete {
	struct ingest upload; /* what follows once there is an object */
	struct callback_vars vars;
	bool encode;
	bool all_parts;
	enum store_acl acl;
	bool forbid; /* to replace another object; OSS heeds that where no versions are kept */
	struct part_list parts;
	struct store_multipart_complete call;
	struct store_get get; /* of the new object, for the callback */
	bool found;           /* `get` holds something to be released */
	struct object_reader object_reader;
};

/* ---- After it ---------------------------------------------------------------------------------
 */

static void answer(struct request *r, struct ingest *u)
{
	const struct complete *state = CONTAINER_OF(u, struct complete, upload);
	SCOPED_STRBUF(location, KIB(16));
	SCOPED_STRBUF(xml, KIB(64));
	if (request_is_gone(r))
		return;
	elements_add_url(&location, r);
	strbuf_adds(&xml, XML_PROLOG "<CompleteMultipartUploadResult>");
	if (state->encode)
		xml_element(&xml, "EncodingType", S("url"));
	xml_element(&xml, "Location", strbuf_slice(&location));
	xml_element(&xml, "Bucket", r->address.bucket.text);
	elements_add_key(&xml, r, state->encode);
	strbuf_adds(&xml, "<ETag>\"");
	object_etag_add(&xml, &u->commit.object);
	strbuf_adds(&xml, "\"</ETag></CompleteMultipartUploadResult>\n");
	respond_xml(r, &xml);
}

/* The request is held from finish() to here. */
static void stored(struct complete *state)
{
	struct request *r = state->upload.r;
	ingest_stored(&state->upload);
	request_release(r);
}

static enum object_reader_then piece(struct object_reader *object_reader, struct slice bytes)
{
	struct complete *state = CONTAINER_OF(object_reader, struct complete, object_reader);
	return image_info_feed(&state->upload.image, bytes) ? OBJECT_READER_NEXT
							    : OBJECT_READER_STOP;
}

/* Without its bytes it is no image; that is no reason not to send the callback. */
static void on_read(struct object_reader *object_reader, enum err e UNUSED)
{
	stored(CONTAINER_OF(object_reader, struct complete, object_reader));
}

static void on_looked_up(struct task *task)
{
	struct store_wait *wait = CONTAINER_OF(task, struct store_wait, task);
	struct store_get *get = CONTAINER_OF(wait, struct store_get, wait);
	struct complete *state = CONTAINER_OF(get, struct complete, get);
	struct ingest *u = &state->upload;
	state->found = wait->err == ERR_OK;
	if (!state->found) {
		stored(state); /* it has been replaced or deleted already */
		return;
	}
	u->mime_type = arena_copy(
		&u->r->arena, object_headers_find(get->object.headers, S("Content-Type")));
	if (get->head_only) {
		stored(state);
		return;
	}
	uint64_t size = get->object.size;
	object_reader_init(&state->object_reader, u->r, get, 0,
		size < LIMIT_IMAGE_HEAD_BYTES ? size : LIMIT_IMAGE_HEAD_BYTES, piece, on_read);
	object_reader_next(&state->object_reader);
}

/* The type that the object was begun with, and its head if the callback asks about an image. */
static void look_up(struct complete *state)
{
	struct ingest *u = &state->upload;
	struct request *r = u->r;
	state->get = (struct store_get){
		.wait = {.task.run = on_looked_up, .home = r->home},
		.bucket_id = r->bucket->id,
		.key = r->address.key.text,
		.version = {u->commit.object.is_null, u->commit.object.version},
		.head_only = !callback_template_uses_image(&u->callback->body),
	};
	if (store_get(r->ops->options.store, &state->get) == STORE_DONE)
		on_looked_up(&state->get.wait.task);
}

/* ---- Completing it ----------------------------------------------------------------------------
 */

static void refuse(struct complete *state)
{
	const struct store_multipart_complete *call = &state->call;
	struct request *r = state->upload.r;
	if (call->bad_part) {
		SCOPED_STRBUF(number, 32);
		strbuf_add_u64(&number, call->bad_part);
		respond_detail(r, "PartNumber", strbuf_slice(&number));
	}
	if (call->wait.err == ERR_ENTITY_TOO_SMALL)
		xml_element_u64(&r->details, "MinSizeAllowed", LIMIT_PART_BYTES_MIN);
	upload_id_refuse(r, call->wait.err);
	request_release(r);
}

static void on_completed(struct task *task)
{
	struct store_wait *wait = CONTAINER_OF(task, struct store_wait, task);
	struct store_multipart_complete *call =
		CONTAINER_OF(wait, struct store_multipart_complete, wait);
	struct complete *state = CONTAINER_OF(call, struct complete, call);
	if (wait->err != ERR_OK) {
		refuse(state);
		return;
	}
	state->upload.commit.object = call->object;
	if (state->upload.callback)
		look_up(state);
	else
		stored(state);
}

/* False: it was answered. */
static bool read_parts(struct request *r, struct complete *state)
{
	SCOPED_STRBUF(reason, 512);
	struct slice document = strbuf_slice(&r->body);
	if (state->all_parts && document.len == 0)
		return true;
	if (state->all_parts) {
		respond_detail(r, "ArgumentName", S("x-oss-complete-all"));
		respond_error(r, ERR_COMPLETE_ALL_AND_PARTS);
		return false;
	}
	enum err e = part_list_read(&state->parts, document, &reason);
	if (e == ERR_OK)
		return true;
	respond_error_text(r, e, "%s", reason.ptr);
	return false;
}

static void finish(struct request *r)
{
	static const struct store_part_named none;
	struct complete *state = r->state;
	struct store_multipart_complete *call = &state->call;
	if (!require_digest(r) || !read_parts(r, state))
		return;
	call->wait = (struct store_wait){.task.run = on_completed, .home = r->home};
	call->bucket_id = r->bucket->id;
	call->key = r->address.key.text;
	call->parts = state->all_parts ? NULL : state->parts.count ? state->parts.parts : &none;
	call->part_count = state->parts.count;
	call->part_bytes_min = LIMIT_PART_BYTES_MIN;
	call->forbid_overwrite = state->forbid && r->bucket->versioning == STORE_UNVERSIONED;
	call->caller = request_caller(r);
	call->acl = state->acl;
	request_hold(r);
	store_multipart_complete(r->ops->options.store, call);
}

/* ---- The request ------------------------------------------------------------------------------
 */

/* A header that is absent, or one of two words; *ret says whether it is `yes`. */
static bool read_word(
	struct request *r, const char *name, struct slice yes, struct slice no, bool *ret)
{
	struct slice word = request_header(r, slice_str(name));
	*ret = slice_eq_nocase(word, yes);
	if (!word.ptr || *ret || slice_eq_nocase(word, no))
		return true;
	return respond_bad_argument(r, name, word, "The header has a value that it cannot have.");
}

static bool read_acl(struct request *r, enum store_acl *ret)
{
	struct slice word = request_header(r, S("x-oss-object-acl"));
	enum acl acl = ACL_DEFAULT;
	if (word.len && !acl_parse_object(word, &acl)) {
		return respond_bad_argument(
			r, "x-oss-object-acl", word, "It is not the ACL of an object.");
	}
	*ret = (enum store_acl)acl;
	return true;
}

static bool start(struct request *r, struct complete *state)
{
	return upload_id_of_request(r, &state->call.upload) && params_encoding(r, &state->encode) &&
	       read_word(r, "x-oss-complete-all", S("yes"), S("no"), &state->all_parts) &&
	       read_word(r, "x-oss-forbid-overwrite", S("true"), S("false"), &state->forbid) &&
	       read_acl(r, &state->acl) &&
	       callback_args_from_request(r, &state->upload, &state->vars);
}

static void begin(struct request *r)
{
	struct complete *state = r->state;
	struct ingest *u = &state->upload;
	ingest_init(u, r);
	u->answer = answer;
	u->mime_type = S("application/octet-stream");
	(void)start(r, state);
}

static void release(struct request *r)
{
	struct complete *state = r->state;
	object_reader_release(&state->object_reader);
	if (state->found)
		store_get_release(r->ops->options.store, &state->get);
	part_list_release(&state->parts);
	ingest_release(&state->upload);
	callback_vars_release(&state->vars);
}

const struct op op_complete_multipart_upload = {
	.name = "CompleteMultipartUpload",
	.method = HTTP_POST,
	.level = OP_OBJECT,
	.subresource = "uploadId",
	.access = OP_ACCESS_WRITE,
	.action = "oss:PutObject",
	.takes_callback = true,
	.body = OP_BODY_WHOLE,
	.max_body = LIMIT_XML_BODY_BYTES,
	.state_size = sizeof(struct complete),
	.begin = begin,
	.finish = finish,
	.release = release,
};
