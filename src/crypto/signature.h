/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Keys that verify signatures in the forms of JOSE (RFC 7518, RFC 8037). A key has one algorithm,
 * which is decided by what kind of key it is and by nothing that comes with a signature.
 *
 * A key does not change once made: any number of threads may use one at the same time.
 */
#ifndef CRYPTO_SIGNATURE_H
#define CRYPTO_SIGNATURE_H

#include <stdbool.h>

#include "base/err.h"
#include "base/slice.h"

enum signature_algorithm {
	SIGNATURE_HS256, /* HMAC with SHA-256; the key is a secret */
	SIGNATURE_RS256, /* RSA, PKCS#1 v1.5, SHA-256 */
	SIGNATURE_ES256, /* ECDSA on P-256, SHA-256; r and s of 32 bytes each */
	SIGNATURE_EDDSA, /* Ed25519 */
};

#define SIGNATURE_ED25519_BYTES 32
#define SIGNATURE_P256_BYTES 32 /* of a coordinate */

struct signature_key;

/*
 * Each makes a key, or says in *why (a constant text) why it is none: ERR_INVALID_ARGUMENT.
 * ERR_UNAVAILABLE without memory.
 *
 * A secret has at least LIMIT_HMAC_KEY_BYTES_MIN; an RSA key has from LIMIT_RSA_BITS_MIN to
 * LIMIT_RSA_BITS. Numbers are unsigned, the first byte first.
 */
enum err signature_key_secret(
	struct slice secret, struct signature_key **ret, const char **why) MUST_USE;
enum err signature_key_rsa(struct slice modulus, struct slice exponent, struct signature_key **ret,
	const char **why) MUST_USE;
enum err signature_key_p256(
	struct slice x, struct slice y, struct signature_key **ret, const char **why) MUST_USE;
enum err signature_key_ed25519(
	struct slice bytes, struct signature_key **ret, const char **why) MUST_USE;
/* PEM (X.509 SubjectPublicKeyInfo) of one of the last three. */
enum err signature_key_pem(struct slice pem, struct signature_key **ret, const char **why) MUST_USE;

/* NULL is allowed. */
void signature_key_free(struct signature_key *key);

enum signature_algorithm signature_key_algorithm(const struct signature_key *key);

/* Whether `signature` is that of `text`. Any signature of any length may be asked about. */
bool signature_verify(
	const struct signature_key *key, struct slice text, struct slice signature) MUST_USE;

#endif
