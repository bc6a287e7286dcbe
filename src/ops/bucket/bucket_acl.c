/* SPDX-License-Identifier: Apache-2.0 */
/* PutBucketAcl and GetBucketAcl, /?acl: who may read and write what is in a bucket. */
#include "base/limits.h"
#include "ops/access/authorize.h"
#include "ops/arguments/elements.h"
#include "ops/arguments/require.h"
#include "ops/bucket/make_bucket.h"
#include "ops/respond.h"

/*
 * Without a bucket it is made, which is a second thing to be permitted; without an ACL nothing
 * changes (spec: REST API, corrections).
 */
static void put_begin(struct request *r)
{
	struct make_bucket *state = r->state;
	struct slice word = request_header(r, S("x-oss-acl"));
	state->has_acl = word.len > 0;
	if (!r->bucket && !authorize_bucket(r, "oss:PutBucket", r->address.bucket.text))
		return;
	if (state->has_acl)
		(void)require_bucket_acl(r, word, &state->acl);
}

static void put_finish(struct request *r)
{
	make_bucket_start(r->state, r);
}

static void get_begin(struct request *r)
{
	if (!require_bucket(r))
		return;
	SCOPED_STRBUF(xml, KIB(4));
	elements_add_acl(&xml, r->bucket->acl);
	respond_xml(r, &xml);
}

const struct op op_put_bucket_acl = {
	.name = "PutBucketAcl",
	.method = HTTP_PUT,
	.level = OP_BUCKET,
	.subresource = "acl",
	.access = OP_ACCESS_OWNER,
	.action = "oss:PutBucketAcl",
	.body = OP_BODY_NONE,
	.state_size = sizeof(struct make_bucket),
	.begin = put_begin,
	.finish = put_finish,
};

const struct op op_get_bucket_acl = {
	.name = "GetBucketAcl",
	.method = HTTP_GET,
	.level = OP_BUCKET,
	.subresource = "acl",
	.access = OP_ACCESS_OWNER,
	.action = "oss:GetBucketAcl",
	.body = OP_BODY_NONE,
	.begin = get_begin,
};
