/* SPDX-License-Identifier: Apache-2.0 */
#include "ops/object/object_change.h"

#include "ops/arguments/require.h"
#include "ops/arguments/version.h"
#include "ops/ops_internal.h"
#include "ops/respond.h"

static void changed(struct task *task)
{
	struct store_wait *wait = CONTAINER_OF(task, struct store_wait, task);
	struct store_object_change *change = CONTAINER_OF(wait, struct store_object_change, wait);
	struct object_change *state = CONTAINER_OF(change, struct object_change, change);
	struct request *r = state->r;
	if (wait->err == ERR_OK) {
		version_add_headers(r, r->bucket, &change->object);
		respond(r, state->status, NULL, S(""));
	} else {
		version_refuse(
			r, wait->err, r->bucket, change->key, change->version, &change->object);
	}
	request_release(r);
}

void object_change_start(struct object_change *change, struct request *r, int status)
{
	if (!require_bucket(r) || !version_of_request(r, &change->change.version))
		return;
	change->r = r;
	change->status = status;
	change->change.wait = (struct store_wait){.task.run = changed, .home = r->home};
	change->change.bucket_id = r->bucket->id;
	change->change.key = r->address.key.text;
	request_hold(r);
	store_object_change(r->ops->options.store, &change->change);
}
