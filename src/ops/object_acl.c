/* SPDX-License-Identifier: Apache-2.0 */
/* GetObjectAcl, /key?acl: the ACL that the object was stored with. */
#include "base/limits.h"
#include "ops/elements.h"
#include "ops/lookup.h"
#include "ops/respond.h"
#include "ops/version.h"

static void answer(struct lookup *lookup)
{
	SCOPED_STRBUF(xml, KIB(4));
	elements_add_acl(&xml, lookup->get.object.acl);
	version_add_headers(lookup->r, lookup->what.bucket, &lookup->get.object);
	respond_xml(lookup->r, &xml);
}

static void finish(struct request *r)
{
	lookup_start_here(r->state, r, true, false, answer);
}

static void release(struct request *r)
{
	lookup_release(r->state);
}

extern const struct op op_get_object_acl;
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
	.finish = finish,
	.release = release,
};
