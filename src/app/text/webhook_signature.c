/* SPDX-License-Identifier: Apache-2.0 */
#include "app/text/webhook_signature.h"

#include <inttypes.h>

#include "base/encode.h"
#include "base/limits.h"
#include "crypto/secret.h"

#define PREFIX "whsec_"
#define HEADER_BYTES_MAX 512

bool webhook_keys_add(struct webhook_keys *keys, struct slice secret)
{
	SCOPED_STRBUF(bytes, KIB(1));
	if (keys->count == WEBHOOK_KEYS)
		return false;
	if (slice_starts(secret, S(PREFIX))) {
		if (!base64_decode(&bytes, slice_from(secret, strlen(PREFIX))))
			return false;
	} else {
		strbuf_add_slice(&bytes, secret);
	}
	bool fits = !strbuf_broken(&bytes) && bytes.len >= WEBHOOK_KEY_BYTES_MIN &&
		    bytes.len <= WEBHOOK_KEY_BYTES_MAX;
	if (fits)
		hmac_sha256_key(&keys->keys[keys->count++], strbuf_slice(&bytes));
	secret_wipe(bytes.ptr, bytes.len);
	return fits;
}

void webhook_headers_init(struct webhook_headers *headers)
{
	strbuf_init(&headers->id, HEADER_BYTES_MAX);
	strbuf_init(&headers->timestamp, HEADER_BYTES_MAX);
	strbuf_init(&headers->signature, HEADER_BYTES_MAX);
}

void webhook_headers_release(struct webhook_headers *headers)
{
	strbuf_release(&headers->id);
	strbuf_release(&headers->timestamp);
	strbuf_release(&headers->signature);
}

bool webhook_headers_fill(struct webhook_headers *headers, const struct webhook_keys *keys,
	struct slice id, int64_t now, struct slice body)
{
	SCOPED_STRBUF(text, body.len + HEADER_BYTES_MAX);
	uint8_t mac[SHA256_BYTES];
	strbuf_addf(&text, "%.*s.%" PRId64 ".", SLICE_FMT(id), now);
	strbuf_add_slice(&text, body);
	strbuf_addf(&headers->id, "webhook-id: %.*s", SLICE_FMT(id));
	strbuf_addf(&headers->timestamp, "webhook-timestamp: %" PRId64, now);
	strbuf_adds(&headers->signature, "webhook-signature:");
	for (size_t i = 0; i < keys->count; i++) {
		hmac_sha256_sign(&keys->keys[i], strbuf_slice(&text), mac);
		strbuf_adds(&headers->signature, " v1,");
		base64_encode(&headers->signature, slice_of((const char *)mac, sizeof(mac)));
	}
	return !strbuf_broken(&text) && !strbuf_broken(&headers->id) &&
	       !strbuf_broken(&headers->timestamp) && !strbuf_broken(&headers->signature);
}
