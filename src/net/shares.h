/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Divides places among requesters: each may have twice as many as are free. A single one gets two
 * thirds, several get less each, and some places are always left for another (base/slot.h tells
 * requesters apart).
 */
#ifndef NET_SHARES_H
#define NET_SHARES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/slice.h"
#include "base/slot.h"

struct shares {
	uint64_t seed;
	size_t max;
	size_t used;
	uint32_t own[SLOT_ROWS][SLOTS];
};

void shares_init(struct shares *s, size_t max);
/* Where the requester is counted. */
struct slots shares_slots(const struct shares *s, struct slice requester);
/* Whether a requester of these slots may take a place. */
bool shares_may(const struct shares *s, struct slots slots);
void shares_take(struct shares *s, struct slots slots);
void shares_give(struct shares *s, struct slots slots);

#endif
