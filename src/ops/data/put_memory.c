/* SPDX-License-Identifier: Apache-2.0 */
#include "ops/data/put_memory.h"

#include "base/limits.h"

/* Before a byte has come, which costs little to announce. Strangers never have so much. */
static bool take_if_ample(struct store_put_spec *spec, size_t bytes)
{
	return spec->memory.pool != BUDGET_ANONYMOUS && budget_is_ample(spec->memory.pool, bytes) &&
	       budget_take(&spec->memory, bytes);
}

/* What it will need is there now, but it has to show that it needs it. */
static bool take_first(struct store_put_spec *spec, size_t all)
{
	size_t first = 2 * LIMIT_PUT_BYTES;
	budget_share(&spec->memory);
	return budget_fits(&spec->memory, all) &&
	       budget_take(&spec->memory, all < first ? all : first);
}

static bool take_large(struct store_put_spec *spec)
{
	/* Many buffers make a put quicker, one is enough: with half of the memory in use, it is
	   what an upload gets. */
	spec->buffers = LIMIT_LARGE_BUFFERS;
	if (take_if_ample(spec, store_put_bytes(LIMIT_LARGE_BUFFERS)))
		return true;
	spec->buffers = 1;
	return take_if_ample(spec, store_put_bytes(1)) || take_first(spec, store_put_bytes(1));
}

bool put_memory_take(struct request *r, struct store_put_spec *spec, uint64_t size)
{
	/* The same pool, but an account of its own: the put may outlive the request. */
	spec->memory = budget_account_like(request_account(r));
	if (size > LIMIT_INLINE_BYTES)
		return take_large(spec);
	/* What grows grows by doubling. */
	uint64_t gathered = spec->size_hint ? size : 2 * size;
	if (gathered > LIMIT_INLINE_BYTES)
		gathered = LIMIT_INLINE_BYTES;
	size_t all = LIMIT_PUT_BYTES + (size_t)gathered;
	return take_if_ample(spec, all) || take_first(spec, all);
}
