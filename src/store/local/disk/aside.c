/* SPDX-License-Identifier: Apache-2.0 */
#include "store/local/disk/aside.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

#include "store/local/disk/files.h"

enum {
	NAMES_MAX = 1000, /* of one file, before it stays where it is */
	COPY_BYTES = 1 << 20,
};

static const char folder_name[] = "damaged";

static int open_folder(int data, int *ret)
{
	int e = files_open_dir(data, folder_name, ret);
	return e ? e : files_sync_dir(data);
}

/* The name that is tried for the n-th time. */
static void name_of(const char *name, unsigned n, char *ret_name)
{
	if (n == 0)
		(void)snprintf(ret_name, ASIDE_NAME_BYTES, "%s", name);
	else
		(void)snprintf(ret_name, ASIDE_NAME_BYTES, "%s.%u", name, n);
}

int aside_move(int data, int dir, const char *from, const char *name, char *ret_name)
{
	SCOPED_FD int folder = -1;
	int e = open_folder(data, &folder);
	if (e)
		return e;
	for (unsigned n = 0; n < NAMES_MAX; n++) {
		name_of(name, n, ret_name);
		/* Nobody else works in this folder: what is not there now will not be. */
		struct stat st;
		if (fstatat(folder, ret_name, &st, AT_SYMLINK_NOFOLLOW) == 0)
			continue;
		if (errno != ENOENT || renameat(dir, from, folder, ret_name) != 0)
			return errno;
		e = files_sync_dir(folder);
		return e ? e : files_sync_dir(dir);
	}
	return EEXIST;
}

static int copy_bytes(int from, uint64_t begin, uint64_t end, int to)
{
	SCOPED_FREE char *bytes = malloc(COPY_BYTES);
	if (!bytes)
		return ENOMEM;
	for (uint64_t at = begin; at < end;) {
		size_t len = end - at < COPY_BYTES ? (size_t)(end - at) : COPY_BYTES;
		int e = files_read(from, bytes, len, at, &len);
		if (e || len == 0)
			return e;
		struct iovec iov = {.iov_base = bytes, .iov_len = len};
		e = files_write(to, &iov, 1, at - begin);
		if (e)
			return e;
		at += len;
	}
	return fsync(to) == 0 ? 0 : errno;
}

int aside_copy(int data, int fd, uint64_t begin, uint64_t end, const char *name, char *ret_name)
{
	SCOPED_FD int folder = -1;
	SCOPED_FD int to = -1;
	int e = open_folder(data, &folder);
	for (unsigned n = 0; e == 0 && to < 0; n++) {
		name_of(name, n, ret_name);
		to = openat(folder, ret_name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
		if (to < 0 && (errno != EEXIST || n == NAMES_MAX))
			e = errno;
	}
	if (e == 0) {
		e = copy_bytes(fd, begin, end, to);
		if (e)
			(void)unlinkat(folder, ret_name, 0);
	}
	return e ? e : files_sync_dir(folder);
}
