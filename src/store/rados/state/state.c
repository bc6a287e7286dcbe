/* SPDX-License-Identifier: Apache-2.0 */
#include "store/rados/state/state.h"

#include <inttypes.h>
#include <stdio.h>

enum {
	INSTANCE_BITS =
		10, /* of a version: the lowest, so that two gateways seldom give the same */
	COUNTER_BITS = 10,
};

uint64_t rados_number(struct rados *r)
{
	return r->instance << RADOS_NUMBER_BITS | (atomic_fetch_add(&r->number, 1) + 1);
}

uint64_t rados_version(struct rados *r, uint64_t after)
{
	uint64_t mine = r->instance & ((UINT64_C(1) << INSTANCE_BITS) - 1);
	uint64_t now = (uint64_t)clock_wall_ms(r->clock) << (COUNTER_BITS + INSTANCE_BITS) | mine;
	uint64_t last = atomic_load(&r->version);
	uint64_t next;
	do {
		uint64_t least = last + (UINT64_C(1) << INSTANCE_BITS);
		next = now > least ? now : least;
		if (next <= after)
			next = ((after >> INSTANCE_BITS) + 1) << INSTANCE_BITS | mine;
	} while (!atomic_compare_exchange_weak(&r->version, &last, next));
	return next;
}

const char *rados_tablet_name(char name[RADOS_NAME_BYTES], uint64_t bucket, uint64_t tablet)
{
	(void)snprintf(name, RADOS_NAME_BYTES, "t.%016" PRIx64 ".%016" PRIx64, bucket, tablet);
	return name;
}

const char *rados_chunk_name(char name[RADOS_NAME_BYTES], uint64_t data, uint64_t chunk)
{
	(void)snprintf(name, RADOS_NAME_BYTES, "%016" PRIx64 ".%08" PRIx64, data, chunk);
	return name;
}
