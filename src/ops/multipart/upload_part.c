/* SPDX-License-Identifier: Apache-2.0 */
/* UploadPart: PUT /key?partNumber=N&uploadId=U, the body is the part (spec: REST API section 7). */
#include "base/limits.h"
#include "ops/data/put_headers.h"
#include "ops/multipart/upload_id.h"
#include "ops/respond.h"

static void answer(struct request *r, struct ingest *u UNUSED)
{
	respond(r, 200, NULL, S(""));
}

static bool start(struct request *r, struct ingest *u)
{
	return upload_part_of_request(r, &u->spec.part) &&
	       upload_id_of_request(r, &u->spec.upload) && put_headers_length(r, u->max_size) &&
	       put_headers_digest(r, u) && ingest_begin(u, r, NULL, r->head->content_length);
}

static void begin(struct request *r)
{
	struct ingest *u = r->state;
	u->spec.kind = STORE_PUT_PART;
	u->max_size = LIMIT_PART_BYTES;
	u->answer = answer;
	(void)start(r, u);
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

const struct op op_upload_part = {
	.name = "UploadPart",
	.method = HTTP_PUT,
	.level = OP_OBJECT,
	.subresource = "partNumber",
	.access = OP_ACCESS_WRITE,
	.action = "oss:PutObject",
	.body = OP_BODY_STREAM,
	.state_size = sizeof(struct ingest),
	.begin = begin,
	.data = data,
	.finish = finish,
	.release = release,
};
