/* SPDX-License-Identifier: Apache-2.0 */
#include "store/local/disk/files.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

enum {
	STEP_BYTES = 4096 /* what a disk fails to read at a time */
};

/* Drops `done` bytes from the front of the pieces. */
static void advance(struct iovec **iov, size_t *count, size_t done)
{
	while (*count > 0 && done >= (*iov)->iov_len) {
		done -= (*iov)->iov_len;
		(*iov)++;
		(*count)--;
	}
	if (*count > 0) {
		(*iov)->iov_base = (char *)(*iov)->iov_base + done;
		(*iov)->iov_len -= done;
	}
}

int files_write(int fd, struct iovec *iov, size_t count, uint64_t offset)
{
	advance(&iov, &count, 0);
	while (count > 0) {
		int pieces = count < IOV_MAX ? (int)count : IOV_MAX;
		ssize_t n = pwritev(fd, iov, pieces, (off_t)offset);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return errno;
		if (n == 0)
			return EIO;
		offset += (uint64_t)n;
		advance(&iov, &count, (size_t)n);
	}
	return 0;
}

int files_read(int fd, void *to, size_t len, uint64_t offset, size_t *ret_got)
{
	size_t got = 0;
	while (got < len) {
		ssize_t n = pread(fd, (char *)to + got, len - got, (off_t)(offset + got));
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return errno;
		if (n == 0)
			break;
		got += (size_t)n;
	}
	*ret_got = got;
	return 0;
}

static void add_bad(struct files_bad *bad, uint64_t at, size_t bytes)
{
	if (bad->bytes == 0)
		bad->first = at;
	bad->bytes += bytes;
}

int files_read_around(
	int fd, void *to, size_t len, uint64_t offset, size_t *ret_got, struct files_bad *bad)
{
	struct stat st;
	int e = files_read(fd, to, len, offset, ret_got);
	if (e != EIO)
		return e;
	if (fstat(fd, &st) != 0)
		return errno;
	uint64_t size = (uint64_t)st.st_size;
	uint64_t end = offset + len < size ? offset + len : size;
	uint64_t at = offset;
	while (at < end) {
		size_t step = STEP_BYTES - (size_t)(at % STEP_BYTES);
		size_t want = end - at < step ? (size_t)(end - at) : step;
		size_t got = want;
		char *here = (char *)to + (at - offset);
		e = files_read(fd, here, want, at, &got);
		if (e && e != EIO)
			return e;
		if (e) {
			memset(here, 0, want);
			add_bad(bad, at, want);
		}
		at += got;
		if (got < want)
			break;
	}
	*ret_got = (size_t)(at - offset);
	return 0;
}

int files_sync_dir(int dir)
{
	return fsync(dir) == 0 ? 0 : errno;
}

int files_open_dir(int at, const char *name, int *ret)
{
	bool made = mkdirat(at, name, 0700) == 0;
	if (!made && errno != EEXIST)
		return errno;
	int fd = openat(at, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return errno;
	int e = made && at >= 0 ? files_sync_dir(at) : 0;
	if (e) {
		(void)close(fd);
		return e;
	}
	*ret = fd;
	return 0;
}

enum err files_err(int errno_value)
{
	switch (errno_value) {
	case ENOSPC:
	case EDQUOT:
	case EFBIG:
		return ERR_DISK_FULL;
	case ENOMEM:
	case EMFILE:
	case ENFILE:
		return ERR_UNAVAILABLE;
	default:
		return ERR_INTERNAL;
	}
}

const char *files_text(int errno_value)
{
	const char *text = strerrordesc_np(errno_value);
	return text ? text : "unknown error";
}

uint64_t files_left(int fd)
{
	struct statvfs vfs;
	if (fstatvfs(fd, &vfs) != 0 || vfs.f_blocks == 0)
		return UINT64_MAX / 2;
	return (uint64_t)vfs.f_bavail * vfs.f_frsize;
}
