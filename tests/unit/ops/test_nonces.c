/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "base/limits.h"
#include "ops/access/nonces.h"
#include "tap.h"

static enum nonce_result use(struct nonces *nonces, struct slice key_id, struct slice nonce,
	int64_t now_ms, int64_t until_ms)
{
	uint8_t mark[NONCE_MARK_BYTES];
	nonce_mark(key_id, nonce, mark);
	return nonces_use(nonces, mark, now_ms, until_ms);
}

int main(void)
{
	struct nonces *nonces = nonces_new();
	unsigned fresh = 0;
	char text[32];
	if (!OK(nonces, "a table"))
		return tap_done();
	OK(use(nonces, S("k"), S("a"), 0, 10) == NONCE_NEW, "a new one");
	OK(use(nonces, S("k"), S("a"), 9, 20) == NONCE_USED, "is used then");
	OK(use(nonces, S("other"), S("a"), 9, 20) == NONCE_NEW, "by this key");
	OK(use(nonces, S("k"), S("a"), 10, 20) == NONCE_NEW, "until its time is over");
	OK(use(nonces, S("ka"), S(""), 10, 20) == NONCE_NEW, "key and nonce do not mix");
	for (unsigned i = 0; i < LIMIT_STS_NONCES - 1; i++) {
		(void)snprintf(text, sizeof(text), "%u", i);
		fresh += use(nonces, S("k"), slice_str(text), 20, 30) == NONCE_NEW;
	}
	IS_INT(fresh, LIMIT_STS_NONCES - 1, "many");
	OK(use(nonces, S("k"), S("last"), 20, 30) == NONCE_NEW, "the last");
	OK(use(nonces, S("k"), S("too much"), 20, 30) == NONCE_FULL, "no room");
	OK(use(nonces, S("k"), S("0"), 20, 30) == NONCE_USED, "none is forgotten");
	OK(use(nonces, S("k"), S("too much"), 30, 40) == NONCE_NEW, "room again");
	nonces_free(nonces);
	return tap_done();
}
