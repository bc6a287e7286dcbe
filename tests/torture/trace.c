/* SPDX-License-Identifier: Apache-2.0 */
/* Writes the records, and knows which files belong to the store. */
#include "recorder.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct head {
	uint32_t bytes; /* of the record, with this */
	uint32_t kind;
	uint64_t numbers[4];
};

enum {
	MANY = 64 /* pieces of one record */
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int trace = -1;
static const char *root;
static size_t root_len;

__attribute__((constructor)) static void begin(void)
{
	const char *name = getenv("TORTURE_TRACE");
	root = getenv("TORTURE_ROOT");
	root_len = root ? strlen(root) : 0;
	if (name)
		trace = open(name, O_WRONLY | O_APPEND | O_CLOEXEC);
}

void trace_lock(void)
{
	(void)pthread_mutex_lock(&lock);
}

void trace_unlock(void)
{
	(void)pthread_mutex_unlock(&lock);
}

static bool starts(const char *text, const char *with)
{
	return strncmp(text, with, strlen(with)) == 0;
}

static enum place place_of(const char *path)
{
	if (!root || strncmp(path, root, root_len) != 0 ||
		(path[root_len] != '\0' && path[root_len] != '/'))
		return PLACE_NONE;
	const char *name = path + root_len;
	while (*name == '/')
		name++;
	if (starts(name, "segments"))
		return PLACE_SEGMENTS;
	if (starts(name, "large"))
		return PLACE_LARGE;
	if (starts(name, "damaged"))
		return PLACE_DAMAGED;
	if (starts(name, "index"))
		return strstr(name, "/LOG") ? PLACE_NONE : PLACE_INDEX;
	if (starts(name, "callbacks.db") || starts(name, "ledger.db") || starts(name, "lock"))
		return PLACE_NONE;
	return PLACE_ROOT;
}

/* The path of an open file. */
static bool path_of(int fd, char ret_path[PATH_MAX])
{
	char link[64];
	(void)snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	ssize_t len = readlink(link, ret_path, PATH_MAX - 1);
	if (len < 0)
		return false;
	ret_path[len] = '\0';
	return true;
}

enum place place_of_fd(int fd)
{
	char path[PATH_MAX];
	int before = errno;
	enum place place = root && path_of(fd, path) ? place_of(path) : PLACE_NONE;
	errno = before;
	return place;
}

enum place place_of_path(int dir, const char *path)
{
	char whole[2 * PATH_MAX];
	char folder[PATH_MAX];
	if (!root || path[0] == '/' || dir == AT_FDCWD)
		return root ? place_of(path) : PLACE_NONE;
	int before = errno;
	bool found = path_of(dir, folder);
	errno = before;
	if (!found)
		return PLACE_NONE;
	(void)snprintf(whole, sizeof(whole), "%s/%s", folder, strcmp(path, ".") == 0 ? "" : path);
	return place_of(whole);
}

uint64_t inode_of(int fd)
{
	struct stat st;
	return fstat(fd, &st) == 0 ? st.st_ino : 0;
}

uint64_t inode_of_path(int dir, const char *path)
{
	struct stat st;
	return fstatat(dir, path, &st, AT_SYMLINK_NOFOLLOW) == 0 ? st.st_ino : 0;
}

uint64_t folder_of(int dir, const char *path, char ret_name[256])
{
	char folder[PATH_MAX];
	size_t len = strlen(path);
	while (len > 1 && path[len - 1] == '/')
		len--;
	size_t at = len;
	while (at > 0 && path[at - 1] != '/')
		at--;
	(void)snprintf(ret_name, 256, "%.*s", (int)(len - at), path + at);
	if (at == 0)
		(void)snprintf(folder, sizeof(folder), ".");
	else
		(void)snprintf(folder, sizeof(folder), "%.*s", (int)at, path);
	return inode_of_path(dir, folder);
}

/* One write, so that a record is whole or not there: the file is appended to by the test as well.
 */
static void put(struct head *head, struct iovec *iov, size_t count, uint64_t len)
{
	int before = errno;
	head->bytes = (uint32_t)(sizeof(*head) + len);
	iov[0] = (struct iovec){.iov_base = head, .iov_len = sizeof(*head)};
	struct iovec *pieces = iov;
	if (writev(trace, pieces, (int)count) != (ssize_t)head->bytes)
		abort();
	errno = before;
}

void trace_add(enum kind kind, const uint64_t numbers[4], const void *bytes, size_t len)
{
	if (trace < 0)
		return;
	struct head head = {.kind = kind};
	memcpy(head.numbers, numbers, sizeof(head.numbers));
	struct iovec iov[2] = {{0}, {.iov_base = (void *)(uintptr_t)bytes, .iov_len = len}};
	put(&head, iov, 2, len);
}

static bool all_zeros(const struct iovec *iov, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		const char *bytes = iov[i].iov_base;
		if (iov[i].iov_len > 0 &&
			(bytes[0] != 0 || memcmp(bytes, bytes + 1, iov[i].iov_len - 1) != 0))
			return false;
	}
	return true;
}

void trace_add_write(
	int fd, const struct iovec *iov, size_t count, uint64_t offset, uint64_t written)
{
	if (trace < 0)
		return;
	uint64_t file = inode_of(fd);
	if (all_zeros(iov, count)) {
		trace_add(KIND_ZERO, (uint64_t[4]){file, offset, written}, NULL, 0);
		return;
	}
	while (written > 0) {
		struct head head = {.kind = KIND_WRITE, .numbers = {file, offset}};
		struct iovec pieces[MANY];
		size_t n = 1;
		uint64_t len = 0;
		for (; n < MANY && count > 0 && len < written; iov++, count--) {
			pieces[n] = *iov;
			if (pieces[n].iov_len > written - len)
				pieces[n].iov_len = written - len;
			len += pieces[n].iov_len;
			n++;
		}
		put(&head, pieces, n, len);
		offset += len;
		written -= len;
	}
}
