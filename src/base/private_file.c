/* SPDX-License-Identifier: Apache-2.0 */
#include "base/private_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/limits.h"
#include "base/log.h"

static enum err fault(const char *what, const char *folder, const char *name)
{
	int reason = errno;
	log_error("cannot %s %s/%s: %s", what, folder, name, strerror(reason));
	return reason == ENOSPC || reason == EDQUOT ? ERR_DISK_FULL : ERR_INTERNAL;
}

static bool read_whole(int fd, struct strbuf *out)
{
	char piece[4096];
	for (;;) {
		ssize_t n = read(fd, piece, sizeof(piece));
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0) {
			explicit_bzero(piece, sizeof(piece));
			return n == 0;
		}
		strbuf_add(out, piece, (size_t)n);
	}
}

enum err private_file_read(
	const char *folder, const char *name, struct strbuf *out, bool *ret_found)
{
	SCOPED_STRBUF(path, KIB(4));
	strbuf_addf(&path, "%s/%s", folder, name);
	SCOPED_FD int fd = open(path.ptr, O_RDONLY | O_CLOEXEC);
	if (fd < 0 && errno == ENOENT) {
		*ret_found = false;
		return ERR_OK;
	}
	if (fd < 0 || !read_whole(fd, out))
		return fault("read", folder, name);
	struct stat info;
	if (fstat(fd, &info) == 0 && (info.st_mode & 077))
		log_error("%s/%s holds a secret and others may read it: chmod 600", folder, name);
	if (strbuf_broken(out)) {
		log_error("%s/%s is too long", folder, name);
		return ERR_INTERNAL;
	}
	*ret_found = true;
	return ERR_OK;
}

static bool write_whole(int fd, struct slice bytes)
{
	while (bytes.len > 0) {
		ssize_t n = write(fd, bytes.ptr, bytes.len);
		if (n < 0 && errno != EINTR)
			return false;
		bytes = slice_from(bytes, n > 0 ? (size_t)n : 0);
	}
	return true;
}

/* What root writes into the folder of another user, `postern keys` for one, that user can read. */
static bool give_to_owner(int fd, int folder)
{
	struct stat info;
	if (geteuid() != 0)
		return true;
	return fstat(folder, &info) == 0 &&
	       (info.st_uid == 0 || fchown(fd, info.st_uid, info.st_gid) == 0);
}

/* Whole and synced under a name of its own first: a power cut leaves the file or none, no half. */
enum err private_file_write(const char *folder, const char *name, struct slice bytes)
{
	SCOPED_STRBUF(path, KIB(4));
	SCOPED_STRBUF(partial, KIB(4));
	strbuf_addf(&path, "%s/%s", folder, name);
	strbuf_addf(&partial, "%s/%s.new", folder, name);
	SCOPED_FD int parent = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	SCOPED_FD int fd = open(partial.ptr, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (parent < 0 || fd < 0 || !give_to_owner(fd, parent) || !write_whole(fd, bytes) ||
		fsync(fd) < 0 || rename(partial.ptr, path.ptr) < 0 || fsync(parent) < 0)
		return fault("write", folder, name);
	return ERR_OK;
}
