/* SPDX-License-Identifier: Apache-2.0 */
#include "net/checked.h"

#include <stdlib.h>
#include <sys/stat.h>

#include "base/limits.h"
#include "crypto/block_check.h"

enum {
	RUN_BLOCKS = 16, /* in one row */
};

#define RUN_BYTES ((uint64_t)RUN_BLOCKS * BLOCK_CHECK_BYTES)
#define SECOND_NS INT64_C(1000000000)

/* A run of a file, whose blocks were checked since `since_ms`. */
struct row {
	struct checked_file file;
	uint64_t run;
	int64_t since_ms;
	uint32_t known; /* a bit for each block; 0: an empty row */
};

struct checked {
	struct row rows[LIMIT_CHECKED_RUNS];
};

struct checked *checked_new(void)
{
	return calloc(1, sizeof(struct checked));
}

void checked_free(struct checked *checked)
{
	free(checked);
}

bool checked_identify(int fd, int64_t now_ns, struct checked_file *ret)
{
	struct stat st;
	if (fstat(fd, &st) != 0)
		return false;
	ret->device = (uint64_t)st.st_dev;
	ret->inode = (uint64_t)st.st_ino;
	ret->changed_ns = (int64_t)st.st_ctim.tv_sec * SECOND_NS + st.st_ctim.tv_nsec;
	/* The times of files go on in steps of some milliseconds. */
	return ret->changed_ns < now_ns - SECOND_NS;
}

static size_t row_of(const struct checked_file *file, uint64_t run)
{
	uint64_t mixed = (file->inode * 0x9e3779b97f4a7c15u + run) * 0xbf58476d1ce4e5b9u;
	return (size_t)((mixed >> 32) % LIMIT_CHECKED_RUNS);
}

static bool is_known(
	const struct row *row, const struct checked_file *file, uint64_t run, int64_t now_ms)
{
	return row->known && row->run == run && row->file.inode == file->inode &&
	       row->file.device == file->device && row->file.changed_ns == file->changed_ns &&
	       now_ms - row->since_ms < LIMIT_CHECKED_MS;
}

static void note_block(
	struct checked *checked, const struct checked_file *file, uint64_t block, int64_t now_ms)
{
	uint64_t run = block / RUN_BLOCKS;
	struct row *row = &checked->rows[row_of(file, run)];
	if (!is_known(row, file, run, now_ms))
		*row = (struct row){.file = *file, .run = run, .since_ms = now_ms};
	row->known |= 1u << block % RUN_BLOCKS;
}

void checked_note(struct checked *checked, const struct checked_file *file, uint64_t offset,
	uint64_t size, int64_t now_ms)
{
	uint64_t end = (offset + size + BLOCK_CHECK_BYTES - 1) / BLOCK_CHECK_BYTES;
	for (uint64_t block = offset / BLOCK_CHECK_BYTES; block < end; block++)
		note_block(checked, file, block, now_ms);
}

uint64_t checked_known(const struct checked *checked, const struct checked_file *file,
	uint64_t offset, uint64_t max, int64_t now_ms)
{
	uint64_t at = offset;
	while (at < offset + max) {
		uint64_t run = at / RUN_BYTES;
		uint64_t block = at / BLOCK_CHECK_BYTES;
		const struct row *row = &checked->rows[row_of(file, run)];
		if (!is_known(row, file, run, now_ms) || !(row->known >> block % RUN_BLOCKS & 1))
			break;
		at = (block + 1) * BLOCK_CHECK_BYTES;
	}
	return at - offset < max ? at - offset : max;
}
