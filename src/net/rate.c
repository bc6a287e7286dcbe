/* SPDX-License-Identifier: Apache-2.0 */
#include "net/rate.h"

void rate_begin(struct rate *rate, int64_t now_ms)
{
	*rate = (struct rate){.since_ms = now_ms};
}

bool rate_count(struct rate *rate, const struct rate_rule *rule, uint64_t bytes, int64_t now_ms)
{
	rate->bytes += bytes;
	int64_t elapsed = now_ms - rate->since_ms;
	if (elapsed < rule->window_ms)
		return true;
	bool ok = rate->bytes >= rule->bytes_per_s * (uint64_t)elapsed / 1000;
	rate_begin(rate, now_ms);
	return ok;
}
