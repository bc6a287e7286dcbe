/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdlib.h>

#include "base/log.h"
#include "store/rados/data/data.h"

enum {
	WINDOW_BLOCKS = 16,
	WINDOW_BYTES = WINDOW_BLOCKS * SUM_BLOCK_BYTES,
	WINDOW_BYTES_SCARCE = SUM_BLOCK_BYTES, /* when there is little memory */
};

void window_release(struct window *window)
{
	free(TAKE(window->bytes));
	budget_close(&window->memory);
	window->size = 0;
}

/* How much the holder can have of `wanted`: whole blocks. 0: nothing. */
static size_t take(struct budget_account *memory, bool is_first, uint64_t wanted)
{
	size_t size = wanted < WINDOW_BYTES ? (size_t)wanted : WINDOW_BYTES;
	if (!budget_is_ample(memory->pool, size))
		budget_share(memory);
	if (budget_take(memory, size))
		return size;
	size = size < WINDOW_BYTES_SCARCE ? size : WINDOW_BYTES_SCARCE;
	if (budget_take(memory, size))
		return size;
	if (is_first)
		return 0;
	budget_count(memory, size);
	return size;
}

static enum err make_room(const struct held *held, struct window *window, uint64_t wanted)
{
	*window = (struct window){.memory = budget_account_like(&held->holder)};
	if (window->memory.pool == BUDGET_UNASSIGNED)
		window->memory.pool = BUDGET_SIGNED;
	window->size = take(&window->memory, window == &held->first, wanted);
	window->bytes = window->size ? malloc(window->size) : NULL;
	if (!window->bytes)
		window_release(window);
	return window->bytes ? ERR_OK : ERR_UNAVAILABLE;
}

/* Whether the blocks of the window are those that were stored. */
static bool fits(const struct window *window, uint64_t data, uint64_t chunk, const char *sums)
{
	struct slice rest = slice_of(window->bytes, window->size);
	for (; rest.len; rest = slice_from(rest, SUM_BLOCK_BYTES), sums += SUM_BYTES) {
		char sum[SUM_BYTES];
		sum_block(data, chunk, slice_head(rest, SUM_BLOCK_BYTES), sum);
		if (memcmp(sum, sums, SUM_BYTES) != 0)
			return false;
	}
	return true;
}

/* Reads from `at` of the extent. */
static enum err read_extent(
	const struct held *held, const struct extent *extent, uint64_t at, struct window *ret)
{
	struct rados *r = held->r;
	char name[RADOS_NAME_BYTES];
	char sums[SUM_BYTES * WINDOW_BLOCKS];
	uint64_t chunk = at / r->sizes.chunk_bytes;
	uint64_t size = extent->size - chunk * r->sizes.chunk_bytes; /* the chunk's */
	if (size > r->sizes.chunk_bytes)
		size = r->sizes.chunk_bytes;
	uint64_t offset = at % r->sizes.chunk_bytes;
	uint64_t begin = offset - offset % SUM_BLOCK_BYTES;
	enum err e = make_room(held, ret, size - begin);
	if (e != ERR_OK)
		return e;
	ret->skip = (size_t)(offset - begin);
	rados_chunk_name(name, extent->data, chunk);
	struct pool_run runs[] = {
		{.offset = begin, .bytes = ret->bytes, .len = ret->size},
		{.offset = size + begin / SUM_BLOCK_BYTES * SUM_BYTES,
			.bytes = sums,
			.len = sums_of(ret->size) * SUM_BYTES},
	};
	int result = pool_read(rados_pool_of(r, extent->size), name, runs, ARRAY_LEN(runs));
	/* While it is read nobody removes it, unless this gateway is taken for dead. */
	bool is_lost = result == -ENOENT && life_is_well(&r->life);
	e = is_lost ? ERR_OK : cluster_err(result, "reading", name);
	if (e == ERR_OK && (is_lost || runs[0].got < runs[0].len || runs[1].got < runs[1].len ||
				   !fits(ret, extent->data, chunk, sums))) {
		(void)atomic_fetch_add(&r->damaged_reads, 1);
		log_error("ceph: %s is not what was stored", name);
		e = ERR_INTERNAL;
	}
	if (e != ERR_OK)
		window_release(ret);
	return e;
}

enum err window_read(const struct held *held, uint64_t at, struct window *ret)
{
	for (size_t i = 0; i < held->extent_count; i++) {
		const struct extent *extent = &held->extents[i];
		if (at < extent->size)
			return read_extent(held, extent, at, ret);
		at -= extent->size;
	}
	return ERR_INTERNAL;
}
