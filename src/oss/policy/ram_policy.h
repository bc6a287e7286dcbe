/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The policy of a temporary key, which may do a part of what the access key that made it may do
 * (spec: RAM's policy language, version 1).
 *
 *	{"Version": "1", "Statement": [{"Effect": "Allow", "Action": ["oss:PutObject"],
 *	                                "Resource": "acs:oss:*:*:bucket/prefix/" "*"}]}
 *
 * A statement is about the actions and resources that one of its patterns describes (wildcard.h).
 * An action that no statement allows is refused. One statement that denies it outweighs all others.
 *
 * A policy that holds anything that is not enforced here (conditions, principals, NotAction,
 * variables, regions) is refused, not shortened.
 *
 * Pure functions: any thread.
 */
#ifndef OSS_POLICY_RAM_POLICY_H
#define OSS_POLICY_RAM_POLICY_H

#include <stdbool.h>

#include "base/err.h"
#include "base/slice.h"
#include "base/strbuf.h"

/* How much ram_policy_parse() appends at most. */
#define RAM_POLICY_COMPACT_BYTES ((size_t)2 * LIMIT_RAM_POLICY_BYTES)

/*
 * Reads the JSON text and appends the policy in a compact form that ram_policy_allows() reads
 * without taking it apart first. Resources are those of `account`, or of any (`*`).
 * ERR_INVALID_POLICY, with a sentence in `reason`; ERR_UNAVAILABLE.
 */
enum err ram_policy_parse(struct slice json, struct slice account, struct strbuf *compact,
	struct strbuf *reason) MUST_USE;

/*
 * Whether the policy allows `action` ("oss:PutObject") on `resource`: "bucket/key", "bucket", or
 * "*" for the service. A text that ram_policy_parse() has not made allows nothing.
 */
bool ram_policy_allows(struct slice compact, struct slice action, struct slice resource);

#endif
