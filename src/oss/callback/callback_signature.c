/* SPDX-License-Identifier: Apache-2.0 */
#include "oss/callback/callback_signature.h"

#include "base/encode.h"
#include "base/limits.h"
#include "crypto/digest.h"
#include "crypto/rsa.h"

#define SIGNATURE_BYTES 2048 /* more than any key has; longer ones are no signatures */

/* Appends what stands before the line feed: the path decoded, the query as it is. */
static bool add_signed_target(struct slice target, struct strbuf *out)
{
	size_t query = slice_find(target, '?');
	if (!percent_decode(out, slice_head(target, query)))
		return false;
	strbuf_add_slice(out, slice_from(target, query));
	return !strbuf_broken(out);
}

bool callback_string_to_sign(struct slice target, struct slice body, struct strbuf *out)
{
	if (!add_signed_target(target, out))
		return false;
	strbuf_addc(out, '\n');
	strbuf_add_slice(out, body);
	return !strbuf_broken(out);
}

/* The digest of the signed text, without copying the body. False for a malformed escape. */
static bool signed_digest(struct slice target, struct slice body, uint8_t ret[MD5_BYTES])
{
	struct digest_md5 md5;
	SCOPED_STRBUF(head, target.len + 1);
	if (!add_signed_target(target, &head))
		return false;
	strbuf_addc(&head, '\n');
	digest_md5_init(&md5);
	digest_md5_update(&md5, strbuf_slice(&head));
	digest_md5_update(&md5, body);
	digest_md5_final(&md5, ret);
	return !strbuf_broken(&head);
}

enum err callback_sign(
	const struct rsa_private *key, struct slice target, struct slice body, struct strbuf *out)
{
	uint8_t digest[MD5_BYTES];
	SCOPED_STRBUF(signature, SIGNATURE_BYTES);
	if (!signed_digest(target, body, digest))
		return ERR_CALLBACK_BAD_URL;
	enum err e = rsa_private_sign_md5(key, digest, &signature);
	if (e != ERR_OK)
		return e;
	base64_encode(out, strbuf_slice(&signature));
	return strbuf_broken(out) ? ERR_UNAVAILABLE : ERR_OK;
}

bool callback_verify(const struct rsa_public *key, struct slice target, struct slice authorization,
	struct slice body)
{
	uint8_t digest[MD5_BYTES];
	SCOPED_STRBUF(signature, SIGNATURE_BYTES);
	return base64_decode(&signature, authorization) && signed_digest(target, body, digest) &&
	       rsa_public_verify_md5(key, digest, strbuf_slice(&signature));
}
