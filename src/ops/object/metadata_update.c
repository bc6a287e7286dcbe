/* SPDX-License-Identifier: Apache-2.0 */
#include "ops/object/metadata_update.h"

#include "ops/arguments/require.h"
#include "ops/arguments/version.h"
#include "ops/ops_internal.h"
#include "ops/respond.h"

static void on_changed(struct task *task)
{
	struct store_wait *wait = CONTAINER_OF(task, struct store_wait, task);
	struct store_metadata_update *change =
		CONTAINER_OF(wait, struct store_metadata_update, wait);
	struct metadata_update *state = CONTAINER_OF(change, struct metadata_update, change);
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

void metadata_update_start(struct metadata_update *change, struct request *r, int status)
{
	if (!require_bucket(r) || !version_of_request(r, &change->change.version))
		return;
	change->r = r;
	change->status = status;
	change->change.wait = (struct store_wait){.task.run = on_changed, .home = r->home};
	change->change.bucket_id = r->bucket->id;
	change->change.key = r->address.key.text;
	request_hold(r);
	store_metadata_update(r->ops->options.store, &change->change);
}
