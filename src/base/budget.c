/* SPDX-License-Identifier: Apache-2.0 */
#include "base/budget.h"

#include <assert.h>
#include <stdalign.h>
#include <stdatomic.h>
#include <sys/random.h>

#include "base/limits.h"

/* Each on a cache line of its own: all loops count in them. */
struct pool {
	alignas(64) atomic_uint_fast64_t used;
	uint64_t limit;
};

#define UNLIMITED (UINT64_MAX / 8)

static struct pool pools[BUDGET_POOLS] = {
	[BUDGET_CONSOLE].limit = UNLIMITED,
	[BUDGET_APP].limit = UNLIMITED,
	[BUDGET_ANONYMOUS].limit = UNLIMITED,
	[BUDGET_SIGNED].limit = UNLIMITED,
	[BUDGET_STORE].limit = UNLIMITED,
};
static uint64_t total = UNLIMITED;
static atomic_uint_fast64_t refused;

/* What accounts of the signed pool that are large, or shared, hold together, by requester. */
static atomic_uint_fast64_t shares[SLOT_ROWS][SLOTS];
static uint64_t share_seed;

static void divide(uint64_t bytes)
{
	/* Without random bytes names can be chosen that share, which is no worse than one name. */
	if (getrandom(&share_seed, sizeof(share_seed), 0) != sizeof(share_seed))
		share_seed = (uint64_t)(uintptr_t)&share_seed;
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
	divide(total);
}

void budget_set_with_store(uint64_t bytes)
{
	total = bytes ? bytes : UNLIMITED;
	pools[BUDGET_STORE].limit = total / LIMIT_MEMORY_STORE_PART;
	divide(total - pools[BUDGET_STORE].limit);
}

struct slots budget_share_of(struct slice requester)
{
	return slots_of(share_seed, requester);
}

struct budget_account budget_account_like(const struct budget_account *account)
{
	return (struct budget_account){.pool = account->pool, .share = account->share};
}

static uint64_t used_of(enum budget_pool pool)
{
	return atomic_load_explicit(&pools[pool].used, memory_order_relaxed);
}

/* ---- Pools ----------------------------------------------------------------------------------- */

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
	return false;
}

/* ---- Shares ---------------------------------------------------------------------------------- */

/* What counts in its requester's share if the account holds `bytes`. */
static uint64_t shared_bytes(const struct budget_account *account, size_t bytes)
{
	return account->shared || bytes > LIMIT_MEMORY_SMALL_BYTES ? bytes : 0;
}

static bool has_share(const struct budget_account *account)
{
	return account->pool == BUDGET_SIGNED && !slots_nobody(account->share);
}

/* The least of its counts, after `more` was added, which may wrap, as sums then do. */
static uint64_t share_count(struct slots share, uint64_t more)
{
	uint64_t least = UINT64_MAX;
	for (size_t row = 0; row < SLOT_ROWS; row++) {
		atomic_uint_fast64_t *count = &shares[row][share.in[row]];
		uint64_t own =
			more ? atomic_fetch_add_explicit(count, more, memory_order_relaxed) + more
			     : atomic_load_explicit(count, memory_order_relaxed);
		if (own < least)
			least = own;
	}
	return least;
}

/* The account holds `after` bytes instead of `before`; the pool knows. What its requester has. */
static uint64_t share_change(const struct budget_account *account, size_t before, size_t after)
{
	return share_count(
		account->share, shared_bytes(account, after) - shared_bytes(account, before));
}

/* Whether a requester may have so much while the pool has that in use. */
static bool share_allows(uint64_t own, uint64_t used)
{
	uint64_t limit = pools[BUDGET_SIGNED].limit;
	return used <= limit && own <= 2 * (limit - used);
}

static bool share_add(const struct budget_account *account, size_t bytes)
{
	size_t after = account->bytes + bytes;
	if (!has_share(account) || shared_bytes(account, after) == 0)
		return true;
	uint64_t own = share_change(account, account->bytes, after);
	if (share_allows(own, used_of(BUDGET_SIGNED)))
		return true;
	(void)share_change(account, after, account->bytes);
	return false;
}

