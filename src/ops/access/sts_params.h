/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The parameters of a call of STS as they are sent, and what those of AssumeRole may say.
 * Pure functions: any thread.
 */
#ifndef OPS_ACCESS_STS_PARAMS_H
#define OPS_ACCESS_STS_PARAMS_H

#include <stdint.h>

#include "base/arena.h"
#include "base/limits.h"
#include "oss/sign/rpc_sign.h"

/* Decoded: UTF-8 without a NUL, for they may come back in an answer. Each name stands once. */
struct sts_params {
	struct rpc_param each[LIMIT_STS_PARAMS];
	size_t count;
};

enum sts_params_result {
	STS_PARAMS_OK,
	STS_PARAMS_TOO_MANY,
	STS_PARAMS_UNDECODABLE, /* or there is no memory */
	STS_PARAMS_TWICE,       /* each[count].name */
};

/* Adds those of a query or of a body; they are copied into `arena`. */
enum sts_params_result sts_params_add(
	struct sts_params *params, struct arena *arena, struct slice text) MUST_USE;

/* ptr is NULL if it is not there. */
struct slice sts_params_find(const struct sts_params *params, struct slice name);

/* The role that is asked for. */
struct sts_role {
	struct slice arn;
	struct slice account;
	struct slice session_name;
};

/* acs:ram::ACCOUNT:role/NAME, where ACCOUNT is a number, into arn and account. False: it is not. */
bool sts_role_parse(struct slice arn, struct sts_role *ret) MUST_USE;
/* Whether it has 2 to 64 letters, digits, `.`, `@`, `-` and `_`. */
bool sts_session_name_fits(struct slice name) MUST_USE;
/* How long the key is to hold; the longest if `text` is empty. False: no such time is allowed. */
bool sts_duration_parse(struct slice text, int64_t *ret_ms) MUST_USE;

#endif
