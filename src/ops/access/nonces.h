/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Remembers answered requests by their nonces, so that an intercepted one cannot be sent again. Any
 * thread.
 */
#ifndef OPS_ACCESS_NONCES_H
#define OPS_ACCESS_NONCES_H

#include <stdint.h>

#include "base/slice.h"

struct nonces;

enum nonce_result {
	NONCE_NEW,
	NONCE_USED,
	NONCE_FULL, /* LIMIT_STS_NONCES are remembered, none of which may be forgotten yet */
};

/* NULL without memory. */
struct nonces *nonces_new(void);
void nonces_free(struct nonces *nonces);

/* Remembers that `key_id` has used `nonce`, until the time `until_ms`. */
enum nonce_result nonces_use(struct nonces *nonces, struct slice key_id, struct slice nonce,
	int64_t now_ms, int64_t until_ms);

#endif
