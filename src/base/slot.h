/* SPDX-License-Identifier: Apache-2.0 */
/* Tells requesters apart by a number, where each must not have all: a hash with a secret seed. */
#ifndef BASE_SLOT_H
#define BASE_SLOT_H

#include <stddef.h>
#include <stdint.h>

#include "base/slice.h"

/* From 0 to `slots` - 1. Who does not know the seed cannot choose names with the same one. */
static inline size_t slot_of(uint64_t seed, struct slice requester, size_t slots)
{
	uint64_t hash = seed;
	for (size_t i = 0; i < requester.len; i++) {
		hash = (hash ^ (unsigned char)requester.ptr[i]) * UINT64_C(0x100000001b3);
		hash ^= hash >> 29;
	}
	return (size_t)(hash % slots);
}

#endif
