/* SPDX-License-Identifier: Apache-2.0 */
/* Numbers in an order that looks like chance, and is the same each time. */
#ifndef BENCH_SCRAMBLE_H
#define BENCH_SCRAMBLE_H

#include <stdint.h>

/* No two numbers become the same. */
static inline uint64_t scramble(uint64_t x)
{
	x ^= x >> 33;
	x *= 0xff51afd7ed558ccdu;
	x ^= x >> 33;
	x *= 0xc4ceb9fe1a85ec53u;
	x ^= x >> 33;
	return x;
}

#endif
