/* SPDX-License-Identifier: Apache-2.0 */
/* The texts and signature of V4 requests (spec: signatures sections 3 to 5). Any thread. */
#ifndef OSS_SIGN_SIGN_V4_H
#define OSS_SIGN_SIGN_V4_H

#include "oss/sign/sign.h"

#define SIGN_V4_ALGORITHM "OSS4-HMAC-SHA256"
#define SIGN_V4_PAYLOAD "UNSIGNED-PAYLOAD"

/* How a query parameter without a value is written: `uploads` or `uploads=`. */
enum sign_v4_empty {
	SIGN_V4_EMPTY_BARE,
	SIGN_V4_EMPTY_EQUALS, /* the JavaScript SDK */
};

/*
 * Appends the CanonicalRequest. `additional` are lower-case, sorted, once each, and none that is
 * signed by default. False without memory.
 */
bool sign_v4_canonical(const struct sign_request *r, const struct slice *additional,
	size_t additional_count, enum sign_v4_empty empty, struct strbuf *out) MUST_USE;

/* Appends the StringToSign. `time_text` is YYYYMMDDTHHMMSSZ. */
void sign_v4_text(const struct credential *c, struct slice time_text, struct slice canonical,
	struct strbuf *out);

/* Appends the signature in lower-case hexadecimal. */
void sign_v4_signature(const struct hmac_sha256 *key, struct slice text, struct strbuf *out);

/* Whether a header of that lower-case name is signed without being listed. */
bool sign_v4_is_default_header(struct slice name);

/* Who signs, and for what. */
struct sign_v4_signer {
	struct slice access_key_id;
	struct slice secret;
	struct slice region;
	struct slice product; /* "oss" */
	/* Lower-case, sorted, once each, none that is signed by default. */
	const struct slice *additional;
	size_t additional_count;
};

/*
 * The signing side. Appends the value of the Authorization header; the request must have the
 * headers x-oss-date (of the same time) and x-oss-content-sha256.
 */
bool sign_v4_header(const struct sign_request *r, const struct sign_v4_signer *signer,
	int64_t time_ms, struct strbuf *out) MUST_USE;
/* Appends the query of `r` with the parameters of a URL signature behind it, without `?`. */
bool sign_v4_url(const struct sign_request *r, const struct sign_v4_signer *signer, int64_t time_ms,
	uint32_t expires_seconds, struct strbuf *out) MUST_USE;

#endif
