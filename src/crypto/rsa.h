/* SPDX-License-Identifier: Apache-2.0 */
/*
 * RSA keys for the signatures of callbacks: PKCS#1 v1.5 over MD5. OSS's own key has 512 bits, so
 * small keys must verify; what such a signature is worth is said in docs/threat-model.md.
 *
 * A key does not change once made: any number of threads may use one at the same time.
 */
#ifndef CRYPTO_RSA_H
#define CRYPTO_RSA_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/slice.h"
#include "base/strbuf.h"
#include "crypto/digest.h"
#include "crypto/secret.h"

struct rsa_private;
struct rsa_public;

/* A new key; `bits` is at least 512. Takes a large part of a second for 2048. */
enum err rsa_private_generate(unsigned bits, struct rsa_private **ret) MUST_USE;
/* PEM (PKCS#8, unencrypted). ERR_INVALID_ARGUMENT if the text is anything else. */
enum err rsa_private_parse(struct slice pem, struct rsa_private **ret) MUST_USE;
void rsa_private_free(struct rsa_private *key);

/* The key as PEM (PKCS#8, unencrypted), to be kept where only its owner can read. */
enum err rsa_private_pem(const struct rsa_private *key, struct secret *ret) MUST_USE;
/* Appends its public half as PEM (X.509 SubjectPublicKeyInfo). */
enum err rsa_private_public_pem(const struct rsa_private *key, struct strbuf *out) MUST_USE;

/* Appends the signature of an MD5 digest: as many bytes as the key has. */
enum err rsa_private_sign_md5(const struct rsa_private *key, const uint8_t digest[MD5_BYTES],
	struct strbuf *out) MUST_USE;

/*
 * A public key as PEM (X.509 SubjectPublicKeyInfo) from anybody: ERR_INVALID_ARGUMENT if it is
 * longer than LIMIT_PUBLIC_KEY_BYTES, not such a PEM, not RSA, or of more than LIMIT_RSA_BITS.
 */
enum err rsa_public_parse(struct slice pem, struct rsa_public **ret) MUST_USE;
void rsa_public_free(struct rsa_public *key);

/* Whether `signature` is that of the digest. Any signature of any length may be asked about. */
bool rsa_public_verify_md5(const struct rsa_public *key, const uint8_t digest[MD5_BYTES],
	struct slice signature) MUST_USE;

/*
 * The MD5 digest that `signature` was made of, if `key`'s owner made it; false otherwise. To find
 * out what was signed when a signature does not verify; rsa_public_verify_md5() is what decides.
 */
bool rsa_public_recover_md5(
	const struct rsa_public *key, struct slice signature, uint8_t ret[MD5_BYTES]) MUST_USE;

#endif
