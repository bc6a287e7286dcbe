/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Limits how often a caller may ask: so many requests a minute, which may all come at once. A
 * caller whose row was taken by another one (counts.h) begins anew. Any thread.
 */
#ifndef APP_COUNTS_RATES_H
#define APP_COUNTS_RATES_H

#include "app/counts/counts.h"

/*
 * Counts a request of `who` at `now_ms` (monotonic). If it is one too many: false, and after how
 * many seconds the next one is allowed.
 */
bool rates_take(struct counts *rates, struct slice who, int64_t per_minute, int64_t now_ms,
	int64_t *ret_retry_s) MUST_USE;

#endif
