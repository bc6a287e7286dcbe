/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tokens that verified before, so that the same one costs a digest and no signature. An entry is
 * good for the very keys and rules under which it verified, and until its token expires. Tokens
 * themselves are not kept, only their SHA-256. As many as LIMIT_JWT_CACHED; a new one may take the
 * place of an older.
 *
 * Thread-safe.
 */
#ifndef APP_JWT_JWT_CACHE_H
#define APP_JWT_JWT_CACHE_H

#include "app/jwt/jwt.h"

struct jwt_cache;

/* NULL without memory. */
struct jwt_cache *jwt_cache_new(void);
/* NULL is allowed. */
void jwt_cache_free(struct jwt_cache *cache);

/* Whether the token verified before and is still good at `now`; *ret is then in `arena`. */
bool jwt_cache_find(struct jwt_cache *cache, const struct jwt_keys *keys,
	const struct jwt_rules *rules, struct slice token, int64_t now, struct arena *arena,
	struct jwt_claims *ret) MUST_USE;

/* Remembers what jwt_check() found, if there is memory. */
void jwt_cache_add(struct jwt_cache *cache, struct jwt_keys *keys, const struct jwt_rules *rules,
	struct slice token, const struct jwt_claims *claims);

#endif
