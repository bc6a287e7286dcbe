/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "base/encode.h"
#include "crypto/digest.h"
#include "crypto/hmac.h"
#include "tap.h"

static void is_hex(const void *bytes, size_t len, const char *want, const char *name)
{
	SCOPED_STRBUF(hex, 200);
	hex_encode_lower(&hex, slice_of(bytes, len));
	IS(strbuf_slice(&hex), slice_str(want), name);
}

/* RFC 1321 and FIPS 180. */
static void known_digests(void)
{
	uint8_t out[SHA256_BYTES];
	md5_of(S(""), out);
	is_hex(out, MD5_BYTES, "d41d8cd98f00b204e9800998ecf8427e", "MD5 of nothing");
	md5_of(S("message digest"), out);
	is_hex(out, MD5_BYTES, "f96b697d7cb7938d525a2f31aaf161d0", "MD5 of a text");
	sha1_of(S("abc"), out);
	is_hex(out, SHA1_BYTES, "a9993e364706816aba3e25717850c26c9cd0d89d", "SHA-1 of abc");
	sha256_of(S("abc"), out);
	is_hex(out, SHA256_BYTES,
		"ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
		"SHA-256 of abc");
	sha256_of((struct slice){NULL, 0}, out);
	is_hex(out, SHA256_BYTES,
		"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
		"SHA-256 of the empty slice");
}

/* The same bytes in two pieces, cut everywhere, each piece in a heap block of its own. */
static void in_pieces(void)
{
	char text[150];
	for (size_t i = 0; i < sizeof(text); i++)
		text[i] = (char)(i * 7);
	uint8_t md5[MD5_BYTES], sha1[SHA1_BYTES], sha256[SHA256_BYTES];
	md5_of(slice_of(text, sizeof(text)), md5);
	sha1_of(slice_of(text, sizeof(text)), sha1);
	sha256_of(slice_of(text, sizeof(text)), sha256);

	bool same = true;
	for (size_t cut = 0; cut <= sizeof(text); cut++) {
		struct digest_md5 m;
		struct digest_sha1 s1;
		struct digest_sha256 s256;
		digest_md5_init(&m);
		digest_sha1_init(&s1);
		digest_sha256_init(&s256);
		for (int piece = 0; piece < 2; piece++) {
			size_t len = piece == 0 ? cut : sizeof(text) - cut;
			char *copy = malloc(len + !len);
			memcpy(copy, text + (piece == 0 ? 0 : cut), len);
			digest_md5_update(&m, slice_of(copy, len));
			digest_sha1_update(&s1, slice_of(copy, len));
			digest_sha256_update(&s256, slice_of(copy, len));
			free(copy);
		}
		uint8_t out[SHA256_BYTES];
		digest_md5_final(&m, out);
		same = same && memcmp(out, md5, MD5_BYTES) == 0;
		digest_sha1_final(&s1, out);
		same = same && memcmp(out, sha1, SHA1_BYTES) == 0;
		digest_sha256_final(&s256, out);
		same = same && memcmp(out, sha256, SHA256_BYTES) == 0;
	}
	OK(same, "cutting the text changes no digest");
}

static void forked(void)
{
	struct digest_md5 a, b;
	uint8_t out[MD5_BYTES];
	digest_md5_init(&a);
	digest_md5_update(&a, S("message "));
	b = a;
	digest_md5_update(&a, S("to nobody"));
	digest_md5_update(&b, S("digest"));
	digest_md5_final(&b, out);
	is_hex(out, MD5_BYTES, "f96b697d7cb7938d525a2f31aaf161d0", "a copied state goes on alone");
}

/* RFC 2202 and RFC 4231: short keys, and one longer than a block. */
static void known_hmacs(void)
{
	uint8_t out[SHA256_BYTES];
	char long_key[131];
	memset(long_key, 0xaa, sizeof(long_key));

	hmac_sha1_of(S("Jefe"), S("what do ya want for nothing?"), out);
	is_hex(out, SHA1_BYTES, "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79", "HMAC-SHA-1");
	hmac_sha1_of(slice_of(long_key, 80),
		S("Test Using Larger Than Block-Size Key - Hash Key First"), out);
	is_hex(out, SHA1_BYTES, "aa4ae5e15272d00e95705637ce8a3b55ed402112",
		"HMAC-SHA-1 with a long key");
	hmac_sha256_of(S("Jefe"), S("what do ya want for nothing?"), out);
	is_hex(out, SHA256_BYTES,
		"5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843", "HMAC-SHA-256");
	hmac_sha256_of(slice_of(long_key, 131),
		S("Test Using Larger Than Block-Size Key - Hash Key First"), out);
	is_hex(out, SHA256_BYTES,
		"60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54",
		"HMAC-SHA-256 with a long key");
	hmac_sha256_of(S(""), S(""), out);
	is_hex(out, SHA256_BYTES,
		"b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad",
		"HMAC-SHA-256 of nothing with no key");
}

static void kept_key(void)
{
	struct hmac_sha1 sha1;
	struct hmac_sha256 sha256;
	uint8_t out[SHA256_BYTES];
	hmac_sha1_key(&sha1, S("Jefe"));
	hmac_sha256_key(&sha256, S("Jefe"));
	hmac_sha1_sign(&sha1, S("something else"), out);
	hmac_sha256_sign(&sha256, S("something else"), out);
	hmac_sha1_sign(&sha1, S("what do ya want for nothing?"), out);
	is_hex(out, SHA1_BYTES, "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79",
		"a kept key signs again, SHA-1");
	hmac_sha256_sign(&sha256, S("what do ya want for nothing?"), out);
	is_hex(out, SHA256_BYTES,
		"5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
		"a kept key signs again, SHA-256");
}

int main(void)
{
	known_digests();
	in_pieces();
	forked();
	known_hmacs();
	kept_key();
	return tap_done();
}
