/* SPDX-License-Identifier: Apache-2.0 */
#include "ops/access/nonces.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/limits.h"
#include "crypto/digest.h"

/* Half a SHA-256 stands for key and nonce. */
struct used {
	uint8_t mark[NONCE_MARK_BYTES];
	int64_t until_ms; /* free from then on */
};

enum {
	SETS = LIMIT_STS_NONCES / NONCE_SET
};

struct nonces {
	pthread_mutex_t lock; /* held for a walk through a set, less than a microsecond */
	struct used table[SETS][NONCE_SET]; /* pages that nobody needs are not there */
};

struct nonces *nonces_new(void)
{
	struct nonces *nonces = calloc(1, sizeof(*nonces));
	if (nonces)
		(void)pthread_mutex_init(&nonces->lock, NULL);
	return nonces;
}

void nonces_free(struct nonces *nonces)
{
	if (!nonces)
		return;
	(void)pthread_mutex_destroy(&nonces->lock);
	free(nonces);
}

void nonce_mark(struct slice key_id, struct slice nonce, uint8_t ret[NONCE_MARK_BYTES])
{
	uint8_t digest[SHA256_BYTES];
	char len[32];
	struct digest_sha256 d;
	/* The same on all machines. */
	(void)snprintf(len, sizeof(len), "%zu:", key_id.len);
	digest_sha256_init(&d);
	digest_sha256_update(&d, slice_str(len));
	digest_sha256_update(&d, key_id);
	digest_sha256_update(&d, nonce);
	digest_sha256_final(&d, digest);
	memcpy(ret, digest, NONCE_MARK_BYTES);
}

enum nonce_result nonces_use(struct nonces *nonces, const uint8_t mark[NONCE_MARK_BYTES],
	int64_t now_ms, int64_t until_ms)
{
	struct used *set = nonces->table[((unsigned)mark[0] << 8 | mark[1]) % SETS];
	struct used *room = NULL;
	bool found = false;
	(void)pthread_mutex_lock(&nonces->lock);
	for (size_t i = 0; !found && i < NONCE_SET; i++) {
		struct used *used = &set[i];
		if (used->until_ms <= now_ms)
			room = room ? room : used;
		else
			found = memcmp(used->mark, mark, sizeof(used->mark)) == 0;
	}
	if (!found && room) {
		memcpy(room->mark, mark, sizeof(room->mark));
		room->until_ms = until_ms;
	}
	(void)pthread_mutex_unlock(&nonces->lock);
	return found ? NONCE_USED : room ? NONCE_NEW : NONCE_FULL;
}
