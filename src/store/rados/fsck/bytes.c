/* SPDX-License-Identifier: Apache-2.0 */
/* Whether the chunks of data are there, as long as they are to be, and what was stored. */
#include <errno.h>

#include "crypto/crc64.h"
#include "store/rados/data/data.h"
#include "store/rados/fsck/survey.h"

struct chunk {
	uint64_t data;
	uint64_t number;
	size_t size; /* of its bytes */
	size_t got;  /* of its object */
};

/* Whether each block has its sum. */
static bool sums_fit(const struct survey *f, const struct chunk *chunk)
{
	const char *sums = f->chunk + chunk->size;
	struct slice rest = slice_of(f->chunk, chunk->size);
	for (; rest.len; rest = slice_from(rest, SUM_BLOCK_BYTES), sums += SUM_BYTES) {
		char sum[SUM_BYTES];
		sum_block(chunk->data, chunk->number, slice_head(rest, SUM_BLOCK_BYTES), sum);
		if (memcmp(sum, sums, SUM_BYTES) != 0)
			return false;
	}
	return true;
}

/* What is wrong with the chunk, or NULL. Its bytes are in f->chunk, unless they are skipped. */
static const char *look_at(
	struct survey *f, struct pool *pool, struct chunk *chunk, const char *name)
{
	size_t size = chunk->size + sums_of(chunk->size) * SUM_BYTES;
	bool skips = f->options->skips_bytes;
	/* With the byte behind it, so that its end is seen. */
	struct pool_run run = {.offset = skips ? size - 1 : 0, .bytes = f->chunk};
	run.len = skips ? 2 : size + 1;
	int result = pool_read(pool, name, &run, 1);
	chunk->got = (size_t)run.offset + (result < 0 ? 0 : run.got);
	if (result == -ENOENT)
		return "a chunk of its data is missing";
	if (result == -EIO)
		return "a chunk of its data cannot be read";
	if (result < 0) {
		survey_fail_ceph(f, result, name);
		return NULL;
	}
	if (chunk->got < size)
		return "a chunk of its data is too short";
	if (chunk->got > size)
		return "a chunk of its data is too long";
	return skips || sums_fit(f, chunk) ? NULL : "a block of 64 KiB is damaged";
}

bool bytes_are_whole(struct survey *f, const struct extents *extents, uint64_t crc64,
	const char **ret_what, char ret_object[SURVEY_OBJECT_BYTES])
{
	uint64_t crc = 0;
	*ret_what = NULL;
	ret_object[0] = '\0';
	for (size_t i = 0; i < extents->count; i++) {
		struct extent extent = extents_at(extents, i);
		struct pool *pool = rados_pool_of(f->r, extent.size);
		struct chunk chunk = {.data = extent.data};
		for (uint64_t at = 0; at < extent.size && f->err == ERR_OK; chunk.number++) {
			char name[RADOS_NAME_BYTES];
			uint64_t left = extent.size - at;
			chunk.size = left < f->r->sizes.chunk_bytes ? (size_t)left
								    : f->r->sizes.chunk_bytes;
			rados_chunk_name(name, chunk.data, chunk.number);
			*ret_what = look_at(f, pool, &chunk, name);
			if (*ret_what) {
				survey_object(f, pool, name, ret_object);
				return false;
			}
			if (!f->options->skips_bytes)
				crc = crc64_update(crc, slice_of(f->chunk, chunk.size));
			at += chunk.size;
			(void)survey_progress(f, chunk.size);
		}
	}
	if (f->err != ERR_OK || f->options->skips_bytes || crc == crc64)
		return true;
	*ret_what = "its bytes do not have their CRC-64";
	return false;
}
