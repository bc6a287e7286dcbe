/* SPDX-License-Identifier: Apache-2.0 */
/* GetObjectAcl, /key?acl: the ACL that the object was stored with. */
#include "base/limits.h"
#include "ops/elements.h"
#include "ops/lookup.h"
#include "ops/require.h"
#include "ops/respond.h"

static void answer(struct lookup *lookup)
{
	SCOPED_STRBUF(xml, KIB(4));
	elements_add_acl(&xml, lookup->get.object.acl);
	respond_xml(lookup->r, &xml);
}

static void finish(struct request *r)
{
	if (require_bucket(r))
		lookup_start(r->state, r, r->bucket, r->address.key.text, true, answer);
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
	.body = OP_BODY_NONE,
	.state_size = sizeof(struct lookup),
	.finish = finish,
	.release = release,
};
