/* SPDX-License-Identifier: Apache-2.0 */
/* The text and signature of V1 requests (spec: signatures sections 1 and 2). Any thread. */
#ifndef OSS_SIGN_SIGN_V1_H
#define OSS_SIGN_SIGN_V1_H

#include "oss/sign/sign.h"

/*
 * Appends the StringToSign. `date` is the third line: x-oss-date or Date for a header, the text of
 * Expires for a URL. False without memory.
 */
bool sign_v1_text(const struct sign_request *r, struct slice date, struct strbuf *out) MUST_USE;

/* Whether a query parameter of that decoded name is part of the signed resource. */
bool sign_v1_is_subresource(struct slice name);

/*
 * Whether the signed text can be read as that of another request, because V1 signs decoded text: a
 * `?` in the key or a `&` in a signed value with the name of a signed parameter behind it, or a
 * delimiter in the name of a parameter. A URL for "response-content-type=a&versionId=1" would be
 * one for "response-content-type=a%26versionId%3D1" as well.
 */
bool sign_v1_ambiguous(const struct sign_request *r) MUST_USE;

/* Appends base64(HMAC-SHA1(secret, text)). */
void sign_v1_signature(struct slice secret, struct slice text, struct strbuf *out);

/*
 * The signing side. Appends the value of the Authorization header for a request that has its Date
 * or x-oss-date already.
 */
bool sign_v1_header(const struct sign_request *r, struct slice access_key_id, struct slice secret,
	struct strbuf *out) MUST_USE;
/* Appends the query of `r` with the three parameters of a URL signature behind it, without `?`. */
bool sign_v1_url(const struct sign_request *r, struct slice access_key_id, struct slice secret,
	int64_t expires_ms, struct strbuf *out) MUST_USE;

#endif
