/* SPDX-License-Identifier: Apache-2.0 */
#include "ops/data/lookup.h"

#include "ops/access/authorize.h"
#include "ops/arguments/require.h"
#include "ops/arguments/version.h"
#include "ops/data/object_text.h"
#include "ops/data/symlink.h"
#include "ops/ops_internal.h"
#include "ops/respond.h"

/* Says that there is nothing to be had, or only a delete marker. */
static void refuse(struct lookup *lookup)
{
	struct request *r = lookup->r;
	const struct store_get *get = &lookup->get;
	if (lookup->followed) {
		respond_detail(r, "Key", get->key);
		respond_error(r, get->wait.err == ERR_NO_SUCH_KEY ? ERR_SYMLINK_TARGET_NOT_EXIST
								  : get->wait.err);
		return;
	}
	version_refuse(r, get->wait.err, lookup->what.bucket, get->key, lookup->what.version,
		&get->object);
}

static void follow(struct lookup *lookup);

static void looked_up(struct lookup *lookup)
{
	struct request *r = lookup->r;
	const struct store_bucket *bucket = lookup->what.bucket;
	enum store_acl acl = lookup->found ? lookup->get.object.acl : STORE_ACL_DEFAULT;
	if (request_is_gone(r))
		return;
	if (!request_may_read(r, bucket, acl) && !request_may_read(r, bucket, STORE_ACL_DEFAULT)) {
		/* Whether it exists is no business of theirs. */
		respond_error(r, ERR_BUCKET_ACL_DENIED);
	} else if (!lookup->found) {
		refuse(lookup);
	} else if (!request_may_read(r, bucket, acl)) {
		respond_error(r, ERR_ACCESS_DENIED);
	} else if (lookup->get.object.type != STORE_SYMLINK || !lookup->what.follow) {
		lookup->done(lookup);
	} else if (lookup->followed) {
		respond_error(r, ERR_INVALID_TARGET_TYPE);
	} else {
		follow(lookup);
	}
}

static void on_looked_up(struct task *task)
{
	struct store_wait *wait = CONTAINER_OF(task, struct store_wait, task);
	struct store_get *get = CONTAINER_OF(wait, struct store_get, wait);
	struct lookup *lookup = CONTAINER_OF(get, struct lookup, get);
	struct request *r = lookup->r;
	lookup->found = wait->err == ERR_OK;
	looked_up(lookup);
	request_release(r);
}

static void ask(struct lookup *lookup, struct slice key, struct store_version version)
{
	struct request *r = lookup->r;
	lookup->found = false;
	lookup->get = (struct store_get){
		.wait = {.task.run = on_looked_up, .home = r->home},
		.bucket_id = lookup->what.bucket->id,
		.key = key,
		.version = version,
		.head_only = lookup->what.head_only,
		.holder = request_holder(r),
	};
	request_hold(r);
	if (store_get(r->ops->options.store, &lookup->get) == STORE_DONE)
		on_looked_up(&lookup->get.wait.task);
}

/*
 * The link stays held, because it is reported. Permission to read it is not permission to read its
 * target.
 */
static void follow(struct lookup *lookup)
{
	struct slice target;
	lookup->link = lookup->get;
	lookup->followed = true;
	lookup->found = false;
	if (!symlink_target(&lookup->link.object, &lookup->r->arena, &target))
		respond_error(lookup->r, ERR_INTERNAL);
	else if (authorize_key(lookup->r, "oss:GetObject", lookup->what.bucket->name, target))
		ask(lookup, target, (struct store_version){.number = 0});
}

void lookup_start(struct lookup *lookup, struct request *r, const struct lookup_what *what,
	void (*done)(struct lookup *lookup))
{
	*lookup = (struct lookup){.r = r, .what = *what, .done = done};
	ask(lookup, what->key, what->version);
}

void lookup_again(struct lookup *lookup)
{
	struct lookup_what what = lookup->what;
	lookup_release(lookup);
	lookup_start(lookup, lookup->r, &what, lookup->done);
}

void lookup_start_here(struct lookup *lookup, struct request *r, bool head_only, bool follow_link,
	void (*done)(struct lookup *lookup))
{
	struct lookup_what what = {
		.bucket = r->bucket,
		.key = r->address.key.text,
		.head_only = head_only,
		.follow = follow_link,
	};
	if (require_bucket(r) && version_of_request(r, &what.version))
		lookup_start(lookup, r, &what, done);
}

void lookup_release(struct lookup *lookup)
{
	if (lookup->followed)
		store_get_release(lookup->r->ops->options.store, &lookup->link);
	if (lookup->found)
		store_get_release(lookup->r->ops->options.store, &lookup->get);
}

const struct store_object *lookup_reported(const struct lookup *lookup)
{
	return lookup->followed ? &lookup->link.object : &lookup->get.object;
}

int64_t lookup_modified_ms(const struct lookup *lookup)
{
	int64_t object = lookup->get.object.modified_ms;
	int64_t reported = lookup_reported(lookup)->modified_ms;
	return object > reported ? object : reported;
}

void lookup_add_etag(const struct lookup *lookup, struct strbuf *out)
{
	object_etag_add(out, &lookup->get.object);
}

bool lookup_condition_holds(struct request *r, enum conditional_result result, const char *name)
{
	switch (result) {
	case CONDITIONAL_PROCEED:
		return true;
	case CONDITIONAL_NOT_MODIFIED:
		respond_error(r, ERR_NOT_MODIFIED);
		break;
	case CONDITIONAL_FAILED:
		respond_detail(r, "Condition", slice_str(name));
		respond_error(r, ERR_PRECONDITION_FAILED);
		break;
	}
	return false;
}
