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

enum {
	CALLS = 90000 /* a hundred per second */
};

static void a_full_set(void)
{
	struct nonces *nonces = nonces_new();
	uint8_t mark[NONCE_MARK_BYTES] = {1, 2};
	unsigned fresh = 0;
	if (!OK(nonces, "another table"))
		return;
	for (unsigned i = 0; i < NONCE_SET; i++) {
		mark[15] = (uint8_t)i;
		fresh += nonces_use(nonces, mark, 20, 30) == NONCE_NEW;
	}
	IS_INT(fresh, NONCE_SET, "a set is filled");
	OK(nonces_use(nonces, mark, 29, 30) == NONCE_USED, "nothing in it is forgotten");
	mark[14] = 1;
	OK(nonces_use(nonces, mark, 29, 40) == NONCE_FULL, "it has no room");
	mark[1] = 3;
	OK(nonces_use(nonces, mark, 29, 40) == NONCE_NEW, "another one has");
	mark[1] = 2;
	OK(nonces_use(nonces, mark, 30, 40) == NONCE_NEW, "room again");
	nonces_free(nonces);
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
	for (unsigned i = 0; i < CALLS; i++) {
		(void)snprintf(text, sizeof(text), "%u", i);
		fresh += use(nonces, S("k"), slice_str(text), 20, 30) == NONCE_NEW;
	}
	IS_INT(fresh, CALLS, "as many as may come in a quarter of an hour");
	OK(use(nonces, S("k"), S("0"), 29, 30) == NONCE_USED, "none is forgotten");
	nonces_free(nonces);
	a_full_set();
	return tap_done();
}
