/* SPDX-License-Identifier: Apache-2.0 */
#include "ops/bucket/make_bucket.h"

#include "ops/arguments/elements.h"
#include "ops/ops_internal.h"
#include "ops/respond.h"

static void go(struct make_bucket *make);

static void made(struct make_bucket *make)
{
	SCOPED_STRBUF(location, 128);
	strbuf_addf(&location, "/%.*s", SLICE_FMT(make->r->address.bucket.text));
	respond_built_header(make->r, "Location", &location);
	respond(make->r, 200, NULL, S(""));
}

/* Looks again: somebody else has made or deleted it meanwhile. */
static void again(struct make_bucket *make)
{
	struct request *r = make->r;
	struct store *store = r->ops->options.store;
	if (r->bucket)
		store_bucket_unref(store, r->bucket);
	r->bucket = store_bucket_get(store, r->address.bucket.text);
	go(make);
}

static void on_created(struct task *task)
{
	struct store_wait *wait = CONTAINER_OF(task, struct store_wait, task);
	struct store_bucket_create *create = CONTAINER_OF(wait, struct store_bucket_create, wait);
	struct make_bucket *make = CONTAINER_OF(create, struct make_bucket, create);
	struct request *r = make->r;
	if (wait->err == ERR_OK)
		made(make);
	else if (wait->err == ERR_BUCKET_ALREADY_EXISTS)
		again(make);
	else
		respond_error(r, wait->err);
	request_release(r);
}

static void on_changed(struct task *task)
{
	struct store_wait *wait = CONTAINER_OF(task, struct store_wait, task);
	struct store_bucket_update *change = CONTAINER_OF(wait, struct store_bucket_update, wait);
	struct make_bucket *make = CONTAINER_OF(change, struct make_bucket, change);
	struct request *r = make->r;
	if (wait->err == ERR_OK)
		made(make);
	else if (wait->err == ERR_NO_SUCH_BUCKET)
		again(make);
	else
		respond_error(r, wait->err);
	request_release(r);
}

static void create(struct make_bucket *make)
{
	struct request *r = make->r;
	make->create = (struct store_bucket_create){
		.wait = {.task.run = on_created, .home = r->home},
		.name = r->address.bucket.text,
		.acl = make->has_acl ? make->acl : STORE_ACL_PRIVATE,
		.storage_class = make->storage_class,
	};
	request_hold(r);
	store_bucket_create(r->ops->options.store, &make->create);
}

static void change_acl(struct make_bucket *make)
{
	struct request *r = make->r;
	make->change = (struct store_bucket_update){
		.wait = {.task.run = on_changed, .home = r->home},
		.name = r->address.bucket.text,
		.set_acl = true,
		.acl = make->acl,
	};
	request_hold(r);
	store_bucket_update(r->ops->options.store, &make->change);
}

static void go(struct make_bucket *make)
{
	const struct store_bucket *bucket = make->r->bucket;
	if (!bucket)
		create(make);
	else if (make->storage_class.len &&
		 !slice_eq(make->storage_class, elements_storage_class(bucket)))
		respond_error_text(make->r, ERR_BUCKET_ALREADY_EXISTS,
			"The bucket exists, and its storage class cannot be changed.");
	else if (make->has_acl)
		change_acl(make);
	else
		made(make);
}

void make_bucket_start(struct make_bucket *make, struct request *r)
{
	make->r = r;
	go(make);
}
