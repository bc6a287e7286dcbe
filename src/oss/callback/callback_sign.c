/* SPDX-License-Identifier: Apache-2.0 */
/* The signing side of callback_signature.h, which only a store has. */
#include "base/encode.h"
#include "crypto/rsa.h"
#include "oss/callback/callback_signature.h"

#define SIGNATURE_BYTES 2048 /* more than any key has */

enum err callback_sign(
	const struct rsa_private *key, struct slice target, struct slice body, struct strbuf *out)
{
	uint8_t digest[MD5_BYTES];
	SCOPED_STRBUF(signature, SIGNATURE_BYTES);
	enum err e = callback_signed_digest(target, body, digest);
	if (!e)
		e = rsa_private_sign_md5(key, digest, &signature);
	if (e != ERR_OK)
		return e;
	base64_encode(out, strbuf_slice(&signature));
	return strbuf_broken(out) ? ERR_UNAVAILABLE : ERR_OK;
}
