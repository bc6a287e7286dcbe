/* SPDX-License-Identifier: Apache-2.0 */
/* Folders for tests: made, measured, and removed with all that is in them. */
#ifndef TESTS_STORE_FOLDER_H
#define TESTS_STORE_FOLDER_H

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/compiler.h"
#include "base/slice.h"

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

#endif
