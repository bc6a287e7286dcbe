/* SPDX-License-Identifier: Apache-2.0 */
#include "ops/data/put_memory.h"

#include "base/limits.h"

enum {
	SMALLEST_BYTES = 16 << 10, /* what a put gathers in first, and its head */
};

/* A buffer that is being filled, and those that wait for the disk. */
static size_t large_bytes(unsigned waiting)
{
	return MIB(1) * (waiting + 1);
}

static bool take_large(struct store_put_spec *spec)
{
	/* Many buffers make a put quicker, one is enough: with half of the memory in use, it is
	   what an upload gets. */
	if (budget_is_ample(spec->memory.pool, large_bytes(LIMIT_LARGE_BUFFERS)) &&
		budget_take(&spec->memory, large_bytes(LIMIT_LARGE_BUFFERS))) {
		spec->buffers = LIMIT_LARGE_BUFFERS;
		return true;
	}
	spec->buffers = 1;
	return budget_take(&spec->memory, large_bytes(1));
}

bool put_memory_take(struct request *r, struct store_put_spec *spec, uint64_t size)
{
	/* The same pool, but an account of its own: the put may outlive the request. */
	spec->memory = (struct budget_account){.pool = request_account(r)->pool};
	if (size > LIMIT_INLINE_BYTES)
		return take_large(spec);
	/* What grows grows by doubling. */
	uint64_t gathered = spec->size_hint ? size : 2 * size;
	if (gathered > LIMIT_INLINE_BYTES)
		gathered = LIMIT_INLINE_BYTES;
	return budget_take(&spec->memory, SMALLEST_BYTES + (size_t)gathered);
}
