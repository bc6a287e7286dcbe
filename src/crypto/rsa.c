/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/rsa.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

#include "base/log.h"
#include "crypto/rsa_internal.h"

/* It and struct rsa_public are handles of the library's key; the two types keep a public key from
 * being signed with. */
struct rsa_private {
	EVP_PKEY *pkey;
};

/* A fault of the library. Its queue of errors must not stay behind for the next caller. */
static enum err fault(const char *what)
{
	char text[128];
	ERR_error_string_n(ERR_get_error(), text, sizeof(text));
	ERR_clear_error();
	log_error("%s: %s", what, text);
	return ERR_INTERNAL;
}

/* Takes the key out of *pkey. */
static enum err make_private(EVP_PKEY **pkey, struct rsa_private **ret)
{
	struct rsa_private *key = malloc(sizeof(*key));
	if (!key)
		return ERR_UNAVAILABLE;
	key->pkey = TAKE(*pkey);
	*ret = key;
	return ERR_OK;
}

enum err rsa_private_generate(unsigned bits, struct rsa_private **ret)
{
	CLEANUP(scoped_pkey) EVP_PKEY *pkey = EVP_RSA_gen(bits);
	if (!pkey)
		return fault("making an RSA key");
	return make_private(&pkey, ret);
}

enum err rsa_private_parse(struct slice pem, struct rsa_private **ret)
{
	if (pem.len > LIMIT_PRIVATE_KEY_BYTES)
		return ERR_INVALID_ARGUMENT;
	CLEANUP(scoped_bio) BIO *bio = BIO_new_mem_buf(pem.ptr, (int)pem.len);
	if (!bio)
		return fault("reading a private key");
	CLEANUP(scoped_pkey)
	EVP_PKEY *pkey = PEM_read_bio_PrivateKey(bio, NULL, no_password, NULL);
	ERR_clear_error();
	if (!pkey || !acceptable(pkey))
		return ERR_INVALID_ARGUMENT;
	return make_private(&pkey, ret);
}

void rsa_private_free(struct rsa_private *key)
{
	if (!key)
		return;
	EVP_PKEY_free(key->pkey);
	free(key);
}

enum err rsa_private_pem(const struct rsa_private *key, struct secret *ret)
{
	/* Memory of this kind is cleared when it is freed. */
	CLEANUP(scoped_bio) BIO *bio = BIO_new(BIO_s_secmem());
	if (!bio || PEM_write_bio_PKCS8PrivateKey(bio, key->pkey, NULL, NULL, 0, NULL, NULL) != 1)
		return fault("writing a private key");
	char *text;
	long len = BIO_get_mem_data(bio, &text);
	return secret_set(ret, slice_of(text, (size_t)len)) ? ERR_OK : ERR_UNAVAILABLE;
}

enum err rsa_private_public_pem(const struct rsa_private *key, struct strbuf *out)
{
	CLEANUP(scoped_bio) BIO *bio = BIO_new(BIO_s_mem());
	if (!bio || PEM_write_bio_PUBKEY(bio, key->pkey) != 1)
		return fault("writing a public key");
	char *text;
	long len = BIO_get_mem_data(bio, &text);
	strbuf_add(out, text, (size_t)len);
	return strbuf_broken(out) ? ERR_UNAVAILABLE : ERR_OK;
}

enum err rsa_private_sign_md5(
	const struct rsa_private *key, const uint8_t digest[MD5_BYTES], struct strbuf *out)
{
	CLEANUP(scoped_ctx) EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(key->pkey, NULL);
	if (!ctx || EVP_PKEY_sign_init(ctx) != 1 || !choose_padding(ctx))
		return fault("signing");
	size_t before = out->len;
	size_t len = (size_t)EVP_PKEY_get_size(key->pkey);
	char *room = strbuf_extend(out, len);
	if (!room)
		return ERR_UNAVAILABLE;
	if (EVP_PKEY_sign(ctx, (unsigned char *)room, &len, digest, MD5_BYTES) != 1) {
		strbuf_truncate(out, before);
		return fault("signing");
	}
	strbuf_truncate(out, before + len);
	return ERR_OK;
}
