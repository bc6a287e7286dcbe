/* SPDX-License-Identifier: Apache-2.0 */
#include "ops/dispatch/route.h"
#include "ops/reading.h"
#include "oss/sign/sign_v1.h"
#include "tap.h"

enum level {
	SERVICE,
	BUCKET,
	OBJECT
};

static const struct {
	enum http_method method;
	enum level level;
	const char *query;
	const char *want; /* name of the operation, or of the error */
} rows[] = {
	{HTTP_GET, OBJECT, "", "GetObject"},
	{HTTP_GET, OBJECT, "response-expires=1&x=acl", "GetObject"},
	{HTTP_HEAD, OBJECT, "", "HeadObject"},
	{HTTP_PUT, OBJECT, "", "PutObject"},
	{HTTP_DELETE, OBJECT, "", "DeleteObject"},
	{HTTP_PUT, BUCKET, "", "PutBucket"},
	{HTTP_GET, BUCKET, "prefix=a&marker=", "ListObjects"},
	{HTTP_POST, BUCKET, "", "PostObject"},
	{HTTP_PUT, BUCKET, "cors", "PutBucketCors"},
	{HTTP_GET, BUCKET, "cors=", "GetBucketCors"},
	{HTTP_DELETE, BUCKET, "cors", "DeleteBucketCors"},
	{HTTP_OPTIONS, OBJECT, "uploads", "OptionObject"},
	{HTTP_OPTIONS, BUCKET, "", "OptionObject"},
	{HTTP_GET, OBJECT, "acl", "GetObjectAcl"},
	{HTTP_PUT, OBJECT, "acl", "PutObjectAcl"},
	{HTTP_GET, OBJECT, "objectMeta", "GetObjectMeta"},
	{HTTP_HEAD, OBJECT, "objectMeta=", "GetObjectMeta"},
	{HTTP_HEAD, OBJECT, "acl", "NOT_IMPLEMENTED"},
	{HTTP_POST, BUCKET, "delete", "DeleteMultipleObjects"},
	{HTTP_POST, OBJECT, "delete", "NOT_IMPLEMENTED"},
	{HTTP_GET, OBJECT, "cors", "NOT_IMPLEMENTED"},
	{HTTP_GET, BUCKET, "list-type=2&prefix=a", "ListObjectsV2"},
	{HTTP_GET, BUCKET, "acl", "GetBucketAcl"},
	{HTTP_PUT, BUCKET, "acl", "PutBucketAcl"},
	{HTTP_DELETE, BUCKET, "acl", "NOT_IMPLEMENTED"},
	{HTTP_GET, BUCKET, "bucketInfo", "GetBucketInfo"},
	{HTTP_GET, BUCKET, "location", "GetBucketLocation"},
	{HTTP_GET, BUCKET, "stat", "GetBucketStat"},
	{HTTP_PUT, BUCKET, "stat", "NOT_IMPLEMENTED"},
	{HTTP_PUT, BUCKET, "lifecycle", "PutBucketLifecycle"},
	{HTTP_GET, BUCKET, "lifecycle", "GetBucketLifecycle"},
	{HTTP_DELETE, BUCKET, "lifecycle", "DeleteBucketLifecycle"},
	{HTTP_DELETE, BUCKET, "", "DeleteBucket"},
	{HTTP_GET, SERVICE, "", "ListBuckets"},
	{HTTP_GET, SERVICE, "prefix=a&max-keys=2", "ListBuckets"},
	{HTTP_GET, SERVICE, "regionList", "NOT_IMPLEMENTED"},
	{HTTP_GET, SERVICE, "regions", "NOT_IMPLEMENTED"},
	{HTTP_GET, BUCKET, "publicAccessBlock", "GetBucketPublicAccessBlock"},
	{HTTP_PUT, BUCKET, "publicAccessBlock", "NOT_IMPLEMENTED"},
	{HTTP_GET, BUCKET, "resourcePool", "NOT_IMPLEMENTED"},
	{HTTP_GET, BUCKET, "referer", "GetBucketReferer"},
	{HTTP_PUT, BUCKET, "referer", "PutBucketReferer"},
	{HTTP_DELETE, BUCKET, "referer", "NOT_IMPLEMENTED"},
	{HTTP_DELETE, BUCKET, "website", "DeleteBucketWebsite"},
	{HTTP_GET, BUCKET, "tagging", "GetBucketTags"},
	{HTTP_PUT, BUCKET, "tagging", "PutBucketTags"},
	{HTTP_DELETE, BUCKET, "tagging=a,b", "DeleteBucketTags"},
	{HTTP_GET, SERVICE, "tagging", "INVALID_BUCKET_NAME"},
	{HTTP_GET, SERVICE, "regions", "NOT_IMPLEMENTED"},
	{HTTP_GET, BUCKET, "inventory&inventoryId=a", "GetBucketInventory"},
	{HTTP_PUT, BUCKET, "bucketArchiveDirectRead", "NOT_IMPLEMENTED"},
	{HTTP_POST, OBJECT, "cleanRestoredObject", "NOT_IMPLEMENTED"},
	{HTTP_PUT, SERVICE, "", "INVALID_BUCKET_NAME"},
	{HTTP_POST, SERVICE, "", "INVALID_BUCKET_NAME"},
	{HTTP_DELETE, SERVICE, "x=y", "INVALID_BUCKET_NAME"},
	{HTTP_POST, SERVICE, "delete", "INVALID_BUCKET_NAME"},
	{HTTP_HEAD, BUCKET, "", "HeadBucket"},
	{HTTP_POST, OBJECT, "uploads", "InitiateMultipartUpload"},
	{HTTP_POST, OBJECT, "uploads=&encoding-type=url", "InitiateMultipartUpload"},
	{HTTP_PUT, OBJECT, "uploadId=1&partNumber=2", "UploadPart"},
	{HTTP_PUT, OBJECT, "partNumber=2", "UploadPart"},
	{HTTP_PUT, OBJECT, "uploadId=1", "NOT_IMPLEMENTED"},
	{HTTP_GET, OBJECT, "uploadId=1&partNumber=2", "NOT_IMPLEMENTED"},
	{HTTP_GET, OBJECT, "uploadId=1&max-parts=2", "ListParts"},
	{HTTP_POST, OBJECT, "uploadId=1", "CompleteMultipartUpload"},
	{HTTP_DELETE, OBJECT, "uploadId=1", "AbortMultipartUpload"},
	{HTTP_GET, BUCKET, "uploads&prefix=a", "ListMultipartUploads"},
	{HTTP_DELETE, BUCKET, "uploads", "NOT_IMPLEMENTED"},
	{HTTP_POST, OBJECT, "append&position=0", "AppendObject"},
	{HTTP_PUT, OBJECT, "append&position=0", "NOT_IMPLEMENTED"},
	{HTTP_GET, OBJECT, "x-oss-process=image/resize,w_1", "NOT_IMPLEMENTED"},
	{HTTP_PUT, OBJECT, "symlink", "PutSymlink"},
	{HTTP_GET, OBJECT, "symlink", "GetSymlink"},
	{HTTP_GET, OBJECT, "symlink&versionId=null", "GetSymlink"},
	{HTTP_PUT, OBJECT, "symlink&versionId=null", "PutSymlink"},
	{HTTP_GET, BUCKET, "acl&versionId=null", "NOT_IMPLEMENTED"},
	{HTTP_DELETE, BUCKET, "versionId=null", "NOT_IMPLEMENTED"},
	{HTTP_GET, BUCKET, "live", "ListLiveChannel"},
	{HTTP_GET, OBJECT, "tagging", "GetObjectTagging"},
	{HTTP_PUT, OBJECT, "tagging&versionId=null", "PutObjectTagging"},
	{HTTP_DELETE, OBJECT, "tagging", "DeleteObjectTagging"},
	{HTTP_PUT, BUCKET, "versioning", "PutBucketVersioning"},
	{HTTP_GET, BUCKET, "versioning", "GetBucketVersioning"},
	{HTTP_GET, BUCKET, "versions&prefix=a", "ListObjectVersions"},
	{HTTP_GET, OBJECT, "versions", "NOT_IMPLEMENTED"},
	{HTTP_GET, OBJECT, "versionId=null", "GetObject"},
	{HTTP_HEAD, OBJECT, "versionId=null", "HeadObject"},
	{HTTP_HEAD, OBJECT, "objectMeta&versionId=null", "GetObjectMeta"},
	{HTTP_DELETE, OBJECT, "versionId=null", "DeleteObject"},
	{HTTP_GET, OBJECT, "acl&versionId=null", "GetObjectAcl"},
	{HTTP_PUT, OBJECT, "versionId=null", "PutObject"},
	{HTTP_GET, BUCKET, "versionId=null", "NOT_IMPLEMENTED"},
	{HTTP_OPTIONS, OBJECT, "versionId=null", "OptionObject"},
	{HTTP_POST, OBJECT, "", "METHOD_NOT_ALLOWED"},
	{HTTP_OTHER, OBJECT, "", "METHOD_NOT_ALLOWED"},
};

