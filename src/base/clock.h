/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Time enters postern through this structure, so that expiry and signatures can be tested without
 * waiting. Everything that reads the wall clock is given a `const struct clock *`.
 */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include <stdint.h>

struct clock {
	/* Milliseconds since 1970-01-01 UTC. Any thread. */
	int64_t (*wall_ms)(const struct clock *clock);
};

/* The machine's clock. */
extern const struct clock clock_system;

static inline int64_t clock_wall_ms(const struct clock *clock)
{
	return clock->wall_ms(clock);
}

/* Milliseconds of a clock that never jumps, for durations. Any thread. */
int64_t clock_monotonic_ms(void);

#endif
