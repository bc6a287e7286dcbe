/* SPDX-License-Identifier: Apache-2.0 */
/* DeleteBucket: 204; 409 while anything is in it. */
#include "ops/ops_internal.h"
#include "ops/respond.h"

struct delete_bucket {
	struct request *r;
	struct store_bucket_delete del;
};

static void on_deleted(struct task *task)
{
	struct store_wait *wait = CONTAINER_OF(task, struct store_wait, task);
	struct store_bucket_delete *del = CONTAINER_OF(wait, struct store_bucket_delete, wait);
	struct request *r = CONTAINER_OF(del, struct delete_bucket, del)->r;
	if (wait->err != ERR_OK) {
		respond_detail(r, "BucketName", del->name);
		respond_error(r, wait->err);
	} else {
		respond(r, 204, NULL, S(""));
	}
	request_release(r);
}

static void finish(struct request *r)
{
	struct delete_bucket *state = r->state;
	state->r = r;
	state->del = (struct store_bucket_delete){
		.wait = {.task.run = on_deleted, .home = r->home},
		.name = r->address.bucket.text,
	};
	request_hold(r);
	store_bucket_delete(r->ops->options.store, &state->del);
}

const struct op op_delete_bucket = {
	.name = "DeleteBucket",
	.method = HTTP_DELETE,
	.level = OP_BUCKET,
	.access = OP_ACCESS_OWNER,
	.action = "oss:DeleteBucket",
	.body = OP_BODY_NONE,
	.state_size = sizeof(struct delete_bucket),
	.finish = finish,
};