/* With a header that may choose an operation. */
static const struct {
	enum http_method method;
	enum level level;
	const char *query;
	const char *want;
	const char *header;
} header_rows[] = {
	{HTTP_PUT, OBJECT, "", "CopyObject", "X-OSS-Copy-Source"},
	{HTTP_PUT, OBJECT, "", "PutObject", "x-oss-copy-source-if-match"},
	{HTTP_PUT, OBJECT, "partNumber=1&uploadId=1", "UploadPartCopy", "x-oss-copy-source"},
	{HTTP_PUT, OBJECT, "acl", "PutObjectAcl", "x-oss-copy-source"},
	{HTTP_PUT, OBJECT, "restore", "NOT_IMPLEMENTED", "x-oss-copy-source"},
	{HTTP_GET, OBJECT, "", "GetObject", "x-oss-copy-source"},
};

static void check(enum http_method method, enum level level, const char *query, const char *header,
	const char *want)
{
	struct request_head head = {
		.method = method,
		.query = slice_str(query),
		.header_count = header ? 1 : 0,
		.headers = {{slice_str(header), S("/uploads/a")}},
	};
	struct address address = {.has_bucket = level != SERVICE, .has_key = level == OBJECT};
	const struct op *op = NULL;
	char first[512];
	struct arena arena;
	struct query params;
	arena_init(&arena, first, sizeof(first), KIB(4));
	OK(query_parse(head.query, &arena, &params), "the query is decoded");
	enum err e = route(&head, &params, &address, &op);
	arena_reset(&arena);
	const char *got = e == ERR_OK ? op->name : err_info(e)->name;
	OK(strcmp(got, want) == 0, "?%s %s: %s is %s", query, header ? header : "", want, got);
}

