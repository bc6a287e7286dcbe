/* SPDX-License-Identifier: Apache-2.0 */
/* DeleteObject: 204, also if there is no such object; or that version of it. */
#include "ops/arguments/version.h"
#include "ops/ops_internal.h"
#include "ops/respond.h"

struct delete_object {
	struct request *r;
	struct store_delete del;
};

/* Which version was made, a marker, or which one was deleted. */
static void add_version(struct request *r, const struct store_delete *del)
{
	const struct store_version *version = &del->version;
	if (del->made_marker)
		version_add_header(
			r, "x-oss-version-id", r->bucket, del->marker_is_null, del->marker);
	else if (version->is_null || version->number)
		version_add_header(
			r, "x-oss-version-id", r->bucket, version->is_null, version->number);
	if (del->made_marker || del->deleted_marker)
		respond_header(r, "x-oss-delete-marker", S("true"));
}

static void on_deleted(struct task *task)
{
	struct store_wait *wait = CONTAINER_OF(task, struct store_wait, task);
	struct store_delete *del = CONTAINER_OF(wait, struct store_delete, wait);
	struct request *r = CONTAINER_OF(del, struct delete_object, del)->r;
	if (wait->err != ERR_OK) {
		respond_error(r, wait->err);
	} else {
		add_version(r, del);
		respond(r, 204, NULL, S(""));
	}
	request_release(r);
}

static void finish(struct request *r)
{
	struct delete_object *state = r->state;
	state->r = r;
	state->del = (struct store_delete){
		.wait = {.task.run = on_deleted, .home = r->home},
		.bucket_id = r->bucket->id,
		.key = r->address.key.text,
		.caller = request_caller(r),
	};
	if (!version_of_request(r, &state->del.version))
		return;
	request_hold(r);
	store_delete(r->ops->options.store, &state->del);
}

const struct op op_delete_object = {
	.name = "DeleteObject",
	.method = HTTP_DELETE,
	.level = OP_OBJECT,
	.access = OP_ACCESS_WRITE,
	.action = "oss:DeleteObject",
	.version_action = "oss:DeleteObjectVersion",
	.body = OP_BODY_NONE,
	.state_size = sizeof(struct delete_object),
	.finish = finish,
};
