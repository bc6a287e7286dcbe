/* SPDX-License-Identifier: Apache-2.0 */
/* What both halves of rsa.h need of OpenSSL. For rsa*.c only. */
#ifndef CRYPTO_RSA_INTERNAL_H
#define CRYPTO_RSA_INTERNAL_H

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

#include "base/limits.h"
#include "crypto/rsa.h"

static inline void scoped_pkey(EVP_PKEY **pkey)
{
	EVP_PKEY_free(*pkey);
}

static inline void scoped_bio(BIO **bio)
{
	BIO_free_all(*bio);
}

static inline void scoped_ctx(EVP_PKEY_CTX **ctx)
{
	EVP_PKEY_CTX_free(*ctx);
}

/* Without this an encrypted key would make the library ask for a password on the terminal. */
static inline int no_password(
	char *buf UNUSED, int size UNUSED, int writing UNUSED, void *context UNUSED)
{
	return -1;
}

static inline bool acceptable(const EVP_PKEY *pkey)
{
	return EVP_PKEY_is_a(pkey, "RSA") && EVP_PKEY_get_bits(pkey) <= LIMIT_RSA_BITS;
}

static inline bool choose_padding(EVP_PKEY_CTX *ctx)
{
	return EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PADDING) == 1 &&
	       EVP_PKEY_CTX_set_signature_md(ctx, EVP_md5()) == 1;
}

#endif
