/* SPDX-License-Identifier: Apache-2.0 */
/*
 * JSON Web Tokens (RFC 7519) as JWS in the compact form (RFC 7515), by the rules of RFC 8725. The
 * algorithm is the key's: the header may only name the same. Pure functions: any thread.
 *
 * Refused, whatever the signature: an algorithm other than HS256, RS256, ES256 and EdDSA; `crit`,
 * and the headers that bring or name a key (`jwk`, `jku`, `x5u`, `x5c`); a `typ` that is not a
 * token's; a member that stands twice; padding and other bytes outside base64url.
 */
#ifndef APP_JWT_JWT_H
#define APP_JWT_JWT_H

#include <stdint.h>

#include "app/jwt/jwt_keys.h"
#include "base/arena.h"
#include "base/limits.h"

struct jwt_rules {
	uint64_t number;       /* no others have it */
	struct slice issuer;   /* what `iss` has to be; empty: not looked at */
	struct slice audience; /* what `aud` has to be or list; empty: there must be no `aud` */
	int64_t leeway;        /* seconds that clocks may be apart */
	/* Names of claims whose values are wanted, each with a NUL behind it. */
	size_t claim_count;
	struct slice claims[LIMIT_CLAIMS];
};

struct jwt_claims {
	int64_t expires;      /* Unix seconds */
	struct slice subject; /* empty: the token has none */
	/* Of the claims wanted, in their order; empty unless the value is text or an integer. */
	struct slice values[LIMIT_CLAIMS];
};

enum jwt_result {
	JWT_VALID,
	JWT_REFUSED, /* *why is a constant text */
	JWT_NO_KEY,  /* as JWT_REFUSED, but another set of keys might have the one it names */
	JWT_FAULT,   /* no memory */
};

/*
 * Reads and verifies `text` at `now` (Unix seconds). The header is read first, then the signature
 * is verified, and only then is anything else looked at. What *ret has is in `arena`.
 */
enum jwt_result jwt_check(const struct jwt_keys *keys, const struct jwt_rules *rules,
	struct slice text, int64_t now, struct arena *arena, struct jwt_claims *ret,
	const char **why) MUST_USE;

#endif
