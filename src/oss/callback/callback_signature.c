/* SPDX-License-Identifier: Apache-2.0 */
#include "oss/callback/callback_signature.h"

#include "base/encode.h"
#include "base/limits.h"
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

enum err callback_signed_digest(struct slice target, struct slice body, uint8_t ret[MD5_BYTES])
{
	struct digest_md5 md5;
	SCOPED_STRBUF(head, target.len + 1);
	if (!add_signed_target(target, &head))
		return strbuf_starved(&head) ? ERR_UNAVAILABLE : ERR_CALLBACK_BAD_URL;
	strbuf_addc(&head, '\n');
	digest_md5_init(&md5);
	digest_md5_update(&md5, strbuf_slice(&head));
	digest_md5_update(&md5, body);
	digest_md5_final(&md5, ret);
	return strbuf_broken(&head) ? ERR_UNAVAILABLE : ERR_OK;
}

enum err callback_authenticate(const struct rsa_public *key, struct slice target,
	struct slice authorization, struct slice body)
{
	uint8_t digest[MD5_BYTES];
	SCOPED_STRBUF(signature, SIGNATURE_BYTES);
	if (!base64_decode(&signature, authorization))
		return strbuf_starved(&signature) ? ERR_UNAVAILABLE : ERR_SIGNATURE_MISMATCH;
	enum err e = callback_signed_digest(target, body, digest);
	if (e)
		return e == ERR_UNAVAILABLE ? e : ERR_SIGNATURE_MISMATCH;
	return rsa_public_verify_md5(key, digest, strbuf_slice(&signature))
		       ? ERR_OK
		       : ERR_SIGNATURE_MISMATCH;
}

bool callback_verify(const struct rsa_public *key, struct slice target, struct slice authorization,
	struct slice body)
{
	return callback_authenticate(key, target, authorization, body) == ERR_OK;
}
