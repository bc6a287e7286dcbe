/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Makes sure that the bucket of a request exists with the requested properties, for PutBucket and
 * PutBucketAcl. Succeeds if it exists already, also if it is created at the same time.
 */
#ifndef OPS_BUCKET_MAKE_BUCKET_H
#define OPS_BUCKET_MAKE_BUCKET_H

#include "ops/request.h"

/* What is asked for; the rest is make_bucket_start()'s. */
struct make_bucket {
	bool has_acl;
	enum store_acl acl;         /* unless has_acl: a new bucket's is private */
	struct slice storage_class; /* empty: none is asked for */
	struct request *r;
	struct store_bucket_create create;
	struct store_bucket_update change;
};

/* Answers the request, at once or later. */
void make_bucket_start(struct make_bucket *make, struct request *r);

#endif
