/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdlib.h>

#include "store/rados/garbage/garbage_internal.h"

enum {
	REMOVALS_MAX = 64 /* at a time */
};

struct one {
	struct transfer transfer;
	struct chunk_removals *removals;
};

void chunk_removals_begin(struct chunk_removals *removals, struct rados *r)
{
	*removals = (struct chunk_removals){.r = r};
	(void)pthread_mutex_init(&removals->lock, NULL);
	(void)pthread_cond_init(&removals->fewer, NULL);
}

static void count_out(struct chunk_removals *removals, int result)
{
	(void)pthread_mutex_lock(&removals->lock);
	if (result < 0 && result != -ENOENT)
		removals->failed = result;
	removals->count--;
	(void)pthread_cond_signal(&removals->fewer);
	(void)pthread_mutex_unlock(&removals->lock);
}

static void removed(struct transfer *transfer, int result)
{
	struct one *one = CONTAINER_OF(transfer, struct one, transfer);
	struct chunk_removals *removals = one->removals;
	free(one);
	count_out(removals, result);
}

/* Waits until there are fewer than so many. */
static void wait_for_fewer(struct chunk_removals *removals, unsigned count)
{
	while (removals->count >= count)
		(void)pthread_cond_wait(&removals->fewer, &removals->lock);
}

static void remove_chunk(struct chunk_removals *removals, struct pool *pool, const char *name)
{
	struct one *one = malloc(sizeof(*one));
	(void)pthread_mutex_lock(&removals->lock);
	wait_for_fewer(removals, REMOVALS_MAX);
	removals->count++;
	(void)pthread_mutex_unlock(&removals->lock);
	int result = -ENOMEM;
	if (one) {
		*one = (struct one){.transfer.done = removed, .removals = removals};
		result = pool_remove(pool, name, &one->transfer);
	}
	if (result < 0) {
		free(one);
		count_out(removals, result);
	}
}

void chunk_removals_add(struct chunk_removals *removals, const struct extent *extent)
{
	struct rados *r = removals->r;
	char name[RADOS_NAME_BYTES];
	uint64_t chunks = (extent->size - 1) / r->sizes.chunk_bytes + 1;
	for (uint64_t i = 0; i < chunks; i++)
		remove_chunk(removals, rados_pool_of(r, extent->size),
			rados_chunk_name(name, extent->data, i));
}

int chunk_removals_end(struct chunk_removals *removals)
{
	(void)pthread_mutex_lock(&removals->lock);
	wait_for_fewer(removals, 1);
	(void)pthread_mutex_unlock(&removals->lock);
	(void)pthread_cond_destroy(&removals->fewer);
	(void)pthread_mutex_destroy(&removals->lock);
	return removals->failed;
}
