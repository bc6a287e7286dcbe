/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Checks the RAM policy of a temporary key. Keys without one may do everything. The action is
 * checked on the request's address before an operation begins; only operations that learn keys
 * later, or need a second action, call this themselves.
 */
#ifndef OPS_ACCESS_AUTHORIZE_H
#define OPS_ACCESS_AUTHORIZE_H

#include "ops/request.h"

/* The operation's own action. False: it has been answered. */
bool authorize_op(struct request *r) MUST_USE;

/* An action on a bucket: "oss:PutBucket" by PutBucketAcl. False: it has been answered. */
bool authorize_bucket(struct request *r, const char *action, struct slice bucket) MUST_USE;

/* An action on an object: "oss:GetObject" on a copy's source. False: it has been answered. */
bool authorize_key(
	struct request *r, const char *action, struct slice bucket, struct slice key) MUST_USE;

#endif
