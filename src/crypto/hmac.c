/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/hmac.h"

#include "crypto/secret.h"

/* Both digests work on blocks of 64 bytes. */
#define BLOCK_BYTES 64
#define INNER_PAD 0x36
#define OUTER_PAD 0x5c

/* The key, filled up with zeros to a block, with every byte xor `pad`. */
static struct slice padded(const uint8_t key[BLOCK_BYTES], uint8_t pad, uint8_t ret[BLOCK_BYTES])
{
	for (size_t i = 0; i < BLOCK_BYTES; i++)
		ret[i] = (uint8_t)(key[i] ^ pad);
	return slice_of(ret, BLOCK_BYTES);
}

void hmac_sha1_key(struct hmac_sha1 *ret, struct slice key)
{
	uint8_t block[BLOCK_BYTES] = {0};
	uint8_t pad[BLOCK_BYTES];
	if (key.len > BLOCK_BYTES)
		sha1_of(key, block);
	else if (key.len > 0)
		memcpy(block, key.ptr, key.len);
	digest_sha1_init(&ret->inner_);
	digest_sha1_update(&ret->inner_, padded(block, INNER_PAD, pad));
	digest_sha1_init(&ret->outer_);
	digest_sha1_update(&ret->outer_, padded(block, OUTER_PAD, pad));
	secret_wipe(block, sizeof(block));
	secret_wipe(pad, sizeof(pad));
}

void hmac_sha1_sign(const struct hmac_sha1 *keyed, struct slice text, uint8_t ret[SHA1_BYTES])
{
	struct digest_sha1 d = keyed->inner_;
	digest_sha1_update(&d, text);
	digest_sha1_final(&d, ret);
	d = keyed->outer_;
	digest_sha1_update(&d, slice_of(ret, SHA1_BYTES));
	digest_sha1_final(&d, ret);
}

void hmac_sha256_key(struct hmac_sha256 *ret, struct slice key)
{
	uint8_t block[BLOCK_BYTES] = {0};
	uint8_t pad[BLOCK_BYTES];
	if (key.len > BLOCK_BYTES)
		sha256_of(key, block);
	else if (key.len > 0)
		memcpy(block, key.ptr, key.len);
	digest_sha256_init(&ret->inner_);
	digest_sha256_update(&ret->inner_, padded(block, INNER_PAD, pad));
	digest_sha256_init(&ret->outer_);
	digest_sha256_update(&ret->outer_, padded(block, OUTER_PAD, pad));
	secret_wipe(block, sizeof(block));
	secret_wipe(pad, sizeof(pad));
}

void hmac_sha256_sign(const struct hmac_sha256 *keyed, struct slice text, uint8_t ret[SHA256_BYTES])
{
	struct digest_sha256 d = keyed->inner_;
	digest_sha256_update(&d, text);
	digest_sha256_final(&d, ret);
	d = keyed->outer_;
	digest_sha256_update(&d, slice_of(ret, SHA256_BYTES));
	digest_sha256_final(&d, ret);
}

void hmac_sha1_of(struct slice key, struct slice text, uint8_t ret[SHA1_BYTES])
{
	struct hmac_sha1 keyed;
	hmac_sha1_key(&keyed, key);
	hmac_sha1_sign(&keyed, text, ret);
	secret_wipe(&keyed, sizeof(keyed));
}

void hmac_sha256_of(struct slice key, struct slice text, uint8_t ret[SHA256_BYTES])
{
	struct hmac_sha256 keyed;
	hmac_sha256_key(&keyed, key);
	hmac_sha256_sign(&keyed, text, ret);
	secret_wipe(&keyed, sizeof(keyed));
}
