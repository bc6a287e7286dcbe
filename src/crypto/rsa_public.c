/* SPDX-License-Identifier: Apache-2.0 */
/* The public half of rsa.h, which logs nothing: libpostern has it. */
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

#include "crypto/rsa_internal.h"

struct rsa_public {
	EVP_PKEY *pkey;
	EVP_PKEY_CTX *verifying; /* set up; each use has a copy, which is quicker to make */
};

static bool prepare(struct rsa_public *key)
{
	key->verifying = EVP_PKEY_CTX_new(key->pkey, NULL);
	return key->verifying && EVP_PKEY_verify_init(key->verifying) == 1 &&
	       choose_padding(key->verifying);
}

enum err rsa_public_parse(struct slice pem, struct rsa_public **ret)
{
	if (pem.len > LIMIT_PUBLIC_KEY_BYTES)
		return ERR_INVALID_ARGUMENT;
	CLEANUP(scoped_bio) BIO *bio = BIO_new_mem_buf(pem.ptr, (int)pem.len);
	if (!bio)
		return ERR_UNAVAILABLE;
	CLEANUP(scoped_pkey) EVP_PKEY *pkey = PEM_read_bio_PUBKEY(bio, NULL, no_password, NULL);
	ERR_clear_error();
	if (!pkey || !acceptable(pkey))
		return ERR_INVALID_ARGUMENT;
	struct rsa_public *key = calloc(1, sizeof(*key));
	if (!key)
		return ERR_UNAVAILABLE;
	key->pkey = TAKE(pkey);
	if (!prepare(key)) {
		ERR_clear_error();
		rsa_public_free(key);
		return ERR_UNAVAILABLE;
	}
	*ret = key;
	return ERR_OK;
}

void rsa_public_free(struct rsa_public *key)
{
	if (!key)
		return;
	EVP_PKEY_CTX_free(key->verifying);
	EVP_PKEY_free(key->pkey);
	free(key);
}

bool rsa_public_verify_md5(
	const struct rsa_public *key, const uint8_t digest[MD5_BYTES], struct slice signature)
{
	CLEANUP(scoped_ctx) EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_dup(key->verifying);
	bool ok = ctx && EVP_PKEY_verify(ctx, (const unsigned char *)signature.ptr, signature.len,
				 digest, MD5_BYTES) == 1;
	ERR_clear_error();
	return ok;
}

bool rsa_public_recover_md5(
	const struct rsa_public *key, struct slice signature, uint8_t ret[MD5_BYTES])
{
	unsigned char room[LIMIT_RSA_BITS / 8];
	size_t len = sizeof(room);
	CLEANUP(scoped_ctx) EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(key->pkey, NULL);
	bool ok = ctx && EVP_PKEY_verify_recover_init(ctx) == 1 && choose_padding(ctx) &&
		  EVP_PKEY_verify_recover(ctx, room, &len, (const unsigned char *)signature.ptr,
			  signature.len) == 1 &&
		  len == MD5_BYTES;
	ERR_clear_error();
	if (ok)
		memcpy(ret, room, MD5_BYTES);
	return ok;
}
