/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The public key of a callback, as a server elsewhere sends it; in front of it, 64 bytes that are a
 * signature. What a signature is said to be made of, it fits.
 */
#include <assert.h>

#include "base/limits.h"
#include "crypto/rsa.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

enum {
	SIGNATURE_BYTES = 64
};

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	struct rsa_public *key = NULL;
	uint8_t digest[MD5_BYTES], other[MD5_BYTES];
	if (len < SIGNATURE_BYTES)
		return 0;
	struct slice signature = slice_of(bytes, SIGNATURE_BYTES);
	struct slice pem = slice_of(bytes + SIGNATURE_BYTES, len - SIGNATURE_BYTES);
	enum err e = rsa_public_parse(pem, &key);
	assert((e == ERR_OK) == (key != NULL));
	if (key && rsa_public_recover_md5(key, signature, digest)) {
		assert(rsa_public_verify_md5(key, digest, signature));
		memcpy(other, digest, sizeof(other));
		other[0] ^= 1;
		assert(!rsa_public_verify_md5(key, other, signature));
	}
	rsa_public_free(key);
	return 0;
}
