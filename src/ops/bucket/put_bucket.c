/* SPDX-License-Identifier: Apache-2.0 */
/* PutBucket: PUT / on a bucket. Creating what is there already succeeds and may change its ACL. */
#include "base/limits.h"
#include "ops/arguments/elements.h"
#include "ops/arguments/require.h"
#include "ops/bucket/bucket_document.h"
#include "ops/bucket/make_bucket.h"
#include "ops/respond.h"

static void begin(struct request *r)
{
	struct make_bucket *state = r->state;
	struct slice acl = request_header(r, S("x-oss-acl"));
	state->r = r;
	state->has_acl = acl.len > 0;
	if (state->has_acl)
		(void)require_bucket_acl(r, acl, &state->acl);
}

/* Reads the optional document. False: it was answered. */
static bool read_configuration(struct request *r)
{
	struct make_bucket *state = r->state;
	SCOPED_STRBUF(reason, 512);
	SCOPED_STRBUF(location, 256);
	if (r->body.len == 0)
		return true;
	elements_add_location(&location, r);
	struct bucket_document asked = {.location = strbuf_slice(&location), .arena = &r->arena};
	enum err e = bucket_document_read(&asked, strbuf_slice(&r->body), &reason);
	if (e != ERR_OK)
		respond_error_text(r, e, "%s", reason.ptr);
	state->storage_class = asked.storage_class;
	return e == ERR_OK;
}

static void finish(struct request *r)
{
	if (read_configuration(r))
		make_bucket_start(r->state, r);
}

const struct op op_put_bucket = {
	.name = "PutBucket",
	.method = HTTP_PUT,
	.level = OP_BUCKET,
	.access = OP_ACCESS_OWNER,
	.action = "oss:PutBucket",
	.body = OP_BODY_WHOLE,
	.max_body = LIMIT_CORS_BODY_BYTES,
	.state_size = sizeof(struct make_bucket),
	.begin = begin,
	.finish = finish,
};
