/* SPDX-License-Identifier: Apache-2.0 */
#include "app/counts/rates.h"

#define MINUTE_MS 60000

/* What is left is counted in parts of a request: MINUTE_MS are one. */
#define LEFT 0

static bool take(struct counts_row *row, int64_t per_minute, int64_t now_ms, int64_t *ret_retry_s)
{
	int64_t most = per_minute * MINUTE_MS;
	bool known = row->used_ms != COUNTS_NEVER;
	int64_t passed = known && now_ms > row->used_ms ? now_ms - row->used_ms : 0;
	int64_t left = known ? row->numbers[LEFT] : most;
	left += (passed < MINUTE_MS ? passed : MINUTE_MS) * per_minute;
	left = left < most ? left : most;
	row->used_ms = now_ms;
	row->numbers[LEFT] = left >= MINUTE_MS ? left - MINUTE_MS : left;
	if (left >= MINUTE_MS)
		return true;
	int64_t wait_ms = (MINUTE_MS - left + per_minute - 1) / per_minute;
	*ret_retry_s = (wait_ms + 999) / 1000;
	return false;
}

bool rates_take(struct counts *rates, struct slice who, int64_t per_minute, int64_t now_ms,
	int64_t *ret_retry_s)
{
	bool ok = take(counts_lock(rates, who), per_minute, now_ms, ret_retry_s);
	counts_unlock(rates);
	return ok;
}