/* What a temporary key may do is said with the action; one that is missing would be refused. */
static void check_action(const struct op *op)
{
	if (op->method == HTTP_OPTIONS)
		OK(!op->action, "%s is not signed", op->name);
	else
		OK(op->action && strncmp(op->action, "oss:", 4) == 0, "%s has an action", op->name);
}

/* Who holds a URL signed by V1 must not be able to choose another operation by adding to it. */
static void signed_names(void)
{
	const char *name;
	for (size_t i = 0; (name = route_subresource(i)); i++)
		OK(sign_v1_is_subresource(slice_str(name)), "V1 signs ?%s", name);
	for (const struct unsigned_subresource *u = route_unsigned; u->name; u++)
		OK(!sign_v1_is_subresource(slice_str(u->name)) && u->left_out_by,
			"V1 does not sign ?%s", u->name);
	for (const struct op *const *op = op_table; *op; op++)
		OK(!(*op)->subresource || param_is_known(slice_str((*op)->subresource)),
			"%s: its sub-resource may stand once", (*op)->name);
	check(HTTP_GET, BUCKET, "list-type=2&location", NULL, "GetBucketLocation");
	check(HTTP_GET, BUCKET, "accessmonitor&%61cl", NULL, "GetBucketAcl");
}

int main(void)
{
	signed_names();
	for (const struct op *const *op = op_table; *op; op++)
		check_action(*op);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		check(rows[i].method, rows[i].level, rows[i].query, NULL, rows[i].want);
	for (size_t i = 0; i < ARRAY_LEN(header_rows); i++)
		check(header_rows[i].method, header_rows[i].level, header_rows[i].query,
			header_rows[i].header, header_rows[i].want);
	return tap_done();
}
