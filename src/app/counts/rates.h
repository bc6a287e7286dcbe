/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How often somebody may ask: so many times a minute, of which all may come at once. Whoever is
 * forgotten, because many others ask (counts.h), begins anew. Any thread.
 */
#ifndef APP_COUNTS_RATES_H
#define APP_COUNTS_RATES_H

#include "app/counts/counts.h"

/*
 * Counts a request of `who` at `now_ms` (monotonic). If it is one too many: false, and in how many
 * seconds the next is none.
 */
bool rates_take(struct counts *rates, struct slice who, int64_t per_minute, int64_t now_ms,
	int64_t *ret_retry_s) MUST_USE;

#endif
