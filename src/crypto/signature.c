/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/signature.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ecdsa.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <openssl/pem.h>

#include "base/limits.h"
#include "crypto/hmac.h"
#include "crypto/secret.h"

#define P256_POINT_BYTES (1 + 2 * SIGNATURE_P256_BYTES)
#define P256_SIGNATURE_BYTES (2 * SIGNATURE_P256_BYTES)
#define P256_DER_BYTES_MAX 80

struct signature_key {
	enum signature_algorithm algorithm;
	struct hmac_sha256 hmac; /* of SIGNATURE_HS256 */
	EVP_PKEY *pkey;          /* of the others */
	EVP_MD_CTX *verifying;   /* theirs, ready to verify; each use has a copy */
};

static void scoped_pkey(EVP_PKEY **pkey)
{
	EVP_PKEY_free(*pkey);
}

static void scoped_bio(BIO **bio)
{
	BIO_free_all(*bio);
}

static void scoped_bn(BIGNUM **number)
{
	BN_free(*number);
}

static void scoped_md_ctx(EVP_MD_CTX **ctx)
{
	EVP_MD_CTX_free(*ctx);
}

static void scoped_pkey_ctx(EVP_PKEY_CTX **ctx)
{
	EVP_PKEY_CTX_free(*ctx);
}

static void scoped_builder(OSSL_PARAM_BLD **builder)
{
	OSSL_PARAM_BLD_free(*builder);
}

static void scoped_params(OSSL_PARAM **params)
{
	OSSL_PARAM_free(*params);
}

static void scoped_ecdsa(ECDSA_SIG **signature)
{
	ECDSA_SIG_free(*signature);
}

static enum err refuse(const char **why, const char *text)
{
	ERR_clear_error();
	*why = text;
	return ERR_INVALID_ARGUMENT;
}

/* ---- Making keys ------------------------------------------------------------------------------
 */

/* A context takes longer to set up than to copy. */
static bool prepare(struct signature_key *key)
{
	const EVP_MD *digest = key->algorithm == SIGNATURE_EDDSA ? NULL : EVP_sha256();
	key->verifying = EVP_MD_CTX_new();
	return key->verifying &&
	       EVP_DigestVerifyInit(key->verifying, NULL, digest, NULL, key->pkey) == 1;
}

static enum err make(
	enum signature_algorithm algorithm, EVP_PKEY **pkey, struct signature_key **ret)
{
	struct signature_key *key = calloc(1, sizeof(*key));
	if (!key)
		return ERR_UNAVAILABLE;
	key->algorithm = algorithm;
	key->pkey = TAKE(*pkey);
	if (key->pkey && !prepare(key)) {
		ERR_clear_error();
		signature_key_free(key);
		return ERR_UNAVAILABLE;
	}
	*ret = key;
	return ERR_OK;
}

static bool is_p256(const EVP_PKEY *pkey)
{
	char group[32];
	size_t len;
	return EVP_PKEY_is_a(pkey, "EC") &&
	       EVP_PKEY_get_group_name(pkey, group, sizeof(group), &len) == 1 &&
	       strcmp(group, SN_X9_62_prime256v1) == 0;
}

/* RFC 7518 section 3.3: a key of 2,048 bits or more. Even exponents and 1 are no keys. */
static const char *rsa_fault(const EVP_PKEY *pkey)
{
	CLEANUP(scoped_bn) BIGNUM *exponent = NULL;
	if (EVP_PKEY_get_bits(pkey) < LIMIT_RSA_BITS_MIN)
		return "the RSA key has less than 2048 bits";
	if (EVP_PKEY_get_bits(pkey) > LIMIT_RSA_BITS)
		return "the RSA key has more than 8192 bits";
	if (EVP_PKEY_get_bn_param(pkey, OSSL_PKEY_PARAM_RSA_E, &exponent) != 1 ||
		!BN_is_odd(exponent) || BN_is_one(exponent) || BN_num_bits(exponent) > 64)
		return "the RSA key has no usable exponent";
	return NULL;
}

static bool is_point(EVP_PKEY *pkey)
{
	CLEANUP(scoped_pkey_ctx) EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(pkey, NULL);
	return ctx && EVP_PKEY_public_check(ctx) == 1;
}

