/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Over OpenSSL's direct functions rather than EVP: an EVP context has to be allocated, so it can
 * fail, be leaked, and not be copied for nothing, and it costs 30 to 60 ns more for each short
 * text. OpenSSL 3 marks the direct functions as deprecated in favour of EVP; they run the same
 * assembly, and this file is the one place that would change.
 */
#define OPENSSL_SUPPRESS_DEPRECATED
#include "crypto/digest.h"

#include <openssl/md5.h>
#include <openssl/sha.h>

#define FITS(type, context)                                             \
	static_assert(sizeof(struct type) >= sizeof(context) &&         \
			      alignof(struct type) >= alignof(context), \
		#context " must fit into struct " #type)

#include <assert.h>

FITS(digest_md5, MD5_CTX);
FITS(digest_sha1, SHA_CTX);
FITS(digest_sha256, SHA256_CTX);

static MD5_CTX *md5(struct digest_md5 *d)
{
	return (MD5_CTX *)(void *)d->state_;
}

static SHA_CTX *sha1(struct digest_sha1 *d)
{
	return (SHA_CTX *)(void *)d->state_;
}

static SHA256_CTX *sha256(struct digest_sha256 *d)
{
	return (SHA256_CTX *)(void *)d->state_;
}

/* None of the direct functions has a way to fail. */

void digest_md5_init(struct digest_md5 *d)
{
	(void)MD5_Init(md5(d));
}

void digest_md5_update(struct digest_md5 *d, struct slice bytes)
{
	(void)MD5_Update(md5(d), bytes.ptr, bytes.len);
}

void digest_md5_final(struct digest_md5 *d, uint8_t ret[MD5_BYTES])
{
	(void)MD5_Final(ret, md5(d));
}

void digest_sha1_init(struct digest_sha1 *d)
{
	(void)SHA1_Init(sha1(d));
}

void digest_sha1_update(struct digest_sha1 *d, struct slice bytes)
{
	(void)SHA1_Update(sha1(d), bytes.ptr, bytes.len);
}

void digest_sha1_final(struct digest_sha1 *d, uint8_t ret[SHA1_BYTES])
{
	(void)SHA1_Final(ret, sha1(d));
}

void digest_sha256_init(struct digest_sha256 *d)
{
	(void)SHA256_Init(sha256(d));
}

void digest_sha256_update(struct digest_sha256 *d, struct slice bytes)
{
	(void)SHA256_Update(sha256(d), bytes.ptr, bytes.len);
}

void digest_sha256_final(struct digest_sha256 *d, uint8_t ret[SHA256_BYTES])
{
	(void)SHA256_Final(ret, sha256(d));
}

void md5_of(struct slice bytes, uint8_t ret[MD5_BYTES])
{
	struct digest_md5 d;
	digest_md5_init(&d);
	digest_md5_update(&d, bytes);
	digest_md5_final(&d, ret);
}

void sha1_of(struct slice bytes, uint8_t ret[SHA1_BYTES])
{
	struct digest_sha1 d;
	digest_sha1_init(&d);
	digest_sha1_update(&d, bytes);
	digest_sha1_final(&d, ret);
}

void sha256_of(struct slice bytes, uint8_t ret[SHA256_BYTES])
{
	struct digest_sha256 d;
	digest_sha256_init(&d);
	digest_sha256_update(&d, bytes);
	digest_sha256_final(&d, ret);
}
