/* SPDX-License-Identifier: Apache-2.0 */
#include "oss/sign/rpc_sign.h"

#include <stdlib.h>

#include "base/encode.h"
#include "crypto/hmac.h"
#include "crypto/secret.h"

enum {
	SECRET_BYTES_MAX = 4096,
	CANONICAL_BYTES_MAX = 1 << 20,
};

static int by_name(const void *a, const void *b)
{
	const struct rpc_param *left = a, *right = b;
	return slice_cmp(left->name, right->name);
}

void rpc_string_to_sign(
	struct slice method, struct rpc_param *params, size_t count, struct strbuf *out)
{
	SCOPED_STRBUF(canonical, CANONICAL_BYTES_MAX);
	qsort(params, count, sizeof(*params), by_name);
	for (size_t i = 0; i < count; i++) {
		if (slice_eq(params[i].name, S("Signature")))
			continue;
		if (canonical.len)
			strbuf_addc(&canonical, '&');
		percent_encode(&canonical, params[i].name);
		strbuf_addc(&canonical, '=');
		percent_encode(&canonical, params[i].value);
	}
	strbuf_add_slice(out, method);
	strbuf_adds(out, "&%2F&");
	percent_encode(out, strbuf_slice(&canonical));
	out->broken = out->broken || strbuf_broken(&canonical);
}

void rpc_sign(struct slice string_to_sign, struct slice secret, struct strbuf *out)
{
	SCOPED_STRBUF(key, SECRET_BYTES_MAX);
	uint8_t digest[SHA1_BYTES];
	strbuf_add_slice(&key, secret);
	strbuf_addc(&key, '&');
	hmac_sha1_of(strbuf_slice(&key), string_to_sign, digest);
	secret_wipe(key.ptr, key.len);
	base64_encode(out, slice_of(digest, sizeof(digest)));
	out->broken = out->broken || strbuf_broken(&key);
}
