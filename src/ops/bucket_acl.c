/* SPDX-License-Identifier: Apache-2.0 */
/* PutBucketAcl and GetBucketAcl, /?acl: who may read and write what is in a bucket. */
#include "base/limits.h"
#include "ops/elements.h"
#include "ops/ops_internal.h"
#include "ops/require.h"
#include "ops/respond.h"

struct put_bucket_acl {
	struct request *r;
	struct store_bucket_change change;
};

static void changed(struct task *task)
{
	struct store_wait *wait = CONTAINER_OF(task, struct store_wait, task);
	struct store_bucket_change *change = CONTAINER_OF(wait, struct store_bucket_change, wait);
	struct request *r = CONTAINER_OF(change, struct put_bucket_acl, change)->r;
	if (wait->err != ERR_OK)
		respond_error(r, wait->err);
	else
		respond(r, 200, NULL, S(""));
	request_release(r);
}

static void put_begin(struct request *r)
{
	struct put_bucket_acl *state = r->state;
	struct slice word = request_header(r, S("x-oss-acl"));
	state->r = r;
	state->change = (struct store_bucket_change){
		.wait = {.task.run = changed, .home = r->home},
		.name = r->address.bucket.text,
		.set_acl = true,
	};
	if (!require_bucket(r))
		return;
	if (!word.ptr) {
		respond_detail(r, "ArgumentName", S("x-oss-acl"));
		respond_error_text(r, ERR_MISSING_ARGUMENT, "The x-oss-acl header is missing.");
		return;
	}
	(void)require_bucket_acl(r, word, &state->change.acl);
}

static void put_finish(struct request *r)
{
	struct put_bucket_acl *state = r->state;
	request_hold(r);
	store_bucket_change(r->ops->options.store, &state->change);
}

static void get_begin(struct request *r)
{
	if (!require_bucket(r))
		return;
	SCOPED_STRBUF(xml, KIB(4));
	elements_add_acl(&xml, r->bucket->acl);
	respond_xml(r, &xml);
}

extern const struct op op_put_bucket_acl;
const struct op op_put_bucket_acl = {
	.name = "PutBucketAcl",
	.method = HTTP_PUT,
	.level = OP_BUCKET,
	.subresource = "acl",
	.access = OP_ACCESS_OWNER,
	.action = "oss:PutBucketAcl",
	.body = OP_BODY_NONE,
	.state_size = sizeof(struct put_bucket_acl),
	.begin = put_begin,
	.finish = put_finish,
};

extern const struct op op_get_bucket_acl;
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
