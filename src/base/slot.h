/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tells requesters apart in tables of fixed size, where each must not have all. A hash with a
 * secret seed gives each a slot in every row of such a table. It is counted in all of them, and
 * what it has is the least of these counts: another one's is in it only if the two meet in every
 * row (a count-min sketch).
 */
#ifndef BASE_SLOT_H
#define BASE_SLOT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/slice.h"

#define SLOT_ROWS 2
#define SLOTS 4096 /* of a row; the first is nobody's */

/* Zeroed: nobody. */
struct slots {
	uint16_t in[SLOT_ROWS];
};

/* Who does not know the seed cannot choose names with the same hash. */
static inline uint64_t slot_hash(uint64_t seed, struct slice name)
{
	uint64_t hash = seed;
	for (size_t i = 0; i < name.len; i++) {
		hash = (hash ^ (unsigned char)name.ptr[i]) * UINT64_C(0x100000001b3);
		hash ^= hash >> 29;
	}
	return hash;
}

static inline struct slots slots_of(uint64_t seed, struct slice requester)
{
	struct slots slots;
	uint64_t hash = slot_hash(seed, requester);
	for (size_t i = 0; i < SLOT_ROWS; i++) {
		/* The last bytes of a name have not reached all bits yet. */
		hash = (hash ^ hash >> 32) * UINT64_C(0x9e3779b97f4a7c15);
		slots.in[i] = (uint16_t)(1 + (hash >> 32) % (SLOTS - 1));
	}
	return slots;
}

static inline bool slots_nobody(struct slots slots)
{
	return slots.in[0] == 0;
}

static inline bool slots_same(struct slots a, struct slots b)
{
	return memcmp(a.in, b.in, sizeof(a.in)) == 0;
}

#endif
