/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "base/log.h"
#include "store/rados/data/data.h"

enum {
	WINDOW_BYTES = 1 << 20,
	WINDOW_BYTES_SCARCE = 64 << 10, /* when there is little memory */
};

void window_release(struct window *window)
{
	free(TAKE(window->bytes));
	budget_close(&window->memory);
	window->size = 0;
}

/* The most that may be read at once. */
static enum err make_room(struct window *window, uint64_t wanted)
{
	size_t size = wanted < WINDOW_BYTES ? (size_t)wanted : WINDOW_BYTES;
	*window = (struct window){.memory.pool = BUDGET_SIGNED};
	if (!budget_take(&window->memory, size)) {
		size = size < WINDOW_BYTES_SCARCE ? size : WINDOW_BYTES_SCARCE;
		budget_count(&window->memory, size);
	}
	window->bytes = malloc(size + 1);
	window->size = size;
	if (!window->bytes)
		window_release(window);
	return window->bytes ? ERR_OK : ERR_UNAVAILABLE;
}

/* Reads from `at` of the extent. */
static enum err read_extent(
	struct rados *r, const struct extent *extent, uint64_t at, struct window *ret)
{
	char name[RADOS_NAME_BYTES];
	uint64_t chunk = at / r->sizes.chunk_bytes;
	uint64_t offset = at % r->sizes.chunk_bytes;
	uint64_t rest = r->sizes.chunk_bytes - offset;
	if (rest > extent->size - at)
		rest = extent->size - at;
	enum err e = make_room(ret, rest);
	if (e != ERR_OK)
		return e;
	rados_chunk_name(name, extent->data, chunk);
	int64_t got =
		pool_read(rados_pool_of(r, extent->size), name, offset, ret->bytes, ret->size);
	if (got >= 0 && (uint64_t)got < ret->size) {
		log_error("ceph: %s: has fewer bytes than were stored", name);
		e = ERR_UNAVAILABLE;
	} else {
		e = cluster_err(got < 0 ? (int)got : 0, "reading", name);
	}
	if (e != ERR_OK)
		window_release(ret);
	return e;
}

enum err window_read(struct rados *r, const struct extent *extents, size_t count, uint64_t at,
	struct window *ret)
{
	for (size_t i = 0; i < count; i++) {
		if (at < extents[i].size)
			return read_extent(r, &extents[i], at, ret);
		at -= extents[i].size;
	}
	return ERR_INTERNAL;
}
