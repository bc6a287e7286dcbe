/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Conditions that several operations require of a request. False: the condition is not met, and the
 * request was answered. A `begin` that ends with such a call may ignore the result.
 */
#ifndef OPS_ARGUMENTS_REQUIRE_H
#define OPS_ARGUMENTS_REQUIRE_H

#include "ops/request.h"

/* The bucket exists. For operations of the owner; only those are called without a bucket. */
bool require_bucket(struct request *r);

/* Content-MD5, if sent, is the digest of r->body. */
bool require_digest(struct request *r);

/* `word`, the value of x-oss-acl, is a valid ACL of a bucket. */
bool require_bucket_acl(struct request *r, struct slice word, enum store_acl *ret);

/* The same of x-oss-object-acl and an object. */
bool require_object_acl(struct request *r, struct slice word, enum store_acl *ret);
/* The value of a header that has to be there. */
bool require_header(struct request *r, const char *name, struct slice *ret) MUST_USE;

#endif
