/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Bytes that come and go. Small objects are in their tablet; other bytes are data, whose number is
 * never used again: chunks, which are made once and never change.
 *
 *	put.c     bytes that come
 *	chunks.c  their sums; removing the chunks of data that nothing refers to
 *	get.c     finding an object
 *	window.c  reading its data, a window at a time
 */
#ifndef STORE_RADOS_DATA_DATA_H
#define STORE_RADOS_DATA_DATA_H

#include "base/limits.h"
#include "store/rados/rows/entry.h"
#include "store/rados/state/state.h"

static inline bool rados_key_fits(struct slice key)
{
	return key.len > 0 && key.len <= LIMIT_KEY_BYTES;
}

/* ---- The functions of store.h ---------------------------------------------------------------- */

enum err rados_put_begin(
	struct store *store, const struct store_put_spec *spec, struct store_put **ret) MUST_USE;
enum store_now rados_put_write(struct store_put *put, struct slice bytes, struct store_wait *wait);
void rados_put_commit(struct store_put *put, struct store_put_commit *commit);
void rados_put_abort(struct store_put *put);

enum store_now rados_get(struct store *store, struct store_get *get);
void rados_get_release(struct store *store, struct store_get *get);
enum store_now rados_read(struct store *store, struct store_read *read);
void rados_read_release(struct store *store, struct store_read *read);
void rados_damaged(struct store *store, const struct store_damage *damage);

/* ---- For each other -------------------------------------------------------------------------- */

/*
 * Removes so many chunks of data that no row refers to, and ends its mark. Does not wait. What
 * cannot be removed, or if some of it may still come, is looked for when the gateway has ended.
 */
void data_remove(
	struct rados *r, struct pool *pool, struct mark *data, uint64_t chunks, bool more_may_come);

/*
 * Behind the bytes of a chunk stand the sums of its blocks, 8 bytes each, big-endian: CRC-64/XZ of
 * the data's number and the chunk's, 8 bytes each, and the block. So bytes that somebody else has
 * put there are not taken for those that were stored.
 */
enum {
	SUM_BLOCK_BYTES = 64 << 10,
	SUM_BYTES = 8,
};

static inline size_t sums_of(uint64_t chunk_size)
{
	return (size_t)((chunk_size + SUM_BLOCK_BYTES - 1) / SUM_BLOCK_BYTES);
}

/* The sum of one block into SUM_BYTES. */
void sum_block(uint64_t data, uint64_t chunk, struct slice block, char *ret);

/* A run of bytes that was read, and is what was stored; whole blocks. */
struct window {
	char *bytes;
	size_t skip; /* in front, which were not asked for */
	size_t size;
	struct budget_account memory;
};

/* An object that has been found, while somebody reads it. */
struct held {
	struct task task;
	struct rados *r;
	struct mark read;             /* so that what it reads is not collected */
	struct store_get *get;        /* while it is looked for */
	struct budget_account holder; /* the get's */
	char *text;                   /* its headers and tags, and its inline bytes */
	struct extent *extents;
	size_t extent_count;
	struct window first;
};

/*
 * Reads what is at `at` of the bytes that the extents are, and as many behind it as is worth it,
 * into memory of the holder's (store_get.holder). ERR_UNAVAILABLE without memory for held->first,
 * which is held as long as it is read; later a little is always had. ERR_UNAVAILABLE, logged, if
 * they cannot be read; ERR_INTERNAL if they are not what was stored. Waits.
 */
enum err window_read(const struct held *held, uint64_t at, struct window *ret) MUST_USE;
void window_release(struct window *window);

#endif
