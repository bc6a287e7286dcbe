/* SPDX-License-Identifier: Apache-2.0 */
#include "ops/lookup.h"

#include "ops/object_text.h"
#include "ops/ops_internal.h"
#include "ops/respond.h"

static void looked_up(struct lookup *lookup)
{
	struct request *r = lookup->r;
	const struct store_get *get = &lookup->get;
	enum store_acl acl = lookup->found ? get->object.acl : STORE_ACL_DEFAULT;
	if (!r->x)
		return;
	if (!request_may_read(r, lookup->bucket, acl) &&
		!request_may_read(r, lookup->bucket, STORE_ACL_DEFAULT)) {
		/* Whether it exists is no business of theirs. */
		respond_error(r, ERR_BUCKET_ACL_DENIED);
	} else if (!lookup->found) {
		respond_detail(r, "Key", get->key);
		respond_error(r, get->wait.err);
	} else if (!request_may_read(r, lookup->bucket, acl)) {
		respond_error(r, ERR_ACCESS_DENIED);
	} else {
		lookup->done(lookup);
	}
}

static void came_back(struct task *task)
{
	struct store_wait *wait = CONTAINER_OF(task, struct store_wait, task);
	struct store_get *get = CONTAINER_OF(wait, struct store_get, wait);
	struct lookup *lookup = CONTAINER_OF(get, struct lookup, get);
	struct request *r = lookup->r;
	lookup->found = wait->err == ERR_OK;
	looked_up(lookup);
	request_release(r);
}

void lookup_start(struct lookup *lookup, struct request *r, const struct store_bucket *bucket,
	struct slice key, bool head_only, void (*done)(struct lookup *lookup))
{
	*lookup = (struct lookup){.r = r, .bucket = bucket, .done = done};
	lookup->get = (struct store_get){
		.wait = {.task.run = came_back, .home = r->home},
		.bucket_id = bucket->id,
		.key = key,
		.head_only = head_only,
	};
	request_hold(r);
	if (store_get(r->ops->options.store, &lookup->get) == STORE_DONE)
		came_back(&lookup->get.wait.task);
}

void lookup_release(struct lookup *lookup)
{
	if (lookup->found)
		store_get_release(lookup->r->ops->options.store, &lookup->get);
}

void lookup_add_etag(const struct lookup *lookup, struct strbuf *out)
{
	object_etag_add(out, &lookup->get.object);
}
