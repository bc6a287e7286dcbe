/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whether a request is signed, and by whom (spec: signatures). Four ways: V1 and V4, each in the
 * Authorization header or in the URL. (The form of a PostObject is form_auth.h's.)
 *
 * A server goes in steps, because it alone knows the keys and the time:
 *
 *	sign_parse()         which scheme, access key id, time and scope are claimed
 *	sign_check_region()
 *	sign_check_time()
 *	... look up the secret of parsed.access_key_id, or refuse with ERR_INVALID_ACCESS_KEY ...
 *	sign_verify()
 *
 * Pure functions but for the cache: any thread. The makers of signatures for each scheme are in
 * sign_v1.h and sign_v4.h.
 */
#ifndef OSS_SIGN_SIGN_H
#define OSS_SIGN_SIGN_H

#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/limits.h"
#include "base/slice.h"
#include "base/strbuf.h"
#include "http/head.h"
#include "http/query.h"
#include "oss/sign/credential.h"
#include "oss/text/refusal.h"

/*
 * What of a request is signed, whatever the style of its address. Names of headers stand once each
 * (http/head.h, request_head_join()), and what a request is taken for is read from the same lists:
 * so no spelling of it can be signed as one thing and carried out as another.
 */
struct sign_request {
	struct slice method; /* "GET" */
	struct slice bucket; /* empty: the service */
	struct slice key;    /* decoded; empty: the bucket itself */
	/* Instead of bucket and key, where a path names neither: "/callbacks"; else empty. */
	struct slice path;
	struct query query;
	const struct http_header *headers;
	size_t header_count;
	bool bare_bucket; /* V1: a bucket itself is /bucket, not /bucket/: opendal signs lists so */
};

enum sign_scheme {
	SIGN_NONE, /* anonymous */
	SIGN_V1_HEADER,
	SIGN_V1_URL,
	SIGN_V4_HEADER,
	SIGN_V4_URL,
};

/* What a request claims. Slices borrow from the request or the arena. */
struct sign_parsed {
	enum sign_scheme scheme;
	struct slice access_key_id;
	struct slice signature;
	struct slice security_token;  /* of temporary keys; empty: none */
	struct slice time_text;       /* the time as it is signed */
	struct slice date_text;       /* V4: the header Date, if it has the time; else empty */
	int64_t time_ms;              /* when it was signed; V1_URL: when it expires */
	int64_t expires_ms;           /* when it ends; only *_URL */
	struct credential credential; /* only V4_* */
	/* V4_*: the additional headers, lower-case, sorted, once each, without default ones. */
	struct slice *additional;
	size_t additional_count;
};

/*
 * Whether a request claims to be signed, rightly or not: it then never passes for an anonymous
 * one.
 */
bool sign_claimed(const struct sign_request *r) MUST_USE;

/*
 * Reads the request's claims.
 *
 * ERR_INVALID_AUTHORIZATION: an Authorization header of another type, or a malformed one.
 * ERR_INVALID_ARGUMENT: header and URL signature at once, a V4 part that is missing or wrong.
 * ERR_ACCESS_DENIED: a part of a V1 URL missing or wrong; a date missing or garbled; a V1 request
 * whose signed text can be read as another request, see sign_v1_ambiguous().
 */
enum err sign_parse(const struct sign_request *r, struct arena *arena, struct sign_parsed *ret,
	struct refusal *why) MUST_USE;

/* ERR_INVALID_REGION if a V4 request is signed for another region. An empty region allows any. */
enum err sign_check_region(const struct sign_parsed *p, struct slice region) MUST_USE;

/*
 * ERR_TIME_TOO_SKEWED: a header's time, or the start of a V4 URL, is more than LIMIT_CLOCK_SKEW_MS
 * off. ERR_REQUEST_EXPIRED: the time of a URL is over.
 */
enum err sign_check_time(const struct sign_parsed *p, int64_t now_ms) MUST_USE;

/*
 * ERR_SIGNATURE_MISMATCH if the signature is not the one made with `secret`; `cache` may be NULL.
 * In both cases *string_to_sign and, for V4, *canonical_request get what was signed by us: OSS
 * shows it in the error document, and it holds no secret. SIGN_NONE is a bug of the caller.
 * ERR_UNAVAILABLE without memory.
 */
enum err sign_verify(const struct sign_parsed *p, const struct sign_request *r, struct slice secret,
	struct sign_key_cache *cache, struct strbuf *string_to_sign,
	struct strbuf *canonical_request) MUST_USE;

/* The ceiling that the two texts above need. */
#define SIGN_TEXT_BYTES (4 * LIMIT_HEAD_BYTES)

#endif
