/* SPDX-License-Identifier: Apache-2.0 */
#include "base/histogram.h"

const uint64_t histogram_bounds[HISTOGRAM_BOUNDS] = {1000, 2500, 5000, 10000, 25000, 50000, 100000,
	250000, 500000, 1000000, 2500000, 5000000, 10000000};

void histogram_add(struct histogram *histogram, uint64_t micros)
{
	unsigned i = 0;
	while (i < HISTOGRAM_BOUNDS && micros > histogram_bounds[i])
		i++;
	atomic_fetch_add_explicit(&histogram->counts[i], 1, memory_order_relaxed);
	atomic_fetch_add_explicit(&histogram->micros, micros, memory_order_relaxed);
}

void histogram_sum(const struct histogram *histogram, struct histogram_sum *sum)
{
	for (unsigned i = 0; i <= HISTOGRAM_BOUNDS; i++)
		sum->counts[i] += atomic_load_explicit(&histogram->counts[i], memory_order_relaxed);
	sum->micros += atomic_load_explicit(&histogram->micros, memory_order_relaxed);
}
