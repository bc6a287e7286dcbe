/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How often somebody may ask: so many times a minute, of which all may come at once. A table of
 * fixed size; whoever is forgotten in it, because many others ask, begins anew. Any thread.
 */
#ifndef APP_RATES_H
#define APP_RATES_H

#include <stdbool.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/slice.h"

struct rates;

/* NULL without memory. */
struct rates *rates_new(int64_t per_minute) MUST_USE;
/* NULL is allowed. */
void rates_free(struct rates *rates);

/*
 * Counts a request of `who` at `now_ms` (monotonic). If it is one too many: false, and in how many
 * seconds the next is none.
 */
bool rates_take(
	struct rates *rates, struct slice who, int64_t now_ms, int64_t *ret_retry_s) MUST_USE;

#endif