/* Takes the key out of *pkey, if it is one that we use. */
static enum err accept(EVP_PKEY **pkey, struct signature_key **ret, const char **why)
{
	if (EVP_PKEY_is_a(*pkey, "RSA")) {
		const char *fault = rsa_fault(*pkey);
		return fault ? refuse(why, fault) : make(SIGNATURE_RS256, pkey, ret);
	}
	if (is_p256(*pkey))
		return is_point(*pkey) ? make(SIGNATURE_ES256, pkey, ret)
				       : refuse(why, "the key is not a point of P-256");
	if (EVP_PKEY_is_a(*pkey, "ED25519"))
		return make(SIGNATURE_EDDSA, pkey, ret);
	return refuse(why, "the key is neither RSA, nor P-256, nor Ed25519");
}

enum err signature_key_secret(struct slice secret, struct signature_key **ret, const char **why)
{
	if (secret.len < LIMIT_HMAC_KEY_BYTES_MIN)
		return refuse(why, "the secret has less than 32 bytes");
	EVP_PKEY *none = NULL;
	enum err e = make(SIGNATURE_HS256, &none, ret);
	if (!e)
		hmac_sha256_key(&(*ret)->hmac, secret);
	return e;
}

static enum err from_params(const char *type, OSSL_PARAM_BLD *builder, struct signature_key **ret,
	const char **why, const char *fault)
{
	CLEANUP(scoped_params) OSSL_PARAM *params = OSSL_PARAM_BLD_to_param(builder);
	CLEANUP(scoped_pkey_ctx) EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, type, NULL);
	CLEANUP(scoped_pkey) EVP_PKEY *pkey = NULL;
	if (!params || !ctx)
		return ERR_UNAVAILABLE;
	if (EVP_PKEY_fromdata_init(ctx) != 1 ||
		EVP_PKEY_fromdata(ctx, &pkey, EVP_PKEY_PUBLIC_KEY, params) != 1)
		return refuse(why, fault);
	return accept(&pkey, ret, why);
}

enum err signature_key_rsa(
	struct slice modulus, struct slice exponent, struct signature_key **ret, const char **why)
{
	CLEANUP(scoped_bn) BIGNUM *n = NULL;
	CLEANUP(scoped_bn) BIGNUM *e = NULL;
	CLEANUP(scoped_builder) OSSL_PARAM_BLD *builder = OSSL_PARAM_BLD_new();
	if (modulus.len > LIMIT_RSA_BITS / 8 + 1 || exponent.len > LIMIT_RSA_BITS / 8)
		return refuse(why, "the RSA key has more than 8192 bits");
	n = BN_bin2bn((const unsigned char *)modulus.ptr, (int)modulus.len, NULL);
	e = BN_bin2bn((const unsigned char *)exponent.ptr, (int)exponent.len, NULL);
	if (!builder || !n || !e ||
		OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_RSA_N, n) != 1 ||
		OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_RSA_E, e) != 1)
		return ERR_UNAVAILABLE;
	return from_params("RSA", builder, ret, why, "the numbers are no RSA key");
}

enum err signature_key_p256(
	struct slice x, struct slice y, struct signature_key **ret, const char **why)
{
	unsigned char point[P256_POINT_BYTES] = {POINT_CONVERSION_UNCOMPRESSED};
	CLEANUP(scoped_builder) OSSL_PARAM_BLD *builder = OSSL_PARAM_BLD_new();
	if (x.len != SIGNATURE_P256_BYTES || y.len != SIGNATURE_P256_BYTES)
		return refuse(why, "a coordinate of P-256 has 32 bytes");
	memcpy(point + 1, x.ptr, x.len);
	memcpy(point + 1 + x.len, y.ptr, y.len);
	if (!builder ||
		OSSL_PARAM_BLD_push_utf8_string(
			builder, OSSL_PKEY_PARAM_GROUP_NAME, SN_X9_62_prime256v1, 0) != 1 ||
		OSSL_PARAM_BLD_push_octet_string(
			builder, OSSL_PKEY_PARAM_PUB_KEY, point, sizeof(point)) != 1)
		return ERR_UNAVAILABLE;
	return from_params("EC", builder, ret, why, "the key is not a point of P-256");
}

