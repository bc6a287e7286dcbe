/* SPDX-License-Identifier: Apache-2.0 */
#include "ops/dispatch/route.h"

/*
 * Query parameters that choose another operation of OSS (spec: REST API sections 5 to 7). One that
 * is here and in no row of the table makes the request NotImplemented: nothing is accepted and
 * then taken for something else.
 */
static const char *const subresources[] = {
	"accessPoint",
	"accessPointForObjectProcess",
	"accessPointPolicy",
	"acl",
	"append",
	"asyncFetch",
	"bucketArchiveDirectRead",
	"bucketInfo",
	"cleanRestoredObject",
	"cname",
	"comp",
	"cors",
	"delete",
	"encryption",
	"httpsConfig",
	"img",
	"inventory",
	"inventoryId",
	"legalHold",
	"lifecycle",
	"link",
	"live",
	"location",
	"logging",
	"metadataConfiguration",
	"metaQuery",
	"objectMeta",
	"objectWorm",
	"overwriteConfig",
	"partNumber",
	"policy",
	"policyStatus",
	"processConfiguration",
	"publicAccessBlock",
	"qos",
	"qosInfo",
	"qosRequester",
	"quota",
	"redundancyTransition",
	"referer",
	"regionList",
	"regions",
	"replication",
	"replicationLocation",
	"replicationProgress",
	"requesterQosInfo",
	"requestPayment",
	"resourceGroup",
	"resourcePool",
	"resourcePoolInfo",
	"responseHeader",
	"restore",
	"retention",
	"rtc",
	"seal",
	"stat",
	"style",
	"styleName",
	"symlink",
	"tagging",
	"transferAcceleration",
	"udf",
	"uploadId",
	"uploads",
	"userDefinedLogFieldsConfig",
	"versioning",
	"versions",
	"vod",
	"website",
	"worm",
	"wormExtend",
	"wormId",
	"x-oss-async-process",
	"x-oss-process",
};

const struct unsigned_subresource route_unsigned[] = {
	{"accessmonitor", "Go SDK 3.0.2"},
	{"list-type", "every SDK"},
	{NULL, NULL},
};

static bool asks_for(const struct query *query, const char *name)
{
	return query_find(query, slice_str(name)) != NULL;
}

static bool level_fits(const struct op *op, const struct address *address)
{
	switch (op->level) {
	case OP_SERVICE:
		return !address->has_bucket;
	case OP_BUCKET:
		return address->has_bucket && !address->has_key;
	case OP_OBJECT:
		return address->has_key;
	case OP_ANY:
		return address->has_bucket;
	}
	return false;
}

/* The sub-resource that the query asks for, or NULL. */
static const char *subresource_of(const struct query *query)
{
	if (query->count == 0)
		return NULL;
	for (size_t i = 0; i < ARRAY_LEN(subresources); i++)
		if (asks_for(query, subresources[i]))
			return subresources[i];
	/* Last: who adds one to a signed request must not make another request of it. */
	for (const struct unsigned_subresource *u = route_unsigned; u->name; u++)
		if (asks_for(query, u->name))
			return u->name;
	return NULL;
}

/* Whether `op` is one that the request may be asking for. */
static bool op_fits(const struct op *op, const struct request_head *head,
	const struct address *address, const char *wanted)
{
	if (op->method != head->method || !level_fits(op, address))
		return false;
	if (op->header && !request_head_get(head, slice_str(op->header)).ptr)
		return false;
	return wanted ? op->subresource && strcmp(op->subresource, wanted) == 0 : !op->subresource;
}

/*
 * Whether a versionId, if there is one, means something to the operation, or nothing to anybody:
 * what is written is a version of its own, and the Go SDKs say which one they copy here as well.
 */
static bool version_fits(const struct op *op, const struct query *query)
{
	bool reads = op->method == HTTP_GET || op->method == HTTP_HEAD || op->method == HTTP_DELETE;
	return op->version_action || !reads || !asks_for(query, "versionId");
}

/* Whether there is such an operation on buckets or objects, and none without a bucket. */
static bool needs_bucket(enum http_method method, const char *wanted)
{
	if (strcmp(wanted, "publicAccessBlock") == 0)
		return false; /* of the account: GetPublicAccessBlock */
	for (const struct op *const *op = op_table; *op; op++)
		if ((*op)->method == method && (*op)->level != OP_SERVICE && (*op)->subresource &&
			strcmp((*op)->subresource, wanted) == 0)
			return true;
	return false;
}

enum err route(const struct request_head *head, const struct query *query,
	const struct address *address, const struct op **ret)
{
	const char *wanted = head->method == HTTP_OPTIONS ? NULL : subresource_of(query);
	const struct op *found = NULL;
	for (const struct op *const *op = op_table; *op; op++)
		if (op_fits(*op, head, address, wanted) && (!found || (*op)->header))
			found = *op;
	if (found) {
		*ret = found;
		return version_fits(found, query) ? ERR_OK : ERR_NOT_IMPLEMENTED;
	}
	if (!address->has_bucket && (!wanted || needs_bucket(head->method, wanted)) &&
		head->method != HTTP_OTHER)
		return ERR_INVALID_BUCKET_NAME;
	bool no_such = !wanted && address->has_key;
	if (head->method == HTTP_OTHER || no_such)
		return ERR_METHOD_NOT_ALLOWED;
	return ERR_NOT_IMPLEMENTED;
}

const char *route_subresource(size_t i)
{
	return i < ARRAY_LEN(subresources) ? subresources[i] : NULL;
}

void route_allowed(const struct address *address, struct strbuf *out)
{
	static const char *const names[HTTP_OTHER] = {
		[HTTP_GET] = "GET",
		[HTTP_HEAD] = "HEAD",
		[HTTP_PUT] = "PUT",
		[HTTP_POST] = "POST",
		[HTTP_DELETE] = "DELETE",
		[HTTP_OPTIONS] = "OPTIONS",
	};
	unsigned found = 0;
	for (const struct op *const *op = op_table; *op; op++)
		if (!(*op)->subresource && level_fits(*op, address))
			found |= 1U << (*op)->method;
	for (unsigned method = 0; method < ARRAY_LEN(names); method++)
		if (found >> method & 1)
			strbuf_addf(out, "%s%s", out->len ? ", " : "", names[method]);
}
