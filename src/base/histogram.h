/* SPDX-License-Identifier: Apache-2.0 */
/* How long things took: how many not longer than each of some bounds, for metrics. */
#ifndef BASE_HISTOGRAM_H
#define BASE_HISTOGRAM_H

#include <stdatomic.h>
#include <stdint.h>

#define HISTOGRAM_BOUNDS 13

/* In microseconds, ascending: from a millisecond to ten seconds. */
extern const uint64_t histogram_bounds[HISTOGRAM_BOUNDS];

/* Zeroed: empty. Any thread may add; it costs less if it is always the same one. */
struct histogram {
	atomic_uint_fast64_t
		counts[HISTOGRAM_BOUNDS + 1]; /* not longer than the bound; and longer */
	atomic_uint_fast64_t micros;
};

/* One, or several together, as they were at some moment. */
struct histogram_sum {
	uint64_t counts[HISTOGRAM_BOUNDS + 1];
	uint64_t micros;
};

void histogram_add(struct histogram *histogram, uint64_t micros);
/* Adds what it has to *sum. */
void histogram_sum(const struct histogram *histogram, struct histogram_sum *sum);

#endif
