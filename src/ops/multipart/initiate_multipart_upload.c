/* SPDX-License-Identifier: Apache-2.0 */
/*
 * InitiateMultipartUpload: POST /key?uploads (spec: REST API section 7). What the object will be
 * stored with is said here, but for its ACL: OSS takes that from CompleteMultipartUpload, and the
 * tests of its Go SDK see to it that one given here does not count.
 */
#include "base/limits.h"
#include "ops/arguments/elements.h"
#include "ops/arguments/params.h"
#include "ops/data/put_headers.h"
#include "ops/multipart/upload_id.h"
#include "ops/ops_internal.h"
#include "ops/respond.h"
#include "oss/text/xml.h"

struct initiate {
	struct request *r;
	bool encode;
	struct object_headers headers;
	struct store_get get;
	struct store_multipart_begin begin;
};

static void answer(struct initiate *state)
{
	struct request *r = state->r;
	SCOPED_STRBUF(xml, KIB(16));
	strbuf_adds(&xml, XML_PROLOG "<InitiateMultipartUploadResult>");
	if (state->encode)
		xml_element(&xml, "EncodingType", S("url"));
	xml_element(&xml, "Bucket", r->address.bucket.text);
	elements_add_key(&xml, r, state->encode);
	xml_open(&xml, "UploadId");
	upload_id_add(&xml, state->begin.upload);
	xml_close(&xml, "UploadId");
	strbuf_adds(&xml, "</InitiateMultipartUploadResult>\n");
	respond_xml(r, &xml);
}

static void on_begun(struct task *task)
{
	struct store_wait *wait = CONTAINER_OF(task, struct store_wait, task);
	struct store_multipart_begin *begin =
		CONTAINER_OF(wait, struct store_multipart_begin, wait);
	struct initiate *state = CONTAINER_OF(begin, struct initiate, begin);
	struct request *r = state->r;
	if (wait->err == ERR_OK)
		answer(state);
	else
		respond_error(r, wait->err);
	request_release(r);
}

/* The request is held from finish() to here or to on_begun(). */
static void start(struct initiate *state)
{
	struct request *r = state->r;
	state->begin = (struct store_multipart_begin){
		.wait = {.task.run = on_begun, .home = r->home},
		.bucket_id = r->bucket->id,
		.key = r->address.key.text,
		.headers = strbuf_slice(&state->headers.lines),
		.tags = strbuf_slice(&state->headers.tags),
	};
	store_multipart_begin(r->ops->options.store, &state->begin);
}

static void on_looked_up(struct task *task)
{
	struct store_wait *wait = CONTAINER_OF(task, struct store_wait, task);
	struct store_get *get = CONTAINER_OF(wait, struct store_get, wait);
	struct initiate *state = CONTAINER_OF(get, struct initiate, get);
	struct request *r = state->r;
	if (wait->err == ERR_OK)
		store_get_release(r->ops->options.store, get);
	if (wait->err == ERR_NO_SUCH_KEY) {
		start(state);
		return;
	}
	respond_error(r, wait->err == ERR_OK ? ERR_FILE_ALREADY_EXISTS : wait->err);
	request_release(r);
}

/* Refused early, before the bytes are sent; CompleteMultipartUpload checks it for good. */
static void check_absent(struct initiate *state)
{
	struct request *r = state->r;
	state->get = (struct store_get){
		.wait = {.task.run = on_looked_up, .home = r->home},
		.bucket_id = r->bucket->id,
		.key = r->address.key.text,
		.head_only = true,
	};
	if (store_get(r->ops->options.store, &state->get) == STORE_DONE)
		on_looked_up(&state->get.wait.task);
}

/* Of parts that must come in order OSS tells the MD5 of the whole: that would have to be known. */
static bool require_any_order(struct request *r)
{
	if (!request_param(r, S("sequential")).ptr)
		return true;
	respond_error_text(r, ERR_NOT_IMPLEMENTED, "sequential is not implemented.");
	return false;
}

static bool read_request(struct request *r, struct initiate *state)
{
	return params_encoding(r, &state->encode) && require_any_order(r) &&
	       put_headers_object(r, &state->headers);
}

static void begin(struct request *r)
{
	struct initiate *state = r->state;
	state->r = r;
	object_headers_init(&state->headers);
	(void)read_request(r, state);
}

static void finish(struct request *r)
{
	struct initiate *state = r->state;
	request_hold(r);
	if (object_headers_forbid(&state->headers, r->bucket))
		check_absent(state);
	else
		start(state);
}

static void release(struct request *r)
{
	struct initiate *state = r->state;
	if (state->r)
		object_headers_release(&state->headers);
}

const struct op op_initiate_multipart_upload = {
	.name = "InitiateMultipartUpload",
	.method = HTTP_POST,
	.level = OP_OBJECT,
	.subresource = "uploads",
	.access = OP_ACCESS_WRITE,
	.action = "oss:PutObject",
	.replaces_nothing = true,
	.body = OP_BODY_NONE,
	.state_size = sizeof(struct initiate),
	.begin = begin,
	.finish = finish,
	.release = release,
};
