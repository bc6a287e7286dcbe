/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Places that requesters share: each may have twice as many as are still free. One alone gets two
 * thirds, several get less each, and some are always left for somebody new. Requesters are told
 * apart by a hash, with a seed that nobody knows.
 */
#ifndef NET_SHARES_H
#define NET_SHARES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/slice.h"

#define SHARES_SLOTS 1024

struct shares {
	uint64_t seed;
	size_t max;
	size_t used;
	uint32_t own[SHARES_SLOTS];
};

void shares_init(struct shares *s, size_t max);
/* Where the requester is counted. */
size_t shares_slot(const struct shares *s, struct slice requester);
/* Whether there is a place for one of that slot. */
bool shares_may(const struct shares *s, size_t slot);
void shares_take(struct shares *s, size_t slot);
void shares_give(struct shares *s, size_t slot);

#endif
