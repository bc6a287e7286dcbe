/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Remembers answered requests by their nonces, so that an intercepted one cannot be sent again. Of
 * this process; what other gateways have answered is marked (documents/shared_marks.h). Any thread.
 */
#ifndef OPS_ACCESS_NONCES_H
#define OPS_ACCESS_NONCES_H

#include <stdint.h>

#include "base/slice.h"

struct nonces;

enum nonce_result {
	NONCE_NEW,
	NONCE_USED,
	NONCE_FULL, /* no room: none that is remembered may be forgotten yet */
};

/* NULL without memory. */
struct nonces *nonces_new(void);
void nonces_free(struct nonces *nonces);

enum {
	NONCE_MARK_BYTES = 16
};

/* What stands for a nonce of a key. */
void nonce_mark(struct slice key_id, struct slice nonce, uint8_t ret[NONCE_MARK_BYTES]);

/*
 * The first bytes of a mark choose among sets of so many. At a third of LIMIT_STS_NONCES, which are
 * a hundred calls per second, a set is hardly ever full.
 */
#define NONCE_SET 128

/* Remembers that it was used, until the time `until_ms`. */
enum nonce_result nonces_use(struct nonces *nonces, const uint8_t mark[NONCE_MARK_BYTES],
	int64_t now_ms, int64_t until_ms);

#endif
