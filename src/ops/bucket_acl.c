/* SPDX-License-Identifier: Apache-2.0 */
/* GetBucketAcl, GET /?acl: who may read and write what is in a bucket. */
#include "base/limits.h"
#include "ops/elements.h"
#include "ops/require.h"
#include "ops/respond.h"

static void get_begin(struct request *r)
{
	if (!require_bucket(r))
		return;
	SCOPED_STRBUF(xml, KIB(4));
	elements_add_acl(&xml, r->bucket->acl);
	respond_xml(r, &xml);
}

extern const struct op op_get_bucket_acl;
const struct op op_get_bucket_acl = {
	.name = "GetBucketAcl",
	.method = HTTP_GET,
	.level = OP_BUCKET,
	.subresource = "acl",
	.access = OP_ACCESS_OWNER,
	.action = "oss:GetBucketAcl",
	.body = OP_BODY_NONE,
	.begin = get_begin,
};
