/* SPDX-License-Identifier: Apache-2.0 */
/*
 * PutBucketVersioning and GetBucketVersioning, /?versioning: whether a bucket keeps the versions of
 * its objects. Once it has begun it can only be suspended.
 */
#include "base/limits.h"
#include "ops/arguments/require.h"
#include "ops/bucket/versioning_document.h"
#include "ops/ops_internal.h"
#include "ops/respond.h"
#include "oss/text/xml.h"

enum {
	MAX_BODY = 4096
};

struct put_bucket_versioning {
	struct request *r;
	struct store_bucket_update change;
};

static void on_changed(struct task *task)
{
	struct store_wait *wait = CONTAINER_OF(task, struct store_wait, task);
	struct store_bucket_update *change = CONTAINER_OF(wait, struct store_bucket_update, wait);
	struct request *r = CONTAINER_OF(change, struct put_bucket_versioning, change)->r;
	if (wait->err != ERR_OK)
		respond_error(r, wait->err);
	else
		respond(r, 200, NULL, S(""));
	request_release(r);
}

static void put_begin(struct request *r)
{
	struct put_bucket_versioning *state = r->state;
	state->r = r;
	state->change = (struct store_bucket_update){
		.wait = {.task.run = on_changed, .home = r->home},
		.name = r->address.bucket.text,
		.set_versioning = true,
	};
	(void)require_bucket(r);
}

static void put_finish(struct request *r)
{
	struct put_bucket_versioning *state = r->state;
	SCOPED_STRBUF(reason, 512);
	if (!require_digest(r))
		return;
	enum err e = versioning_document_read(
		strbuf_slice(&r->body), &state->change.versioning, &reason);
	if (e != ERR_OK) {
		respond_error_text(r, e, "%s", reason.ptr);
		return;
	}
	request_hold(r);
	store_bucket_update(r->ops->options.store, &state->change);
}

static void get_begin(struct request *r)
{
	if (!require_bucket(r))
		return;
	SCOPED_STRBUF(xml, KIB(1));
	strbuf_adds(&xml, XML_PROLOG);
	xml_open(&xml, "VersioningConfiguration");
	if (r->bucket->versioning != STORE_UNVERSIONED)
		xml_element(&xml, "Status",
			r->bucket->versioning == STORE_VERSIONED ? S("Enabled") : S("Suspended"));
	xml_close(&xml, "VersioningConfiguration");
	respond_xml(r, &xml);
}

const struct op op_put_bucket_versioning = {
	.name = "PutBucketVersioning",
	.method = HTTP_PUT,
	.level = OP_BUCKET,
	.subresource = "versioning",
	.access = OP_ACCESS_OWNER,
	.action = "oss:PutBucketVersioning",
	.body = OP_BODY_WHOLE,
	.max_body = MAX_BODY,
	.state_size = sizeof(struct put_bucket_versioning),
	.begin = put_begin,
	.finish = put_finish,
};

const struct op op_get_bucket_versioning = {
	.name = "GetBucketVersioning",
	.method = HTTP_GET,
	.level = OP_BUCKET,
	.subresource = "versioning",
	.access = OP_ACCESS_OWNER,
	.action = "oss:GetBucketVersioning",
	.body = OP_BODY_NONE,
	.begin = get_begin,
};
