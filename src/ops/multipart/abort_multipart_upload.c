/* SPDX-License-Identifier: Apache-2.0 */
/* AbortMultipartUpload: DELETE /key?uploadId=U (spec: REST API section 7). */
#include "ops/multipart/upload_id.h"
#include "ops/ops_internal.h"
#include "ops/respond.h"

struct abort_upload {
	struct request *r;
	struct store_multipart_abort abort;
};

static void on_aborted(struct task *task)
{
	struct store_wait *wait = CONTAINER_OF(task, struct store_wait, task);
	struct store_multipart_abort *call = CONTAINER_OF(wait, struct store_multipart_abort, wait);
	struct request *r = CONTAINER_OF(call, struct abort_upload, abort)->r;
	if (wait->err == ERR_OK)
		respond(r, 204, NULL, S(""));
	else
		upload_id_refuse(r, wait->err);
	request_release(r);
}

static void finish(struct request *r)
{
	struct abort_upload *state = r->state;
	struct store_multipart_abort *call = &state->abort;
	state->r = r;
	if (!upload_id_of_request(r, &call->upload))
		return;
	call->wait = (struct store_wait){.task.run = on_aborted, .home = r->home};
	call->bucket_id = r->bucket->id;
	call->key = r->address.key.text;
	request_hold(r);
	store_multipart_abort(r->ops->options.store, call);
}

const struct op op_abort_multipart_upload = {
	.name = "AbortMultipartUpload",
	.method = HTTP_DELETE,
	.level = OP_OBJECT,
	.subresource = "uploadId",
	.access = OP_ACCESS_WRITE,
	.action = "oss:AbortMultipartUpload",
	.body = OP_BODY_NONE,
	.state_size = sizeof(struct abort_upload),
	.finish = finish,
};
