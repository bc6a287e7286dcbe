/* SPDX-License-Identifier: Apache-2.0 */
/*
 * HMAC (RFC 2104) with SHA-1 and SHA-256. A keyed value is made once per key and kept: signing
 * with it skips the work on the key, which is most of the work for a short text. It is a plain
 * value that may be copied; signing does not change it, so several threads may sign with one.
 *
 * A keyed value is as good as the key itself: clear it with secret_wipe() when it is done with.
 */
#ifndef CRYPTO_HMAC_H
#define CRYPTO_HMAC_H

#include <stdint.h>

#include "base/slice.h"
#include "crypto/digest.h"

struct hmac_sha1 {
	struct digest_sha1 inner_;
	struct digest_sha1 outer_;
};

struct hmac_sha256 {
	struct digest_sha256 inner_;
	struct digest_sha256 outer_;
};

void hmac_sha1_key(struct hmac_sha1 *ret, struct slice key);
void hmac_sha1_sign(const struct hmac_sha1 *keyed, struct slice text, uint8_t ret[SHA1_BYTES]);

void hmac_sha256_key(struct hmac_sha256 *ret, struct slice key);
void hmac_sha256_sign(
	const struct hmac_sha256 *keyed, struct slice text, uint8_t ret[SHA256_BYTES]);

/* With a key that is used once. */
void hmac_sha1_of(struct slice key, struct slice text, uint8_t ret[SHA1_BYTES]);
void hmac_sha256_of(struct slice key, struct slice text, uint8_t ret[SHA256_BYTES]);

#endif
