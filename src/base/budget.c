/* SPDX-License-Identifier: Apache-2.0 */
#include "base/budget.h"

#include <assert.h>
#include <stdalign.h>
#include <stdatomic.h>

#include "base/limits.h"

/* Each on a cache line of its own: all loops count in them. */
struct pool {
	alignas(64) atomic_uint_fast64_t used;
	uint64_t limit;
};

#define UNLIMITED (UINT64_MAX / 2)

static struct pool pools[BUDGET_POOLS] = {
	[BUDGET_CONSOLE].limit = UNLIMITED,
	[BUDGET_APP].limit = UNLIMITED,
	[BUDGET_ANONYMOUS].limit = UNLIMITED,
	[BUDGET_SIGNED].limit = UNLIMITED,
	[BUDGET_STORE].limit = UNLIMITED,
};
static uint64_t total = UNLIMITED;
static atomic_uint_fast64_t refused;

static void share(uint64_t bytes)
{
	pools[BUDGET_CONSOLE].limit = bytes / LIMIT_MEMORY_CONSOLE_PART;
	pools[BUDGET_APP].limit = bytes / LIMIT_MEMORY_APP_PART;
	pools[BUDGET_ANONYMOUS].limit = bytes / LIMIT_MEMORY_ANONYMOUS_PART;
	pools[BUDGET_SIGNED].limit = bytes - pools[BUDGET_CONSOLE].limit - pools[BUDGET_APP].limit -
				     pools[BUDGET_ANONYMOUS].limit;
}

void budget_set(uint64_t bytes)
{
	total = bytes ? bytes : UNLIMITED;
	pools[BUDGET_STORE].limit = total;
	share(total);
}

void budget_set_with_store(uint64_t bytes)
{
	total = bytes ? bytes : UNLIMITED;
	pools[BUDGET_STORE].limit = total / LIMIT_MEMORY_STORE_PART;
	share(total - pools[BUDGET_STORE].limit);
}

static uint64_t limit_for(enum budget_pool pool, size_t held)
{
	bool is_large =
		pool != BUDGET_SIGNED && pool != BUDGET_STORE && held > LIMIT_MEMORY_SMALL_BYTES;
	return is_large ? pools[pool].limit / 2 : pools[pool].limit;
}

static void pool_sub(enum budget_pool pool, size_t bytes)
{
	uint64_t before = atomic_fetch_sub_explicit(&pools[pool].used, bytes, memory_order_relaxed);
	assert(before >= bytes);
}

/* `held` is what the account will have then. */
static bool pool_add(enum budget_pool pool, size_t bytes, size_t held)
{
	uint64_t before = atomic_fetch_add_explicit(&pools[pool].used, bytes, memory_order_relaxed);
	if (before + bytes <= limit_for(pool, held))
		return true;
	pool_sub(pool, bytes);
	atomic_fetch_add_explicit(&refused, 1, memory_order_relaxed);
	return false;
}

bool budget_take(struct budget_account *account, size_t bytes)
{
	if (account->pool != BUDGET_UNASSIGNED &&
		!pool_add(account->pool, bytes, account->bytes + bytes))
		return false;
	account->bytes += bytes;
	return true;
}

void budget_count(struct budget_account *account, size_t bytes)
{
	if (account->pool != BUDGET_UNASSIGNED)
		atomic_fetch_add_explicit(&pools[account->pool].used, bytes, memory_order_relaxed);
	account->bytes += bytes;
}

void budget_give(struct budget_account *account, size_t bytes)
{
	assert(bytes <= account->bytes);
	if (account->pool != BUDGET_UNASSIGNED && bytes)
		pool_sub(account->pool, bytes);
	account->bytes -= bytes;
}

void budget_close(struct budget_account *account)
{
	budget_give(account, account->bytes);
	account->pool = BUDGET_UNASSIGNED;
}

static void leave_pool(struct budget_account *account, enum budget_pool next)
{
	if (account->pool != BUDGET_UNASSIGNED && account->bytes)
		pool_sub(account->pool, account->bytes);
	account->pool = next;
}

bool budget_assign(struct budget_account *account, enum budget_pool pool)
{
	if (account->pool == pool)
		return true;
	if (account->bytes && !pool_add(pool, account->bytes, account->bytes))
		return false;
	leave_pool(account, pool);
	return true;
}

void budget_return(struct budget_account *account, enum budget_pool pool)
{
	if (account->pool == pool)
		return;
	if (account->bytes)
		atomic_fetch_add_explicit(&pools[pool].used, account->bytes, memory_order_relaxed);
	leave_pool(account, pool);
}

static uint64_t used_of(enum budget_pool pool)
{
	return atomic_load_explicit(&pools[pool].used, memory_order_relaxed);
}

bool budget_is_scarce(enum budget_pool pool)
{
	return used_of(pool) > pools[pool].limit / 8 * 7;
}

bool budget_is_ample(enum budget_pool pool, size_t bytes)
{
	return used_of(pool) + bytes <= pools[pool].limit / 2;
}

bool budget_has(enum budget_pool pool, uint64_t bytes)
{
	uint64_t used = used_of(pool);
	return used <= pools[pool].limit && bytes <= pools[pool].limit - used;
}

void budget_stats(struct budget_stats *ret)
{
	*ret = (struct budget_stats){
		.limit = total == UNLIMITED ? 0 : total,
		.refused = atomic_load(&refused),
	};
	for (size_t i = 0; i < BUDGET_POOLS; i++)
		ret->used[i] = used_of((enum budget_pool)i);
}
