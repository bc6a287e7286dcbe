/* SPDX-License-Identifier: Apache-2.0 */
/* Whether bytes keep coming, or going, at a least rate, averaged over a while. */
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
	int64_t since_ms; /* the window's begin */
	uint64_t bytes;   /* in it */
};

void rate_begin(struct rate *rate, int64_t now_ms);
/* Counts `bytes`; false if a window has ended in which there were too few. */
bool rate_count(
	struct rate *rate, const struct rate_rule *rule, uint64_t bytes, int64_t now_ms) MUST_USE;

#endif
