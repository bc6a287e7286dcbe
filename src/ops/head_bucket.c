/* SPDX-License-Identifier: Apache-2.0 */
/* HeadBucket, HEAD /bucket: whether there is one that the caller may see, and its region. */
#include "ops/elements.h"
#include "ops/respond.h"

static void begin(struct request *r)
{
	respond_header(r, "x-oss-bucket-region", elements_region(r));
	respond(r, 200, NULL, S(""));
}

extern const struct op op_head_bucket;
const struct op op_head_bucket = {
	.name = "HeadBucket",
	.method = HTTP_HEAD,
	.level = OP_BUCKET,
	.access = OP_ACCESS_READ,
	.action = "oss:GetBucketInfo",
	.body = OP_BODY_NONE,
	.begin = begin,
};
