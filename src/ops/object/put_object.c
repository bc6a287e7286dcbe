/* SPDX-License-Identifier: Apache-2.0 */
/* PutObject: PUT /key, the body is the object (spec: REST API section 6). */
#include "base/limits.h"
#include "ops/data/callback_args.h"
#include "ops/data/put_headers.h"
#include "ops/respond.h"

struct put_object {
	struct ingest upload;
	struct callback_vars vars;
};

static void answer(struct request *r, struct ingest *u UNUSED)
{
	respond(r, 200, NULL, S(""));
}

static bool start(struct request *r, struct put_object *state, struct object_headers *h)
{
	const struct request_head *head = r->head;
	struct ingest *u = &state->upload;
	if (!put_headers_digest(r, u) || !put_headers_object(r, h) ||
		!callback_args_from_request(r, u, &state->vars))
		return false;
	u->mime_type = arena_copy(
		&r->arena, h->content_type.len ? h->content_type : S("application/octet-stream"));
	u->max_size = LIMIT_OBJECT_BYTES;
	u->answer = answer;
	return ingest_begin(u, r, h, head->content_length);
}

static void begin(struct request *r)
{
	struct put_object *state = r->state;
	struct object_headers h;
	if (!put_headers_length(r, LIMIT_OBJECT_BYTES))
		return;
	object_headers_init(&h);
	(void)start(r, state, &h);
	object_headers_release(&h);
}

static void data(struct request *r, struct slice piece)
{
	struct put_object *state = r->state;
	ingest_write(&state->upload, piece);
}

static void finish(struct request *r)
{
	struct put_object *state = r->state;
	ingest_finish(&state->upload);
}

static void release(struct request *r)
{
	struct put_object *state = r->state;
	ingest_release(&state->upload);
	callback_vars_release(&state->vars);
}

const struct op op_put_object = {
	.name = "PutObject",
	.method = HTTP_PUT,
	.level = OP_OBJECT,
	.access = OP_ACCESS_WRITE,
	.action = "oss:PutObject",
	.takes_callback = true,
	.body = OP_BODY_STREAM,
	.state_size = sizeof(struct put_object),
	.begin = begin,
	.data = data,
	.finish = finish,
	.release = release,
};