enum err signature_key_ed25519(struct slice bytes, struct signature_key **ret, const char **why)
{
	if (bytes.len != SIGNATURE_ED25519_BYTES)
		return refuse(why, "a key of Ed25519 has 32 bytes");
	CLEANUP(scoped_pkey)
	EVP_PKEY *pkey = EVP_PKEY_new_raw_public_key(
		EVP_PKEY_ED25519, NULL, (const unsigned char *)bytes.ptr, bytes.len);
	if (!pkey)
		return refuse(why, "the key is none of Ed25519");
	return accept(&pkey, ret, why);
}

/* Without this an encrypted key would make the library ask for a password on the terminal. */
static int no_password(char *buf UNUSED, int size UNUSED, int writing UNUSED, void *context UNUSED)
{
	return -1;
}

enum err signature_key_pem(struct slice pem, struct signature_key **ret, const char **why)
{
	if (pem.len > LIMIT_PUBLIC_KEY_BYTES)
		return refuse(why, "the file is longer than a public key is");
	CLEANUP(scoped_bio) BIO *bio = BIO_new_mem_buf(pem.ptr, (int)pem.len);
	if (!bio)
		return ERR_UNAVAILABLE;
	CLEANUP(scoped_pkey) EVP_PKEY *pkey = PEM_read_bio_PUBKEY(bio, NULL, no_password, NULL);
	ERR_clear_error();
	if (!pkey)
		return refuse(why, "there is no `BEGIN PUBLIC KEY` that can be read");
	return accept(&pkey, ret, why);
}

void signature_key_free(struct signature_key *key)
{
	if (!key)
		return;
	EVP_MD_CTX_free(key->verifying);
	EVP_PKEY_free(key->pkey);
	secret_wipe(&key->hmac, sizeof(key->hmac));
	free(key);
}

enum signature_algorithm signature_key_algorithm(const struct signature_key *key)
{
	return key->algorithm;
}

/* ---- Verifying --------------------------------------------------------------------------------
 */

static bool verify_hmac(const struct signature_key *key, struct slice text, struct slice signature)
{
	uint8_t want[SHA256_BYTES];
	hmac_sha256_sign(&key->hmac, text, want);
	return slice_eq_secret(slice_of(want, sizeof(want)), signature);
}

static bool verify_pkey(const struct signature_key *key, struct slice text, struct slice signature)
{
	CLEANUP(scoped_md_ctx) EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	bool ok = ctx && EVP_MD_CTX_copy_ex(ctx, key->verifying) == 1 &&
		  EVP_DigestVerify(ctx, (const unsigned char *)signature.ptr, signature.len,
			  (const unsigned char *)text.ptr, text.len) == 1;
	ERR_clear_error();
	return ok;
}

/* The library wants the two numbers in DER. */
static bool verify_p256(const struct signature_key *key, struct slice text, struct slice signature)
{
	unsigned char der[P256_DER_BYTES_MAX], *to = der;
	const unsigned char *bytes = (const unsigned char *)signature.ptr;
	CLEANUP(scoped_ecdsa) ECDSA_SIG *pair = ECDSA_SIG_new();
	CLEANUP(scoped_bn) BIGNUM *r = NULL;
	CLEANUP(scoped_bn) BIGNUM *s = NULL;
	if (signature.len != P256_SIGNATURE_BYTES || !pair)
		return false;
	r = BN_bin2bn(bytes, SIGNATURE_P256_BYTES, NULL);
	s = BN_bin2bn(bytes + SIGNATURE_P256_BYTES, SIGNATURE_P256_BYTES, NULL);
	if (!r || !s || ECDSA_SIG_set0(pair, r, s) != 1)
		return false;
	r = s = NULL; /* they are the pair's */
	int len = i2d_ECDSA_SIG(pair, NULL);
	if (len <= 0 || len > P256_DER_BYTES_MAX || i2d_ECDSA_SIG(pair, &to) != len)
		return false;
	return verify_pkey(key, text, slice_of(der, (size_t)len));
}

bool signature_verify(const struct signature_key *key, struct slice text, struct slice signature)
{
	switch (key->algorithm) {
	case SIGNATURE_HS256:
		return verify_hmac(key, text, signature);
	case SIGNATURE_RS256:
	case SIGNATURE_EDDSA:
		return verify_pkey(key, text, signature);
	case SIGNATURE_ES256:
		return verify_p256(key, text, signature);
	}
	return false;
}
