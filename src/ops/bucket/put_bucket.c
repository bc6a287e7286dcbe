/* SPDX-License-Identifier: Apache-2.0 */
/* PutBucket: PUT / on a bucket. Creating what is there already succeeds and may change its ACL. */
#include "base/limits.h"
#include "ops/arguments/elements.h"
#include "ops/arguments/require.h"
#include "ops/bucket/make_bucket.h"
#include "ops/respond.h"
#include "oss/storage_class.h"
#include "oss/text/xml.h"

static void begin(struct request *r)
{
	struct make_bucket *state = r->state;
	struct slice acl = request_header(r, S("x-oss-acl"));
	state->r = r;
	state->has_acl = acl.len > 0;
	if (state->has_acl)
		(void)require_bucket_acl(r, acl, &state->acl);
}

static enum err storage_class(void *ctx, struct slice text, struct strbuf *reason)
{
	struct make_bucket *state = ctx;
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

/* The region that GetBucketLocation tells; Java's SDK sends it, and others its name alone. */
static enum err location(void *ctx, struct slice text, struct strbuf *reason)
{
	const struct make_bucket *state = ctx;
	struct slice word = xml_trim(text);
	SCOPED_STRBUF(own, 256);
	elements_add_location(&own, state->r);
	if (slice_eq(word, strbuf_slice(&own)) ||
		slice_eq(word, slice_from(strbuf_slice(&own), strlen("oss-"))))
		return ERR_OK;
	strbuf_addf(reason, "The LocationConstraint is not valid: this store is in %s.", own.ptr);
	return ERR_INVALID_LOCATION;
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
	struct make_bucket *state = r->state;
	if (r->body.len == 0)
		return true;
	SCOPED_STRBUF(reason, 512);
	enum err e =
		xml_read(strbuf_slice(&r->body), elements, ARRAY_LEN(elements), state, &reason);
	if (e != ERR_OK)
		respond_error_text(r, e, "%s", reason.ptr);
	return e == ERR_OK;
}

static void finish(struct request *r)
{
	if (read_configuration(r))
		make_bucket_start(r->state, r);
}

const struct op op_put_bucket = {
	.name = "PutBucket",
	.method = HTTP_PUT,
	.level = OP_BUCKET,
	.access = OP_ACCESS_OWNER,
	.action = "oss:PutBucket",
	.body = OP_BODY_WHOLE,
	.max_body = LIMIT_CORS_BODY_BYTES,
	.state_size = sizeof(struct make_bucket),
	.begin = begin,
	.finish = finish,
};
