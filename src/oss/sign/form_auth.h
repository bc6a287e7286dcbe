/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The signature of a posted form (spec: PostObject sections 2, 6 and 8). What is signed is the text
 * of the field `policy` exactly as posted. As with requests (sign.h) the server goes in steps:
 * form_auth_parse(), form_auth_check_region(), form_auth_check_time(), its look-up of the key,
 * form_auth_verify(). Then the policy itself has to be read and enforced (policy.h).
 *
 * Pure functions but for the cache: any thread.
 */
#ifndef OSS_SIGN_FORM_AUTH_H
#define OSS_SIGN_FORM_AUTH_H

#include <stdint.h>

#include "base/err.h"
#include "base/slice.h"
#include "base/strbuf.h"
#include "oss/sign/credential.h"
#include "oss/sign/form_fields.h"
#include "oss/text/refusal.h"

enum form_scheme {
	FORM_ANONYMOUS, /* for public-read-write buckets only */
	FORM_V1,
	FORM_V4,
};

/* What a form claims. Borrows the values of its fields. */
struct form_auth {
	enum form_scheme scheme;
	struct slice access_key_id;
	struct slice policy; /* base64, as posted */
	struct slice signature;
	struct slice security_token;  /* empty: none */
	struct credential credential; /* only FORM_V4 */
	int64_t time_ms;              /* x-oss-date; only FORM_V4 */
};

/*
 * ERR_INVALID_ARGUMENT: some of the fields of a scheme are there and others are missing, empty or
 * malformed; the refusal says which. Also for a signature version that is not V4.
 */
enum err form_auth_parse(
	const struct form_fields *fields, struct form_auth *ret, struct refusal *why) MUST_USE;

/* ERR_INVALID_REGION if a V4 form is signed for another region. An empty region allows any. */
enum err form_auth_check_region(const struct form_auth *auth, struct slice region) MUST_USE;

/*
 * V4: ERR_TIME_TOO_SKEWED if it is signed more than LIMIT_CLOCK_SKEW_MS ahead of now,
 * ERR_REQUEST_EXPIRED if that is more than LIMIT_PRESIGN_SECONDS ago. (That the policy has not
 * expired is policy_expired()'s.)
 */
enum err form_auth_check_time(const struct form_auth *auth, int64_t now_ms) MUST_USE;

/* ERR_SIGNATURE_MISMATCH; the text that was signed is auth->policy. `cache` may be NULL. */
enum err form_auth_verify(
	const struct form_auth *auth, struct slice secret, struct sign_key_cache *cache) MUST_USE;

/* The signing side: append the values of `Signature` and of `x-oss-signature`; `cache` as above. */
void form_sign_v1(struct slice policy, struct slice secret, struct strbuf *out);
/* The same with the secret in a keyed value. */
void form_sign_keyed(struct slice policy, const struct hmac_sha1 *keyed, struct strbuf *out);
void form_sign_v4(struct slice policy, const struct credential *credential, struct slice secret,
	struct sign_key_cache *cache, struct strbuf *out);

#endif
