/* SPDX-License-Identifier: Apache-2.0 */
#include "ops/arguments/require.h"

#include "base/encode.h"
#include "crypto/digest.h"
#include "ops/respond.h"
#include "oss/acl.h"

bool require_bucket(struct request *r)
{
	if (r->bucket)
		return true;
	respond_detail(r, "BucketName", r->address.bucket.text);
	respond_error(r, ERR_NO_SUCH_BUCKET);
	return false;
}

bool require_digest(struct request *r)
{
	struct slice sent = request_header(r, S("Content-MD5"));
	if (!sent.ptr)
		return true;
	unsigned char digest[MD5_BYTES];
	SCOPED_STRBUF(text, 64);
	md5_of(strbuf_slice(&r->body), digest);
	base64_encode(&text, slice_of(digest, sizeof(digest)));
	if (slice_eq(strbuf_slice(&text), sent))
		return true;
	respond_error(r, strbuf_starved(&text) ? ERR_UNAVAILABLE : ERR_INVALID_DIGEST);
	return false;
}

bool require_bucket_acl(struct request *r, struct slice word, enum store_acl *ret)
{
	enum acl acl;
	if (acl_parse_bucket(word, &acl)) {
		*ret = (enum store_acl)acl;
		return true;
	}
	return respond_bad_argument(r, "x-oss-acl", word,
		"x-oss-acl must be private, public-read or public-read-write.");
}

bool require_object_acl(struct request *r, struct slice word, enum store_acl *ret)
{
	enum acl acl;
	if (acl_parse_object(word, &acl)) {
		*ret = (enum store_acl)acl;
		return true;
	}
	return respond_bad_argument(r, "x-oss-object-acl", word,
		"x-oss-object-acl must be default, private, public-read or public-read-write.");
}

bool require_header(struct request *r, const char *name, struct slice *ret)
{
	SCOPED_STRBUF(why, 128);
	*ret = request_header(r, slice_str(name));
	if (ret->ptr)
		return true;
	strbuf_addf(&why, "The %s header is missing.", name);
	return respond_missing_argument(r, name, why.ptr);
}
