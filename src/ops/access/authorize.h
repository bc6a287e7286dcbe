/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whether the policy of a temporary key permits what it is used for. Keys without one may do
 * everything. Before an operation begins its action is checked on what its address names; only
 * operations whose keys come later, or which need a second action, ask themselves.
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
