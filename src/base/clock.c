/* SPDX-License-Identifier: Apache-2.0 */
#include "base/clock.h"

#include <time.h>

#include "base/compiler.h"

static int64_t read_ms(clockid_t id)
{
	struct timespec ts;
	(void)clock_gettime(id, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

static int64_t system_wall_ms(const struct clock *clock UNUSED)
{
	return read_ms(CLOCK_REALTIME);
}

const struct clock clock_system = {.wall_ms = system_wall_ms};

int64_t clock_monotonic_ms(void)
{
	return read_ms(CLOCK_MONOTONIC);
}
