/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The keys that tokens are signed with: a set that does not change once made, and is shared by
 * counting. Pure functions over text; jwt_source.h is where a set comes from.
 */
#ifndef APP_JWT_JWT_KEYS_H
#define APP_JWT_JWT_KEYS_H

#include <stdbool.h>

#include "base/err.h"
#include "base/slice.h"
#include "crypto/signature.h"

struct jwt_keys;

/*
 * A set of the one key that is in a PEM, or of the keys in a JWK or JWK set (RFC 7517). Of the
 * latter those are left out that are not for verifying RS256, ES256 or EdDSA, or are too weak;
 * secrets, too. ERR_INVALID_ARGUMENT, with *why, if no key is left, if the JSON has a member twice,
 * or if two keys have one name; ERR_UNAVAILABLE.
 */
enum err jwt_keys_parse(struct slice text, struct jwt_keys **ret, const char **why) MUST_USE;
/* A set of a secret for HS256. What looks like a public key is refused: it is no secret. */
enum err jwt_keys_secret(struct slice secret, struct jwt_keys **ret, const char **why) MUST_USE;

/* NULL is allowed. */
struct jwt_keys *jwt_keys_share(struct jwt_keys *keys);
void jwt_keys_release(struct jwt_keys *keys);

/*
 * The key for a token: the one that it names and that has its algorithm; or, if token or key have
 * no name, the only one of the algorithm. A key never serves another algorithm than its own. NULL:
 * there is none, or it cannot be told which.
 */
const struct signature_key *jwt_keys_find(const struct jwt_keys *keys,
	enum signature_algorithm algorithm, bool has_name, struct slice name);

#endif