static void share_sub(const struct budget_account *account, size_t bytes)
{
	if (has_share(account))
		(void)share_change(account, account->bytes, account->bytes - bytes);
}

/* ---- Accounts -------------------------------------------------------------------------------- */

/* Whether the account could have `bytes` in all. */
static bool fits(const struct budget_account *account, size_t bytes)
{
	uint64_t used = used_of(account->pool) + bytes - account->bytes;
	if (used > limit_for(account->pool, bytes))
		return false;
	if (!has_share(account) || shared_bytes(account, bytes) == 0)
		return true;
	uint64_t own =
		share_count(account->share, 0) + bytes - shared_bytes(account, account->bytes);
	return share_allows(own, used);
}

/*
 * Counts `bytes` more for the account, which does not hold them yet. What is shared is looked at
 * before: what is counted for a moment only to be refused would have others refused, too.
 */
static bool add(const struct budget_account *account, size_t bytes)
{
	if (account->pool == BUDGET_UNASSIGNED)
		return true;
	bool may = shared_bytes(account, account->bytes + bytes) == 0 ||
		   fits(account, account->bytes + bytes);
	if (may && pool_add(account->pool, bytes, account->bytes + bytes)) {
		if (share_add(account, bytes))
			return true;
		pool_sub(account->pool, bytes);
	}
	atomic_fetch_add_explicit(&refused, 1, memory_order_relaxed);
	return false;
}

/* The same, whether there is room or not. */
static void add_anyway(const struct budget_account *account, size_t bytes)
{
	if (account->pool == BUDGET_UNASSIGNED || bytes == 0)
		return;
	atomic_fetch_add_explicit(&pools[account->pool].used, bytes, memory_order_relaxed);
	if (has_share(account))
		(void)share_change(account, account->bytes, account->bytes + bytes);
}

bool budget_take(struct budget_account *account, size_t bytes)
{
	if (!add(account, bytes))
		return false;
	account->bytes += bytes;
	return true;
}

bool budget_raise(struct budget_account *account, size_t bytes)
{
	return bytes <= account->bytes || budget_take(account, bytes - account->bytes);
}

void budget_count(struct budget_account *account, size_t bytes)
{
	add_anyway(account, bytes);
	account->bytes += bytes;
}

void budget_share(struct budget_account *account)
{
	struct budget_account shared = *account;
	shared.shared = true;
	if (has_share(account) && !account->shared && !shared_bytes(account, account->bytes))
		(void)share_change(&shared, 0, account->bytes);
	account->shared = true;
}

void budget_give(struct budget_account *account, size_t bytes)
{
	assert(bytes <= account->bytes);
	if (account->pool != BUDGET_UNASSIGNED && bytes) {
		pool_sub(account->pool, bytes);
		share_sub(account, bytes);
	}
	account->bytes -= bytes;
}

void budget_close(struct budget_account *account)
{
	budget_give(account, account->bytes);
	*account = (struct budget_account){.bytes = 0};
}

/* Moves to where `next`, which is empty, counts; it has been counted there. */
static void move(struct budget_account *account, struct budget_account next)
{
	next.bytes = account->bytes;
	budget_close(account);
	*account = next;
}

bool budget_assign(struct budget_account *account, enum budget_pool pool, struct slots share)
{
	const struct budget_account next = {
		.pool = pool, .share = share, .shared = account->shared};
	if (account->pool == pool && slots_same(account->share, share))
		return true;
	if (account->bytes && !add(&next, account->bytes))
		return false;
	move(account, next);
	return true;
}

void budget_return(struct budget_account *account, enum budget_pool pool, struct slots share)
{
	const struct budget_account next = {.pool = pool, .share = share};
	if (account->pool == pool && slots_same(account->share, share))
		return;
	add_anyway(&next, account->bytes);
	move(account, next);
}

bool budget_fits(const struct budget_account *account, size_t bytes)
{
	if (account->pool == BUDGET_UNASSIGNED || fits(account, bytes))
		return true;
	atomic_fetch_add_explicit(&refused, 1, memory_order_relaxed);
	return false;
}

/* ---- What is known of them ------------------------------------------------------------------- */

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
