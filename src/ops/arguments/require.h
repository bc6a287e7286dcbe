/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What several operations demand of a request. False: it is not so, and the request has been
 * answered: nothing is left to do in `begin`, so it may ignore the result there.
 */
#ifndef OPS_ARGUMENTS_REQUIRE_H
#define OPS_ARGUMENTS_REQUIRE_H

#include "ops/request.h"

/* That the bucket exists; for operations of its owner, who alone are called without one. */
bool require_bucket(struct request *r);

/* That Content-MD5, if it was sent, is the digest of r->body. */
bool require_digest(struct request *r);

/* That `word`, the value of x-oss-acl, is an ACL that a bucket can have. */
bool require_bucket_acl(struct request *r, struct slice word, enum store_acl *ret);

/* The same of x-oss-object-acl and an object. */
bool require_object_acl(struct request *r, struct slice word, enum store_acl *ret);

#endif
