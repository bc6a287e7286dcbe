/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The signature of Alibaba Cloud's RPC interfaces, of which STS is one: signature version 1.0,
 * HMAC-SHA1. All parameters of a request are signed but Signature itself, wherever they stand, in
 * the URL or in the body.
 *
 *	StringToSign = METHOD & %2F & encode(name=value&name=value...)     names in byte order,
 *	                                                                  each name and value
 *encoded Signature    = base64(HMAC-SHA1(secret + "&", StringToSign))
 *
 * Pure functions: any thread.
 */
#ifndef OSS_SIGN_RPC_SIGN_H
#define OSS_SIGN_RPC_SIGN_H

#include "base/slice.h"
#include "base/strbuf.h"

/* Decoded. */
struct rpc_param {
	struct slice name;
	struct slice value;
};

/* Sorts the parameters and appends what is signed. */
void rpc_string_to_sign(
	struct slice method, struct rpc_param *params, size_t count, struct strbuf *out);

/* Appends the signature. */
void rpc_sign(struct slice string_to_sign, struct slice secret, struct strbuf *out);

#endif
