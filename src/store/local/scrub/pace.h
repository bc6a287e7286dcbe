/* SPDX-License-Identifier: Apache-2.0 */
/* How long to rest after reading, so that no more is read in the long run than a rate permits. */
#ifndef STORE_LOCAL_SCRUB_PACE_H
#define STORE_LOCAL_SCRUB_PACE_H

#include <stdint.h>

struct pace {
	uint64_t rate; /* bytes a second, not 0 */
	uint64_t owed; /* thousandths of bytes for which there was no whole millisecond */
};

/* Milliseconds to rest after `bytes` more were read. */
static inline uint64_t pace_rest_ms(struct pace *pace, uint64_t bytes)
{
	uint64_t owed = pace->owed + bytes * 1000;
	pace->owed = owed % pace->rate;
	return owed / pace->rate;
}

#endif
