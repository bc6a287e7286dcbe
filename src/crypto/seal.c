/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/seal.h"

#include <openssl/err.h>
#include <openssl/evp.h>

#include "crypto/random.h"
#include "crypto/secret.h"

enum {
	NONCE_BYTES = 12,
	TAG_BYTES = 16,
	BYTES_MAX = 1 << 20, /* lengths are `int` in the library */
};

static void scoped_cipher(EVP_CIPHER_CTX **ctx)
{
	EVP_CIPHER_CTX_free(*ctx);
}

static const unsigned char *bytes_of(struct slice s)
{
	return (const unsigned char *)(s.len ? s.ptr : "");
}

/* Writes sealed.len bytes from `at` on, nonce first. */
static bool encrypt(
	const uint8_t key[SEAL_KEY_BYTES], struct slice purpose, struct slice bytes, char *at)
{
	CLEANUP(scoped_cipher) EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	unsigned char *nonce = (unsigned char *)at;
	unsigned char *out = nonce + NONCE_BYTES;
	int len = 0, rest = 0;
	random_bytes(nonce, NONCE_BYTES);
	return ctx && EVP_EncryptInit_ex(ctx, EVP_aes_256_gcm(), NULL, key, nonce) == 1 &&
	       EVP_EncryptUpdate(ctx, NULL, &len, bytes_of(purpose), (int)purpose.len) == 1 &&
	       EVP_EncryptUpdate(ctx, out, &len, bytes_of(bytes), (int)bytes.len) == 1 &&
	       EVP_EncryptFinal_ex(ctx, out + len, &rest) == 1 &&
	       EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_GCM_GET_TAG, TAG_BYTES, out + bytes.len) == 1;
}

static bool decrypt(
	const uint8_t key[SEAL_KEY_BYTES], struct slice purpose, struct slice sealed, char *at)
{
	CLEANUP(scoped_cipher) EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	const unsigned char *nonce = bytes_of(sealed);
	const unsigned char *in = nonce + NONCE_BYTES;
	unsigned char *out = (unsigned char *)at;
	unsigned char tag[TAG_BYTES];
	int len = 0, rest = 0, in_len = (int)(sealed.len - SEAL_EXTRA_BYTES);
	memcpy(tag, in + in_len, TAG_BYTES);
	return ctx && EVP_DecryptInit_ex(ctx, EVP_aes_256_gcm(), NULL, key, nonce) == 1 &&
	       EVP_DecryptUpdate(ctx, NULL, &len, bytes_of(purpose), (int)purpose.len) == 1 &&
	       EVP_DecryptUpdate(ctx, out, &len, in, in_len) == 1 &&
	       EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_GCM_SET_TAG, TAG_BYTES, tag) == 1 &&
	       EVP_DecryptFinal_ex(ctx, out + len, &rest) == 1;
}

bool seal(const uint8_t key[SEAL_KEY_BYTES], struct slice purpose, struct slice bytes,
	struct strbuf *out)
{
	size_t before = out->len;
	char *at = bytes.len <= BYTES_MAX ? strbuf_extend(out, bytes.len + SEAL_EXTRA_BYTES) : NULL;
	if (!at)
		return false;
	if (encrypt(key, purpose, bytes, at))
		return true;
	ERR_clear_error();
	strbuf_truncate(out, before);
	return false;
}

bool seal_open(const uint8_t key[SEAL_KEY_BYTES], struct slice purpose, struct slice sealed,
	struct strbuf *out)
{
	size_t before = out->len;
	if (sealed.len < SEAL_EXTRA_BYTES || sealed.len > BYTES_MAX)
		return false;
	size_t len = sealed.len - SEAL_EXTRA_BYTES;
	char *at = strbuf_extend(out, len);
	if (!at)
		return false;
	if (decrypt(key, purpose, sealed, at))
		return true;
	ERR_clear_error();
	secret_wipe(at, len);
	strbuf_truncate(out, before);
	return false;
}
