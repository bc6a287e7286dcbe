/* SPDX-License-Identifier: Apache-2.0 */
/* PutObjectAcl and GetObjectAcl, /key?acl: who may read and write an object. */
#include "base/limits.h"
#include "ops/arguments/elements.h"
#include "ops/arguments/require.h"
#include "ops/arguments/version.h"
#include "ops/data/lookup.h"
#include "ops/object/metadata_update.h"
#include "ops/respond.h"

static void put_begin(struct request *r)
{
	struct metadata_update *state = r->state;
	struct slice word;
	if (require_bucket(r) && require_header(r, "x-oss-object-acl", &word))
		state->change.set_acl = require_object_acl(r, word, &state->change.acl);
}

static void put_finish(struct request *r)
{
	metadata_update_start(r->state, r, 200);
}

static void get_answer(struct lookup *lookup)
{
	SCOPED_STRBUF(xml, KIB(4));
	elements_add_acl(&xml, lookup->get.object.acl);
	version_add_headers(lookup->r, lookup->what.bucket, &lookup->get.object);
	respond_xml(lookup->r, &xml);
}

static void get_finish(struct request *r)
{
	lookup_start_here(r->state, r, true, false, get_answer);
}

static void get_release(struct request *r)
{
	lookup_release(r->state);
}

const struct op op_put_object_acl = {
	.name = "PutObjectAcl",
	.method = HTTP_PUT,
	.level = OP_OBJECT,
	.subresource = "acl",
	.access = OP_ACCESS_OWNER,
	.action = "oss:PutObjectAcl",
	.version_action = "oss:PutObjectVersionAcl",
	.body = OP_BODY_NONE,
	.state_size = sizeof(struct metadata_update),
	.begin = put_begin,
	.finish = put_finish,
};

const struct op op_get_object_acl = {
	.name = "GetObjectAcl",
	.method = HTTP_GET,
	.level = OP_OBJECT,
	.subresource = "acl",
	.access = OP_ACCESS_OWNER,
	.action = "oss:GetObjectAcl",
	.version_action = "oss:GetObjectVersionAcl",
	.body = OP_BODY_NONE,
	.state_size = sizeof(struct lookup),
	.finish = get_finish,
	.release = get_release,
};
