/* SPDX-License-Identifier: Apache-2.0 */
#include "app/rates.h"

#include <pthread.h>
#include <stdlib.h>

#include "base/limits.h"
#include "crypto/digest.h"

#define WAYS 4
#define SETS (LIMIT_RATES / WAYS)
#define MINUTE_MS 60000

/* What is left is counted in parts of a request: MINUTE_MS are one. */
struct row {
	uint64_t who; /* of a digest; 0: an empty row */
	int64_t left;
	int64_t at_ms;
};

struct rates {
	int64_t per_minute;
	pthread_mutex_t lock; /* rows */
	struct row rows[SETS][WAYS];
};

struct rates *rates_new(int64_t per_minute)
{
	struct rates *rates = calloc(1, sizeof(*rates));
	if (!rates)
		return NULL;
	rates->per_minute = per_minute;
	if (pthread_mutex_init(&rates->lock, NULL) != 0) {
		free(rates);
		return NULL;
	}
	return rates;
}

void rates_free(struct rates *rates)
{
	if (!rates)
		return;
	(void)pthread_mutex_destroy(&rates->lock);
	free(rates);
}

static uint64_t digest_of(struct slice who)
{
	uint8_t bytes[SHA256_BYTES];
	uint64_t digest;
	sha256_of(who, bytes);
	memcpy(&digest, bytes, sizeof(digest));
	return digest | 1;
}

/* Its row, or that of whoever has not asked for the longest. */
static struct row *find(struct rates *rates, uint64_t who, int64_t now_ms)
{
	struct row *set = rates->rows[(who >> 1) % SETS];
	struct row *oldest = set;
	for (size_t i = 0; i < WAYS; i++) {
		if (set[i].who == who)
			return &set[i];
		if (set[i].at_ms < oldest->at_ms || set[i].who == 0)
			oldest = &set[i];
	}
	*oldest = (struct row){who, rates->per_minute * MINUTE_MS, now_ms};
	return oldest;
}

static bool take(const struct rates *rates, struct row *row, int64_t now_ms, int64_t *ret_retry_s)
{
	int64_t most = rates->per_minute * MINUTE_MS;
	int64_t passed = now_ms > row->at_ms ? now_ms - row->at_ms : 0;
	row->left += (passed < MINUTE_MS ? passed : MINUTE_MS) * rates->per_minute;
	row->left = row->left < most ? row->left : most;
	row->at_ms = now_ms;
	if (row->left >= MINUTE_MS) {
		row->left -= MINUTE_MS;
		return true;
	}
	int64_t wait_ms = (MINUTE_MS - row->left + rates->per_minute - 1) / rates->per_minute;
	*ret_retry_s = (wait_ms + 999) / 1000;
	return false;
}

bool rates_take(struct rates *rates, struct slice who, int64_t now_ms, int64_t *ret_retry_s)
{
	uint64_t digest = digest_of(who);
	(void)pthread_mutex_lock(&rates->lock);
	bool ok = take(rates, find(rates, digest, now_ms), now_ms, ret_retry_s);
	(void)pthread_mutex_unlock(&rates->lock);
	return ok;
}
