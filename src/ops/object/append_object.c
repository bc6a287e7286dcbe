/* SPDX-License-Identifier: Apache-2.0 */
/*
 * AppendObject: POST /key?append&position=N, the body is put behind what there is (spec: REST API
 * section 6). Headers count when the object is new; an ACL changes that of one that is there, as
 * the tests of OSS's Go SDK have it.
 */
#include "base/limits.h"
#include "ops/arguments/params.h"
#include "ops/data/put_headers.h"
#include "ops/respond.h"

static void answer(struct request *r, struct ingest *u UNUSED)
{
	respond(r, 200, NULL, S(""));
}

static bool read_position(struct request *r, struct ingest *u)
{
	struct slice text = request_param(r, S("position"));
	if (!text.ptr)
		return respond_missing_argument(
			r, "position", "The parameter position is missing.");
	if (slice_to_u64(text, &u->spec.position)) {
		u->max_size = u->spec.position < LIMIT_OBJECT_BYTES
				      ? LIMIT_OBJECT_BYTES - u->spec.position
				      : 0;
		return true;
	}
	return respond_bad_argument(
		r, "position", text, "position must be an integer, the length of the object.");
}

static bool read_headers(struct request *r, const struct ingest *u, struct object_headers *h)
{
	h->no_tags = u->spec.position > 0;
	if (!put_headers_object(r, h))
		return false;
	/* What is there may be somebody else's: who is not known may not change who may. */
	if (r->anonymous && u->spec.position > 0)
		h->acl = STORE_ACL_DEFAULT;
	if (!h->forbid_overwrite)
		return true;
	/* Not OSS's here: an object that is appended to is there already. */
	respond_detail(r, "Header", S("x-oss-forbid-overwrite"));
	respond_error(r, ERR_NOT_IMPLEMENTED);
	return false;
}

static bool start(struct request *r, struct ingest *u, struct object_headers *h)
{
	return read_position(r, u) && put_headers_length(r, u->max_size) &&
	       put_headers_digest(r, u) && read_headers(r, u, h) &&
	       ingest_begin(u, r, h, r->head->content_length);
}

static void begin(struct request *r)
{
	struct ingest *u = r->state;
	struct object_headers h;
	u->spec.kind = STORE_PUT_APPEND;
	u->answer = answer;
	object_headers_init(&h);
	(void)start(r, u, &h);
	object_headers_release(&h);
}

static void data(struct request *r, struct slice piece)
{
	ingest_write(r->state, piece);
}

static void finish(struct request *r)
{
	ingest_finish(r->state);
}

static void release(struct request *r)
{
	ingest_release(r->state);
}

const struct op op_append_object = {
	.name = "AppendObject",
	.method = HTTP_POST,
	.level = OP_OBJECT,
	.subresource = "append",
	.access = OP_ACCESS_WRITE,
	.action = "oss:PutObject",
	.body = OP_BODY_STREAM,
	.state_size = sizeof(struct ingest),
	.begin = begin,
	.data = data,
	.finish = finish,
	.release = release,
};
