/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "base/encode.h"
#include "base/limits.h"
#include "crypto/rsa.h"
#include "tap.h"

/* A key and a signature made with the openssl command, of the size of OSS's own key. */
static const char small_key[] = "-----BEGIN PUBLIC KEY-----\n"
				"MFwwDQYJKoZIhvcNAQEBBQADSwAwSAJBALYBMyR0ePBzpyYQhdgBPL+3cl1CiCZC\n"
				"9ozhu7IR3n86jS/KJW8C55DaxU1pdY10IS1c8+gCgNLkKuuCqv7yHnUCAwEAAQ==\n"
				"-----END PUBLIC KEY-----\n";
static const char small_signature[] = "nmzxtKeRNvlplAJj6iDnI817gCc7JKHcfpHWKb8ho6+"
				      "iA5+K4uEY6aIaHkIT5DWFepKwDlgxaOwL+MHdZH20RQ==";
static const char curve_key[] = "-----BEGIN PUBLIC KEY-----\n"
				"MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEKm/nIBeIwmLpv+UqcoCgJNGs+ftg\n"
				"8Hev33D/sPG2R+0eRdQf5hBaVz318lu9/nhEDE8jW1GV+fh2mZ8fsAM3gw==\n"
				"-----END PUBLIC KEY-----\n";

static void known_signature(void)
{
	struct rsa_public *key = NULL;
	SCOPED_STRBUF(signature, 1024);
	uint8_t digest[MD5_BYTES];
	md5_of(S("a signed text"), digest);
	IS_INT(rsa_public_parse(slice_str(small_key), &key), ERR_OK, "a 512-bit key is read");
	OK(base64_decode(&signature, slice_str(small_signature)), "the signature's text");
	OK(rsa_public_verify_md5(key, digest, strbuf_slice(&signature)), "its signature verifies");

	signature.ptr[7] ^= 1;
	OK(!rsa_public_verify_md5(key, digest, strbuf_slice(&signature)), "a bit changed");
	signature.ptr[7] ^= 1;
	OK(!rsa_public_verify_md5(key, digest, slice_head(strbuf_slice(&signature), 63)),
		"too short");
	strbuf_addc(&signature, 0);
	OK(!rsa_public_verify_md5(key, digest, strbuf_slice(&signature)), "too long");
	OK(!rsa_public_verify_md5(key, digest, S("")), "nothing");
	strbuf_truncate(&signature, 64);
	md5_of(S("another text"), digest);
	OK(!rsa_public_verify_md5(key, digest, strbuf_slice(&signature)), "another text");
	rsa_public_free(key);
}

static void own_key(void)
{
	struct rsa_private *made = NULL, *loaded = NULL;
	struct rsa_public *half = NULL;
	SCOPED_SECRET struct secret pem = SECRET_INIT;
	SCOPED_STRBUF(public_pem, LIMIT_PUBLIC_KEY_BYTES);
	SCOPED_STRBUF(first, 1024);
	SCOPED_STRBUF(second, 1024);
	uint8_t digest[MD5_BYTES];
	md5_of(S("text"), digest);

	IS_INT(rsa_private_generate(1024, &made), ERR_OK, "makes a key");
	IS_INT(rsa_private_pem(made, &pem), ERR_OK, "writes it");
	OK(slice_starts(secret_slice(&pem), S("-----BEGIN PRIVATE KEY-----\n")), "as PKCS#8");
	IS_INT(rsa_private_parse(secret_slice(&pem), &loaded), ERR_OK, "reads it");
	IS_INT(rsa_private_public_pem(loaded, &public_pem), ERR_OK, "writes its public half");
	IS_INT(rsa_public_parse(strbuf_slice(&public_pem), &half), ERR_OK, "reads that");

	IS_INT(rsa_private_sign_md5(made, digest, &first), ERR_OK, "signs");
	IS_INT(rsa_private_sign_md5(loaded, digest, &second), ERR_OK, "signs with the copy");
	IS_INT(first.len, 128, "as long as the key");
	IS(strbuf_slice(&first), strbuf_slice(&second), "the same signature");
	OK(rsa_public_verify_md5(half, digest, strbuf_slice(&first)), "which verifies");
	rsa_private_free(made);
	rsa_private_free(loaded);
	rsa_public_free(half);
}

static enum err parse_public(struct slice pem)
{
	struct rsa_public *key = NULL;
	enum err e = rsa_public_parse(pem, &key);
	rsa_public_free(key);
	return e;
}

static void refusals(void)
{
	struct rsa_private *key = NULL;
	IS_INT(parse_public(slice_str(curve_key)), ERR_INVALID_ARGUMENT, "a key that is not RSA");
	IS_INT(parse_public(S("")), ERR_INVALID_ARGUMENT, "no text");
	IS_INT(parse_public(S("<html></html>")), ERR_INVALID_ARGUMENT, "a page");
	IS_INT(parse_public(slice_head(slice_str(small_key), 150)), ERR_INVALID_ARGUMENT,
		"a key cut short");
	IS_INT(rsa_private_parse(slice_str(small_key), &key), ERR_INVALID_ARGUMENT,
		"a public key is no private key");

	SCOPED_STRBUF(padded, LIMIT_PUBLIC_KEY_BYTES * 2);
	strbuf_adds(&padded, small_key);
	while (padded.len < LIMIT_PUBLIC_KEY_BYTES)
		strbuf_addc(&padded, '\n');
	IS_INT(parse_public(strbuf_slice(&padded)), ERR_OK, "text up to the limit");
	strbuf_addc(&padded, '\n');
	IS_INT(parse_public(strbuf_slice(&padded)), ERR_INVALID_ARGUMENT, "text over the limit");
	rsa_public_free(NULL);
	rsa_private_free(NULL);
}

/* A modulus of 16384 bits, built as DER by hand: the work it would cost is refused. */
static void oversized(void)
{
	static const unsigned char head[] = {0x30, 0x82, 0x08, 0x22, 0x30, 0x0d, 0x06, 0x09, 0x2a,
		0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01, 0x05, 0x00, 0x03, 0x82, 0x08, 0x0f,
		0x00, 0x30, 0x82, 0x08, 0x0a, 0x02, 0x82, 0x08, 0x01, 0x00};
	static const unsigned char tail[] = {0x02, 0x03, 0x01, 0x00, 0x01};
	SCOPED_STRBUF(der, 4096);
	SCOPED_STRBUF(text, 4096);
	SCOPED_STRBUF(pem, LIMIT_PUBLIC_KEY_BYTES);
	strbuf_add(&der, head, sizeof(head));
	char *modulus = strbuf_extend(&der, 2048);
	memset(modulus, 0xa5, 2048);
	strbuf_add(&der, tail, sizeof(tail));
	base64_encode(&text, strbuf_slice(&der));
	strbuf_adds(&pem, "-----BEGIN PUBLIC KEY-----\n");
	for (size_t at = 0; at < text.len; at += 64) {
		strbuf_add_slice(&pem, slice_head(slice_from(strbuf_slice(&text), at), 64));
		strbuf_addc(&pem, '\n');
	}
	strbuf_adds(&pem, "-----END PUBLIC KEY-----\n");
	IS_INT(parse_public(strbuf_slice(&pem)), ERR_INVALID_ARGUMENT, "a key of 16384 bits");
}

int main(void)
{
	known_signature();
	own_key();
	refusals();
	oversized();
	return tap_done();
}
