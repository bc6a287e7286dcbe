/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Signatures of what is sent to the operator's back end, by the rules of Standard Webhooks: the
 * headers webhook-id, webhook-timestamp and webhook-signature, the last with `v1,` and the base64
 * of HMAC-SHA256 over `id.timestamp.body`, one for each secret.
 */
#ifndef APP_TEXT_WEBHOOK_SIGNATURE_H
#define APP_TEXT_WEBHOOK_SIGNATURE_H

#include <stdbool.h>

#include "base/slice.h"
#include "base/strbuf.h"
#include "crypto/hmac.h"

#define WEBHOOK_KEYS 2 /* the secret, and the one before */
#define WEBHOOK_KEY_BYTES_MIN 24
#define WEBHOOK_KEY_BYTES_MAX 64

/* A plain value; as good as the secrets themselves: clear it with secret_wipe(). */
struct webhook_keys {
	struct hmac_sha256 keys[WEBHOOK_KEYS];
	size_t count; /* 0: nothing is signed */
};

/*
 * Adds a secret: `whsec_` and base64, or else the text itself. False if it is not
 * WEBHOOK_KEY_BYTES_MIN to WEBHOOK_KEY_BYTES_MAX bytes long, or not base64.
 */
bool webhook_keys_add(struct webhook_keys *keys, struct slice secret) MUST_USE;

/* The three header lines of one message, each with a NUL behind it. */
struct webhook_headers {
	struct strbuf id, timestamp, signature;
};
#define WEBHOOK_HEADERS 3

void webhook_headers_init(struct webhook_headers *headers);
void webhook_headers_release(struct webhook_headers *headers);
/* False without memory. `id` has no `.`; `now` is in Unix seconds. */
bool webhook_headers_fill(struct webhook_headers *headers, const struct webhook_keys *keys,
	struct slice id, int64_t now, struct slice body) MUST_USE;

#endif
