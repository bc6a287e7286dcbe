/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An arena is the memory of one request: allocations are taken from its front
 * and given back all at once. It begins in a block the owner supplies, grows
 * on the heap, and never passes its ceiling. An allocation that fails returns
 * NULL (an ordinary fault: answer ERR_UNAVAILABLE).
 *
 * Not thread-safe: it belongs to the thread that runs its request.
 */
#ifndef BASE_ARENA_H
#define BASE_ARENA_H

#include <stdbool.h>
#include <stddef.h>

#include "base/budget.h"
#include "base/slice.h"

struct arena_block;

struct arena {
	char *at;
	char *end;
	struct arena_block *blocks; /* heap blocks, newest first */
	char *first;                /* the owner's block */
	size_t first_size;
	size_t used;                    /* bytes taken from the heap so far */
	size_t max;                     /* ceiling for `used` */
	struct budget_account *account; /* of `used`; NULL: it is not counted */
	bool refusable;                 /* allocations above the budget fail */
	bool starved; /* one has failed since the last reset, not by the ceiling */
};

/* `first` (may be NULL with size 0) must outlive the arena. */
void arena_init(struct arena *a, void *first, size_t first_size, size_t max_heap);
/*
 * The same, with its heap counted in `account`, which must outlive the last reset. If `refusable`,
 * allocations above the budget fail, as without memory; this is for large ones. Otherwise they are
 * only counted, so that a request in progress need not fail at each small step.
 */
void arena_init_counted(struct arena *a, void *first, size_t first_size, size_t max_heap,
	struct budget_account *account, bool refusable);
/* Frees everything; the arena can be used again. */
void arena_reset(struct arena *a);

/* Aligned for any type; not zeroed. */
void *arena_alloc(struct arena *a, size_t size) MUST_USE;
/* Zeroed. */
void *arena_zalloc(struct arena *a, size_t size) MUST_USE;
/* A copy with a NUL behind it (not counted); ret->ptr is NULL if there is no memory. */
struct slice arena_copy(struct arena *a, struct slice s) MUST_USE;

#endif
