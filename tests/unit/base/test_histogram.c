/* SPDX-License-Identifier: Apache-2.0 */
#include "base/histogram.h"

#include "tap.h"

int main(void)
{
	struct histogram one = {.micros = 0};
	struct histogram other = {.micros = 0};
	struct histogram_sum sum = {.micros = 0};
	for (unsigned i = 1; i < HISTOGRAM_BOUNDS; i++)
		OK(histogram_bounds[i] > histogram_bounds[i - 1], "bounds ascend");
	histogram_add(&one, 0);
	histogram_add(&one, histogram_bounds[0]);
	histogram_add(&one, histogram_bounds[0] + 1);
	histogram_add(&other, histogram_bounds[HISTOGRAM_BOUNDS - 1]);
	histogram_add(&other, histogram_bounds[HISTOGRAM_BOUNDS - 1] + 1);
	histogram_sum(&one, &sum);
	histogram_sum(&other, &sum);
	IS_INT(sum.counts[0], 2, "what is as long as a bound is not longer");
	IS_INT(sum.counts[1], 1, "what is longer than it belongs to the next");
	IS_INT(sum.counts[HISTOGRAM_BOUNDS - 1], 1, "up to the last");
	IS_INT(sum.counts[HISTOGRAM_BOUNDS], 1, "and behind it");
	IS_INT(sum.micros, 2 * histogram_bounds[0] + 2 * histogram_bounds[HISTOGRAM_BOUNDS - 1] + 2,
		"together they took");
	return tap_done();
}
