/* SPDX-License-Identifier: Apache-2.0 */
#include "ops/access/open_object.h"

#include "ops/ops_internal.h"
#include "ops/respond.h"

struct open_object {
	struct request *r;
	struct store_get get;
	bool paused;
	void (*then)(struct request *r);
};

static void on_object_found(struct task *task)
{
	struct store_wait *wait = CONTAINER_OF(task, struct store_wait, task);
	struct store_get *get = CONTAINER_OF(wait, struct store_get, wait);
	struct open_object *state = CONTAINER_OF(get, struct open_object, get);
	struct request *r = state->r;
	bool found = wait->err == ERR_OK;
	bool open = found && get->object.acl == STORE_ACL_PUBLIC_READ_WRITE;
	if (found)
		store_get_release(r->ops->options.store, get);
	if (!open)
		respond_error(r,
			found || wait->err == ERR_NO_SUCH_KEY ? ERR_BUCKET_ACL_DENIED : wait->err);
	else if (!request_is_gone(r))
		state->then(r);
	if (state->paused && !request_is_gone(r))
		request_resume(r);
	request_release(r);
}

void open_object_look(struct request *r, void (*then)(struct request *r))
{
	struct open_object *state = arena_zalloc(&r->arena, sizeof(*state));
	if (!state) {
		respond_error(r, ERR_UNAVAILABLE);
		return;
	}
	state->r = r;
	state->then = then;
	state->get = (struct store_get){
		.wait = {.task.run = on_object_found, .home = r->home},
		.bucket_id = r->bucket->id,
		.key = r->address.key.text,
		.head_only = true,
	};
	request_hold(r);
	if (store_get(r->ops->options.store, &state->get) == STORE_DONE) {
		on_object_found(&state->get.wait.task);
		return;
	}
	state->paused = true;
	request_pause(r);
}
