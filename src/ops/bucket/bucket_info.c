/* SPDX-License-Identifier: Apache-2.0 */
/*
 * GetBucketInfo, /?bucketInfo, GetBucketLocation, /?location, and HEAD of a bucket: what it is.
 */
#include "base/limits.h"
#include "ops/arguments/elements.h"
#include "ops/arguments/require.h"
#include "ops/respond.h"
#include "oss/acl.h"
#include "oss/text/xml.h"

static void info_begin(struct request *r)
{
	if (!require_bucket(r))
		return;
	SCOPED_STRBUF(xml, KIB(16));
	strbuf_adds(&xml, XML_PROLOG "<BucketInfo><Bucket>");
	elements_add_bucket(&xml, r, r->bucket);
	elements_add_owner(&xml);
	xml_open(&xml, "AccessControlList");
	xml_element(&xml, "Grant", slice_str(acl_word((enum acl)r->bucket->acl)));
	xml_close(&xml, "AccessControlList");
	if (r->bucket->versioning != STORE_UNVERSIONED)
		xml_element(&xml, "Versioning",
			r->bucket->versioning == STORE_VERSIONED ? S("Enabled") : S("Suspended"));
	/* Features that this store does not have; clients expect the elements. */
	strbuf_adds(&xml,
		"<Comment></Comment><DataRedundancyType>LRS</DataRedundancyType>"
		"<AccessMonitor>Disabled</AccessMonitor>"
		"<TransferAcceleration>Disabled</TransferAcceleration>"
		"<CrossRegionReplication>Disabled</CrossRegionReplication>"
		"<ServerSideEncryptionRule><SSEAlgorithm>None</SSEAlgorithm>"
		"</ServerSideEncryptionRule>"
		"<BucketPolicy><LogBucket></LogBucket><LogPrefix></LogPrefix></BucketPolicy>"
		"<BlockPublicAccess>false</BlockPublicAccess></Bucket></BucketInfo>\n");
	respond_xml(r, &xml);
}

static void location_begin(struct request *r)
{
	if (!require_bucket(r))
		return;
	SCOPED_STRBUF(xml, KIB(4));
	strbuf_adds(&xml, XML_PROLOG "<LocationConstraint>");
	elements_add_location(&xml, r);
	strbuf_adds(&xml, "</LocationConstraint>\n");
	respond_xml(r, &xml);
}

/* OSS documents no name for it; who may list the bucket learns that it is there. */
static void head_begin(struct request *r)
{
	respond_header(r, "x-oss-bucket-region", elements_region(r));
	respond_head(r, 200, 0);
}

const struct op op_head_bucket = {
	.name = "HeadBucket",
	.method = HTTP_HEAD,
	.level = OP_BUCKET,
	.access = OP_ACCESS_READ,
	.action = "oss:ListObjects",
	.body = OP_BODY_NONE,
	.begin = head_begin,
};

const struct op op_get_bucket_info = {
	.name = "GetBucketInfo",
	.method = HTTP_GET,
	.level = OP_BUCKET,
	.subresource = "bucketInfo",
	.access = OP_ACCESS_OWNER,
	.action = "oss:GetBucketInfo",
	.body = OP_BODY_NONE,
	.begin = info_begin,
};

const struct op op_get_bucket_location = {
	.name = "GetBucketLocation",
	.method = HTTP_GET,
	.level = OP_BUCKET,
	.subresource = "location",
	.access = OP_ACCESS_OWNER,
	.action = "oss:GetBucketLocation",
	.body = OP_BODY_NONE,
	.begin = location_begin,
};
