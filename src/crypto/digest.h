/* SPDX-License-Identifier: Apache-2.0 */
/*
 * MD5, SHA-1 and SHA-256. The state is a plain value: it lives on the stack or inside another
 * structure, costs no allocation, cannot fail, may be copied (which forks the stream) and needs
 * no release. A state belongs to one thread at a time.
 *
 *	struct digest_md5 md5;
 *	digest_md5_init(&md5);
 *	digest_md5_update(&md5, piece);
 *	digest_md5_final(&md5, bytes);
 */
#ifndef CRYPTO_DIGEST_H
#define CRYPTO_DIGEST_H

#include <stdalign.h>
#include <stdint.h>

#include "base/slice.h"

#define MD5_BYTES 16
#define SHA1_BYTES 20
#define SHA256_BYTES 32

struct digest_md5 {
	alignas(8) unsigned char state_[96];
};
struct digest_sha1 {
	alignas(8) unsigned char state_[96];
};
struct digest_sha256 {
	alignas(8) unsigned char state_[112];
};

void digest_md5_init(struct digest_md5 *d);
void digest_md5_update(struct digest_md5 *d, struct slice bytes);
/* The state must be initialised again before it is used again. */
void digest_md5_final(struct digest_md5 *d, uint8_t ret[MD5_BYTES]);

void digest_sha1_init(struct digest_sha1 *d);
void digest_sha1_update(struct digest_sha1 *d, struct slice bytes);
void digest_sha1_final(struct digest_sha1 *d, uint8_t ret[SHA1_BYTES]);

void digest_sha256_init(struct digest_sha256 *d);
void digest_sha256_update(struct digest_sha256 *d, struct slice bytes);
void digest_sha256_final(struct digest_sha256 *d, uint8_t ret[SHA256_BYTES]);

/* All at once. */
void md5_of(struct slice bytes, uint8_t ret[MD5_BYTES]);
void sha1_of(struct slice bytes, uint8_t ret[SHA1_BYTES]);
void sha256_of(struct slice bytes, uint8_t ret[SHA256_BYTES]);

#endif
