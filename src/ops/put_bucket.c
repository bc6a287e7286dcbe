/* SPDX-License-Identifier: Apache-2.0 */
/*
 * PutBucket: PUT / on a bucket. Creating what is there already succeeds and may change its ACL.
 * PutBucketAcl, PUT /?acl, is the same without a document: OSS makes the bucket if it is missing.
 */
#include "base/limits.h"
#include "ops/elements.h"
#include "ops/ops_internal.h"
#include "ops/require.h"
#include "ops/respond.h"
#include "oss/storage_class.h"
#include "oss/xml.h"

struct put_bucket {
	struct request *r;
	bool has_acl;
	enum store_acl acl;
	struct slice storage_class; /* in the body; empty: none was given */
	struct store_bucket_create create;
	struct store_bucket_change change;
};

static void done(struct request *r, enum err e)
{
	struct put_bucket *state = r->state;
	SCOPED_STRBUF(location, 128);
	strbuf_addf(&location, "/%.*s", SLICE_FMT(state->create.name));
	if (e != ERR_OK) {
		respond_error(r, e);
	} else {
		respond_header(r, "Location", strbuf_slice(&location));
		respond(r, 200, NULL, S(""));
	}
	request_release(r);
}

static bool fits_bucket(struct request *r);
static void make_or_change(struct request *r);

static void created(struct task *task)
{
	struct store_wait *wait = CONTAINER_OF(task, struct store_wait, task);
	struct store_bucket_create *create = CONTAINER_OF(wait, struct store_bucket_create, wait);
	struct request *r = CONTAINER_OF(create, struct put_bucket, create)->r;
	if (wait->err == ERR_BUCKET_ALREADY_EXISTS)
		r->bucket = store_bucket_get(r->ops->options.store, create->name);
	if (!r->bucket) {
		done(r, wait->err);
		return;
	}
	/* Another request of the owner was quicker. */
	if (fits_bucket(r))
		make_or_change(r);
	request_release(r);
}

static void changed(struct task *task)
{
	struct store_wait *wait = CONTAINER_OF(task, struct store_wait, task);
	struct store_bucket_change *change = CONTAINER_OF(wait, struct store_bucket_change, wait);
	struct request *r = CONTAINER_OF(change, struct put_bucket, change)->r;
	done(r, wait->err);
}

static void begin(struct request *r)
{
	struct put_bucket *state = r->state;
	struct slice acl = request_header(r, S("x-oss-acl"));
	state->r = r;
	state->acl = STORE_ACL_PRIVATE;
	state->has_acl = acl.len > 0;
	if (state->has_acl)
		(void)require_bucket_acl(r, acl, &state->acl);
}

static enum err storage_class(void *ctx, struct slice text, struct strbuf *reason)
{
	struct put_bucket *state = ctx;
	/* The text lives for this call alone. */
	state->storage_class = arena_copy(&state->r->arena, xml_trim(text));
	if (!state->storage_class.ptr)
		return ERR_UNAVAILABLE;
	if (storage_class_is_known(state->storage_class))
		return ERR_OK;
	strbuf_adds(reason, "The StorageClass must be " STORAGE_CLASS_NAMES ".");
	return ERR_INVALID_ARGUMENT;
}

static enum err redundancy(void *ctx, struct slice text, struct strbuf *reason)
{
	(void)ctx;
	if (slice_eq(xml_trim(text), S("LRS")))
		return ERR_OK;
	strbuf_adds(reason, "Buckets of this store have the redundancy type LRS.");
	return ERR_NOT_IMPLEMENTED;
}

/* "oss-cn-hangzhou", or the region alone. */
static enum err location(void *ctx, struct slice text, struct strbuf *reason UNUSED)
{
	const struct put_bucket *state = ctx;
	struct slice region = xml_trim(text);
	if (slice_starts(region, S("oss-")))
		region = slice_from(region, 4);
	return slice_eq(region, elements_region(state->r)) ? ERR_OK : ERR_INVALID_LOCATION;
}

/* Reads the optional document. False: it was answered. */
static bool read_configuration(struct request *r)
{
	static const struct xml_element elements[] = {
		{.path = "/CreateBucketConfiguration"},
		{.path = "/CreateBucketConfiguration/StorageClass", .text = storage_class},
		{.path = "/CreateBucketConfiguration/DataRedundancyType", .text = redundancy},
		{.path = "/CreateBucketConfiguration/LocationConstraint", .text = location},
	};
	struct put_bucket *state = r->state;
	if (r->body.len == 0)
		return true;
	SCOPED_STRBUF(reason, 512);
	enum err e =
		xml_read(strbuf_slice(&r->body), elements, ARRAY_LEN(elements), state, &reason);
	if (e != ERR_OK)
		respond_error_text(r, e, "%s", reason.ptr);
	return e == ERR_OK;
}

/* Whether the bucket, if there is one, can be what is asked for. False: it was answered. */
static bool fits_bucket(struct request *r)
{
	const struct put_bucket *state = r->state;
	if (!r->bucket || !state->storage_class.len ||
		slice_eq(state->storage_class, elements_storage_class(r->bucket)))
		return true;
	respond_error_text(r, ERR_BUCKET_ALREADY_EXISTS,
		"The bucket exists, and its storage class can not be changed.");
	return false;
}

static void make_or_change(struct request *r)
{
	struct put_bucket *state = r->state;
	struct slice name = r->address.bucket.text;
	struct store *store = r->ops->options.store;
	state->create.name = name;
	request_hold(r);
	if (r->bucket && !state->has_acl) {
		done(r, ERR_OK);
	} else if (r->bucket) {
		state->change = (struct store_bucket_change){
			.wait = {.task.run = changed, .home = r->home},
			.name = name,
			.set_acl = true,
			.acl = state->acl,
		};
		store_bucket_change(store, &state->change);
	} else {
		state->create = (struct store_bucket_create){
			.wait = {.task.run = created, .home = r->home},
			.name = name,
			.acl = state->acl,
			.storage_class = state->storage_class,
		};
		store_bucket_create(store, &state->create);
	}
}

static void finish(struct request *r)
{
	if (read_configuration(r) && fits_bucket(r))
		make_or_change(r);
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
	.state_size = sizeof(struct put_bucket),
	.begin = begin,
	.finish = finish,
};

extern const struct op op_put_bucket;
const struct op op_put_bucket = {
	.name = "PutBucket",
	.method = HTTP_PUT,
	.level = OP_BUCKET,
	.access = OP_ACCESS_OWNER,
	.action = "oss:PutBucket",
	.body = OP_BODY_WHOLE,
	.max_body = LIMIT_CORS_BODY_BYTES,
	.state_size = sizeof(struct put_bucket),
	.begin = begin,
	.finish = finish,
};
