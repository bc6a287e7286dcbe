/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The signature of a callback request (spec: callback section 6): RSA, PKCS #1 v1.5, MD5, over
 *
 *	percent-decoded path, `?` and query as they stand if there is a query, LF, body
 *
 * Only path, query and body are signed; no header is. Pure functions: any thread.
 */
#ifndef OSS_CALLBACK_CALLBACK_SIGNATURE_H
#define OSS_CALLBACK_CALLBACK_SIGNATURE_H

#include "base/err.h"
#include "base/slice.h"
#include "base/strbuf.h"
#include "crypto/digest.h"

struct rsa_private;
struct rsa_public;

/*
 * Appends the signed text. `target` is path and query as requested. False if an escape in the path
 * is malformed, or `out` is broken.
 */
bool callback_string_to_sign(struct slice target, struct slice body, struct strbuf *out) MUST_USE;

/* The digest of it, without copying the body. ERR_CALLBACK_BAD_URL, ERR_UNAVAILABLE. */
enum err callback_signed_digest(
	struct slice target, struct slice body, uint8_t ret[MD5_BYTES]) MUST_USE;

/*
 * Appends the value of the Authorization header. ERR_CALLBACK_BAD_URL for a malformed escape;
 * ERR_INTERNAL, ERR_UNAVAILABLE.
 */
enum err callback_sign(const struct rsa_private *key, struct slice target, struct slice body,
	struct strbuf *out) MUST_USE;

/*
 * Whether `authorization`, the value of that header, is `key`'s signature. `target` and `body` must
 * be as they came in, to the byte.
 */
bool callback_verify(const struct rsa_public *key, struct slice target, struct slice authorization,
	struct slice body) MUST_USE;

/*
 * The same with a reason: ERR_OK if it verifies, ERR_SIGNATURE_MISMATCH, or ERR_UNAVAILABLE without
 * memory, in which case nothing is known.
 */
enum err callback_authenticate(const struct rsa_public *key, struct slice target,
	struct slice authorization, struct slice body) MUST_USE;

/*
 * For a request that did not verify: appends one sentence to `out` that says what probably
 * happened to it. Tries the changes that proxies, frameworks and receivers make to path, query and
 * body, and names the first under which the signature holds; `expected` are targets (path and
 * query) for which callbacks are asked for, and which may have been something else before a proxy
 * took a prefix away. Costs one RSA operation, and if the signature is `key`'s some two hundred
 * digests of the body. Returns whether a variant verified. That is an explanation and never a
 * reason to accept the request.
 */
bool callback_verify_explain(const struct rsa_public *key, struct slice target,
	struct slice authorization, struct slice body, const struct slice *expected,
	size_t expected_count, struct strbuf *out);

#endif
