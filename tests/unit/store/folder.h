/* SPDX-License-Identifier: Apache-2.0 */
/* Folders for tests: made, measured, and removed with all that is in them. */
#ifndef TESTS_STORE_FOLDER_H
#define TESTS_STORE_FOLDER_H

#include <fts.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/compiler.h"
#include "base/slice.h"
#include "store/local/disk/bytes.h"

enum {
	FOLDER_PATH_MAX = 512
};

/* A new folder's path into `ret` of FOLDER_PATH_MAX bytes; ends the program if it cannot. */
static inline void folder_make(char *ret)
{
	const char *base = getenv("TMPDIR");
	(void)snprintf(ret, FOLDER_PATH_MAX, "%s/postern-test-XXXXXX", base ? base : "/tmp");
	if (!mkdtemp(ret)) {
		perror(ret);
		exit(1);
	}
}

static inline int folder_remove_one(
	const char *path, const struct stat *st, int flag, struct FTW *where)
{
	(void)st;
	(void)flag;
	(void)where;
	return remove(path);
}

static inline void folder_remove(const char *path)
{
	(void)nftw(path, folder_remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

/* What folder_count() finds. */
struct folder_count {
	unsigned files;
	uint64_t bytes;
	uint64_t disk_bytes;
};

/* Counts the files below `folder`/`name`. Not for two threads at a time. */
static inline struct folder_count folder_count(const char *folder, const char *name)
{
	struct folder_count count = {.files = 0};
	char path[2 * FOLDER_PATH_MAX];
	char *const paths[] = {path, NULL};
	(void)snprintf(path, sizeof(path), "%s/%s", folder, name);
	FTS *walk = fts_open(paths, FTS_PHYSICAL | FTS_NOCHDIR, NULL);
	if (!walk)
		return count;
	for (const FTSENT *at; (at = fts_read(walk)) != NULL;) {
		if (at->fts_info != FTS_F)
			continue;
		count.files++;
		count.bytes += (uint64_t)at->fts_statp->st_size;
		count.disk_bytes += (uint64_t)at->fts_statp->st_blocks * 512;
	}
	(void)fts_close(walk);
	return count;
}

static inline void folder_write_zeros(FILE *out, const char *none, size_t size, size_t *zeros)
{
	while (*zeros > 0) {
		size_t wrote = fwrite(none, 1, *zeros < size ? *zeros : size, out);
		if (wrote == 0)
			abort();
		*zeros -= wrote;
	}
}

/* Copies a file; with `trim` without the zeros at its end. */
static inline void folder_copy_file(const char *from, const char *to, bool trim)
{
	FILE *in = fopen(from, "re");
	FILE *out = fopen(to, "we");
	static const char none[65536];
	char block[sizeof(none)];
	size_t n;
	size_t zeros = 0;
	if (!in || !out)
		abort();
	while ((n = fread(block, 1, sizeof(block), in)) > 0) {
		size_t used = bytes_before_zeros(block, n);
		if (used > 0)
			folder_write_zeros(out, none, sizeof(none), &zeros);
		(void)fwrite(block, 1, used, out);
		zeros += n - used;
	}
	if (!trim)
		folder_write_zeros(out, none, sizeof(none), &zeros);
	if (fclose(out) != 0)
		abort();
	(void)fclose(in);
}

/* Copies all that is below `from` to `to`, which must not exist; segments without their zeros. */
static inline void folder_copy(const char *from, const char *to)
{
	char path[FOLDER_PATH_MAX];
	char target[2 * FOLDER_PATH_MAX];
	char *const paths[] = {path, NULL};
	(void)snprintf(path, sizeof(path), "%s", from);
	FTS *walk = fts_open(paths, FTS_PHYSICAL | FTS_NOCHDIR, NULL);
	if (!walk)
		abort();
	for (const FTSENT *at; (at = fts_read(walk)) != NULL;) {
		(void)snprintf(target, sizeof(target), "%s%s", to, at->fts_path + strlen(from));
		if (at->fts_info == FTS_D && mkdir(target, 0700) != 0)
			abort();
		if (at->fts_info == FTS_F)
			folder_copy_file(
				at->fts_path, target, slice_ends(slice_str(target), S(".seg")));
	}
	(void)fts_close(walk);
}

#endif
