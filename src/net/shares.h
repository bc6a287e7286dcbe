/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Divides places among requesters: each may have twice as many as are free. A single one gets two
 * thirds, several get less each, and some places are always left for another. Requesters are
 * distinguished by a hash with a secret seed.
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
/* The slot in which the requester is counted. */
size_t shares_slot(const struct shares *s, struct slice requester);
/* Whether a requester of that slot may take a place. */
bool shares_may(const struct shares *s, size_t slot);
void shares_take(struct shares *s, size_t slot);
void shares_give(struct shares *s, size_t slot);

#endif
