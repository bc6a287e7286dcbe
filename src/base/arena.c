/* SPDX-License-Identifier: Apache-2.0 */
#include "base/arena.h"

#include <stdalign.h>
#include <stdlib.h>

enum {
	ARENA_BLOCK = 8192
};

struct arena_block {
	struct arena_block *next;
	alignas(max_align_t) char bytes[];
};

void arena_init(struct arena *a, void *first, size_t first_size, size_t max_heap)
{
	*a = (struct arena){
		.at = first,
		.end = first ? (char *)first + first_size : NULL,
		.first = first,
		.first_size = first_size,
		.max = max_heap,
	};
}

void arena_init_counted(struct arena *a, void *first, size_t first_size, size_t max_heap,
	struct budget_account *account, bool refusable)
{
	arena_init(a, first, first_size, max_heap);
	a->account = account;
	a->refusable = refusable;
}

void arena_reset(struct arena *a)
{
	while (a->blocks) {
		struct arena_block *next = a->blocks->next;
		free(a->blocks);
		a->blocks = next;
	}
	if (a->account)
		budget_give(a->account, a->used);
	arena_init_counted(a, a->first, a->first_size, a->max, a->account, a->refusable);
}

/* Bytes to skip so that `p` is aligned for any type. */
static size_t misalignment(const char *p)
{
	return (size_t)(-(uintptr_t)p) & (alignof(max_align_t) - 1);
}

static bool count(struct arena *a, size_t bytes)
{
	if (a->account && a->refusable)
		return budget_take(a->account, bytes);
	if (a->account)
		budget_count(a->account, bytes);
	return true;
}

static void *starve(struct arena *a)
{
	a->starved = true;
	return NULL;
}

void *arena_alloc(struct arena *a, size_t size)
{
	size_t skip = misalignment(a->at);
	size_t room = (size_t)(a->end - a->at);
	if (a->at && skip <= room && size <= room - skip) {
		char *p = a->at + skip;
		a->at = p + size;
		return p;
	}
	size_t want = size > ARENA_BLOCK / 4 ? size : ARENA_BLOCK;
	if (want > a->max || a->used > a->max - want)
		return NULL;
	if (!count(a, want))
		return starve(a);
	struct arena_block *block = malloc(sizeof(*block) + want);
	if (!block) {
		if (a->account)
			budget_give(a->account, want);
		return starve(a);
	}
	block->next = a->blocks;
	a->blocks = block;
	a->used += want;
	/* A large piece gets a block of its own; the current block stays in use. */
	if (want == ARENA_BLOCK) {
		a->at = block->bytes + size;
		a->end = block->bytes + want;
	}
	return block->bytes;
}

void *arena_zalloc(struct arena *a, size_t size)
{
	void *p = arena_alloc(a, size);
	if (p)
		memset(p, 0, size);
	return p;
}

struct slice arena_copy(struct arena *a, struct slice s)
{
	char *p = arena_alloc(a, s.len + 1);
	if (!p)
		return (struct slice){NULL, 0};
	if (s.len)
		memcpy(p, s.ptr, s.len);
	p[s.len] = '\0';
	return slice_of(p, s.len);
}
