/* SPDX-License-Identifier: Apache-2.0 */
/* PutObject: PUT /key, the body is the object (spec: REST API section 6). */
#include "base/encode.h"
#include "base/limits.h"
#include "crypto/digest.h"
#include "ops/ops_internal.h"
#include "ops/respond.h"
#include "ops/upload.h"
#include "ops/upload_callback.h"

struct put_object {
	struct upload upload;
	struct upload_vars vars;
};

static void answer(struct request *r, struct upload *u UNUSED)
{
	respond(r, 200, NULL, S(""));
}

/* Conditions on a PUT are not OSS's: silently storing would be worse than refusing. */
static bool has_conditions(struct request *r)
{
	static const struct slice names[] = {SLICE_LIT("If-Match"), SLICE_LIT("If-None-Match"),
		SLICE_LIT("If-Modified-Since"), SLICE_LIT("If-Unmodified-Since")};
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		if (request_header(r, names[i]).ptr) {
			respond_detail(r, "Header", names[i]);
			respond_error(r, ERR_NOT_IMPLEMENTED);
			return true;
		}
	}
	return false;
}

static bool read_digest(struct request *r, struct upload *u)
{
	struct slice text = request_header(r, S("Content-MD5"));
	if (!text.ptr)
		return true;
	SCOPED_STRBUF(digest, 64);
	if (text.len > 64 || !base64_decode(&digest, text) || digest.len != MD5_BYTES) {
		respond_error_text(
			r, ERR_INVALID_DIGEST, "The Content-MD5 you specified is not valid.");
		return false;
	}
	memcpy(u->expect_md5, digest.ptr, MD5_BYTES);
	u->has_md5 = true;
	return true;
}

static bool read_headers(struct request *r, struct object_headers *h)
{
	const struct request_head *head = exchange_head(r->x);
	SCOPED_STRBUF(reason, 512);
	enum err e = ERR_OK;
	for (size_t i = 0; i < head->header_count && e == ERR_OK; i++)
		e = object_headers_add(h, head->headers[i].name, head->headers[i].value, &reason);
	if (e == ERR_OK)
		e = object_headers_finish(h);
	if (e == ERR_OK)
		return true;
	respond_error_text(r, e, "%s", reason.ptr);
	return false;
}

static bool start(struct request *r, struct put_object *state, struct object_headers *h)
{
	const struct request_head *head = exchange_head(r->x);
	struct upload *u = &state->upload;
	if (has_conditions(r) || !read_digest(r, u) || !read_headers(r, h))
		return false;
	if (!upload_callback_from_request(r, u, &state->vars))
		return false;
	u->mime_type = arena_copy(
		&r->arena, h->content_type.len ? h->content_type : S("application/octet-stream"));
	u->max_size = LIMIT_OBJECT_BYTES;
	u->answer = answer;
	return upload_begin(u, r, h, head->content_length);
}

static void begin(struct request *r)
{
	struct put_object *state = r->state;
	const struct request_head *head = exchange_head(r->x);
	if (head->body == HTTP_BODY_NONE) {
		respond_error(r, ERR_MISSING_CONTENT_LENGTH);
		return;
	}
	if (head->body == HTTP_BODY_LENGTH && head->content_length > LIMIT_OBJECT_BYTES) {
		respond_error(r, ERR_ENTITY_TOO_LARGE);
		return;
	}
	struct object_headers h;
	object_headers_init(&h);
	(void)start(r, state, &h);
	object_headers_release(&h);
}

static void data(struct request *r, struct slice piece)
{
	struct put_object *state = r->state;
	upload_write(&state->upload, piece);
}

static void finish(struct request *r)
{
	struct put_object *state = r->state;
	upload_finish(&state->upload);
}

static void release(struct request *r)
{
	struct put_object *state = r->state;
	upload_release(&state->upload);
	upload_vars_release(&state->vars);
}

extern const struct op op_put_object;
const struct op op_put_object = {
	.name = "PutObject",
	.method = HTTP_PUT,
	.level = OP_OBJECT,
	.access = OP_ACCESS_WRITE,
	.action = "oss:PutObject",
	.body = OP_BODY_STREAM,
	.state_size = sizeof(struct put_object),
	.begin = begin,
	.data = data,
	.finish = finish,
	.release = release,
};
