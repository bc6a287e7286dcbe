/* SPDX-License-Identifier: Apache-2.0 */
/* Whether bytes arrive, or leave, at a minimum rate, averaged over a window. */
#ifndef NET_RATE_H
#define NET_RATE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/compiler.h"

struct rate_rule {
	uint64_t bytes_per_s;
	int64_t window_ms;
};

struct rate {
	int64_t since_ms; /* begin of the window */
	uint64_t bytes;   /* in it */
};

void rate_begin(struct rate *rate, int64_t now_ms);
/* Counts `bytes`; false if a window with too few bytes has ended. */
bool rate_count(
	struct rate *rate, const struct rate_rule *rule, uint64_t bytes, int64_t now_ms) MUST_USE;

#endif
