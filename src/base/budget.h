/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Bounds the total memory that clients can make the process hold ([server] memory). Every holder
 * has an account in which its memory is counted. Accounts draw on pools, each with a share of the
 * budget, so that anonymous clients cannot take the memory of signed requests or of the console.
 *
 * Nothing waits for memory: taking it succeeds or fails at once, so there is no deadlock. While
 * half of a pool is free a request that begins takes everything that it needs to finish; later only
 * what it needs for the bytes that have come, so that announcing many costs its client as much
 * (docs/decisions/0018, 0098).
 *
 * Of the signed pool a single requester cannot have all: what its large accounts, and those that
 * wait for its client, hold together is bounded by twice what is free, which is two thirds for one
 * alone, and leaves something for others.
 *
 * An account belongs to one thread at a time; the pools are atomic counters. Counted, in coarse
 * amounts, is what grows with the number of clients or with what they send. Other memory (buffers
 * of loops, the index and its cache) is not counted.
 */
#ifndef BASE_BUDGET_H
#define BASE_BUDGET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/slice.h"
#include "base/slot.h"

enum budget_pool {
	/*
	 * Not assigned yet: counted in the account only, until budget_assign(). For the time in
	 * which a request does not wait.
	 */
	BUDGET_UNASSIGNED,
	BUDGET_CONSOLE,   /* the console's port */
	BUDGET_APP,       /* the application server's port */
	BUDGET_ANONYMOUS, /* the store's port, while the request is not signed */
	BUDGET_SIGNED,    /* authenticated requests, and what they cause */
	BUDGET_STORE,     /* objects, if the store keeps them in memory */
	BUDGET_POOLS,
};

/* Zeroed: empty and unassigned. */
struct budget_account {
	enum budget_pool pool;
	struct slots share; /* in BUDGET_SIGNED: whose it is, of budget_share_of(); or nobody's */
	bool shared;        /* it counts in the share though it is small; see budget_share() */
	size_t bytes;
};

struct budget_stats {
	uint64_t limit;
	uint64_t used[BUDGET_POOLS];
	uint64_t refused; /* how often there was no memory, since the start */
};

/* Before threads start, and before any share is asked for; without it, or with 0, no limit. */
void budget_set(uint64_t bytes);
/* The same, for a process whose store is in memory: it has half, and the others share the rest. */
void budget_set_with_store(uint64_t bytes);

/* What stands for a requester in its accounts (base/slot.h). */
struct slots budget_share_of(struct slice requester);
/* An empty account of the same pool and requester. */
struct budget_account budget_account_like(const struct budget_account *account);

/*
 * Takes `bytes` more. False, and nothing is taken, if the account's pool has not enough. An account
 * above LIMIT_MEMORY_SMALL_BYTES is large: in BUDGET_SIGNED it counts for its requester, whose
 * share may be used up; in other pools it may only be while half of the pool is free; the other
 * half is for the many small ones.
 */
bool budget_take(struct budget_account *account, size_t bytes) MUST_USE;
/* Takes what it has less than `bytes` in all. False, and nothing is taken, as above. */
bool budget_raise(struct budget_account *account, size_t bytes) MUST_USE;
/* From now on it counts in its requester's share though it is small, be there room or not. */
void budget_share(struct budget_account *account);
/* Whether the account could have `bytes` in all, as things are now. */
bool budget_fits(const struct budget_account *account, size_t bytes);
/* Takes them even without room: for small amounts that a request in progress needs. */
void budget_count(struct budget_account *account, size_t bytes);
void budget_give(struct budget_account *account, size_t bytes);
/* Returns everything; the account is empty and unassigned afterwards. */
void budget_close(struct budget_account *account);
/* Moves the account to another pool and requester. False, and nothing is moved, without room. */
bool budget_assign(
	struct budget_account *account, enum budget_pool pool, struct slots share) MUST_USE;
/* The same even without room: for small accounts that return. */
void budget_return(struct budget_account *account, enum budget_pool pool, struct slots share);

/* Whether seven eighths of the pool are used: who is slow should make room. */
bool budget_is_scarce(enum budget_pool pool);
/* Whether the pool would still be half free if `bytes` were taken. */
bool budget_is_ample(enum budget_pool pool, size_t bytes);

/* Whether the pool has room for `bytes` more, as it is now. */
bool budget_has(enum budget_pool pool, uint64_t bytes);

void budget_stats(struct budget_stats *ret);

#endif
