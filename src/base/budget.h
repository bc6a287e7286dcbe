/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The memory that clients can make the process hold, in sum ([server] memory). Whoever holds some
 * of it has an account, in which it is counted; the accounts draw on pools, each with a share of
 * the budget, so that strangers cannot take what signed requests or the operator need.
 *
 * Nothing ever waits for memory: to take some succeeds or fails at once. So nobody can hold what
 * others wait for. What begins takes all that it needs to come to its end, or is refused; what
 * could use more in order to be quicker goes on without (docs/decisions/0018).
 *
 * An account belongs to one thread at a time; the pools are atomic counters. What is counted is
 * what grows with the number of clients or with what they send, in coarse amounts. What does not
 * (buffers of loops, the index and its cache) is not.
 */
#ifndef BASE_BUDGET_H
#define BASE_BUDGET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"

enum budget_pool {
	/* Not known yet whose it is: counted in the account alone, until budget_assign(). For as
	   long as it takes to find out without waiting. */
	BUDGET_UNASSIGNED,
	BUDGET_OPERATOR,  /* the console's port */
	BUDGET_APP,       /* the application server's port */
	BUDGET_STRANGERS, /* the store's port, while nobody has signed */
	BUDGET_SIGNED,    /* requests that are authentic, and what they lead to */
	BUDGET_STORE,     /* objects, if the store keeps them in memory */
	BUDGET_POOLS,
};

/* Zeroed: empty and unassigned. */
struct budget_account {
	enum budget_pool pool;
	size_t bytes;
};

struct budget_stats {
	uint64_t limit;
	uint64_t used[BUDGET_POOLS];
	uint64_t refused; /* how often there was no memory, since the start */
};

/* Before threads start; without it, or with 0, there is no limit. */
void budget_set(uint64_t bytes);
/* The same, for a process whose store is in memory: it has half, and the others share the rest. */
void budget_set_with_store(uint64_t bytes);

/*
 * Takes `bytes` more. False, and nothing is taken, if the account's pool has no more; and, of the
 * pools of those who are not known, for an account with more than LIMIT_MEMORY_SMALL_BYTES once
 * half of the pool is used: the other half is for the many who need little.
 */
bool budget_take(struct budget_account *account, size_t bytes) MUST_USE;
/* Takes them though there be no room: for a little that what has begun cannot do without. */
void budget_count(struct budget_account *account, size_t bytes);
void budget_give(struct budget_account *account, size_t bytes);
/* Gives back all; the account is empty and unassigned. */
void budget_close(struct budget_account *account);
/* Moves what the account holds into another pool. False if that has no room: nothing is moved. */
bool budget_assign(struct budget_account *account, enum budget_pool pool) MUST_USE;
/* The same though there be no room: for what comes back, and is little. */
void budget_return(struct budget_account *account, enum budget_pool pool);

/* Whether seven eighths of the pool are used. */
bool budget_is_scarce(enum budget_pool pool);
/* Whether the pool would still be half free if `bytes` were taken. */
bool budget_is_ample(enum budget_pool pool, size_t bytes);

/* Whether the pool has room for `bytes` more, as it is now. */
bool budget_has(enum budget_pool pool, uint64_t bytes);

void budget_stats(struct budget_stats *ret);

#endif
