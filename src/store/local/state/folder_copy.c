/* SPDX-License-Identifier: Apache-2.0 */
/* The file `copying`: what the folder is a copy of, until that is whole. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/limits.h"
#include "base/log.h"
#include "base/slice.h"
#include "store/local/disk/files.h"
#include "store/local/state/folder.h"

enum {
	SOURCE_MAX = 8 << 10, /* bytes of what names a source */
};

static const char copying[] = "copying";
static const char new_name[] = "copying.new";

static enum err fail(const char *what, const char *path, int e)
{
	log_error("store: cannot %s %s/%s: %s", what, path, copying, files_text(e));
	return files_err(e);
}

/* Whether a folder that has no more than this is empty. */
static bool is_nothing(const char *name)
{
	static const char *const names[] = {".", "..", "lock", new_name, "lost+found"};
	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (strcmp(name, names[i]) == 0)
			return true;
	return false;
}

static enum err check_empty(int dir, const char *path)
{
	const struct dirent *entry = NULL;
	int fd = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *entries = fd < 0 ? NULL : fdopendir(fd);
	int e = entries ? 0 : errno;
	if (!entries && fd >= 0)
		(void)close(fd);
	while (e == 0) {
		errno = 0;
		entry = readdir(entries);
		if (!entry)
			e = errno;
		if (!entry || !is_nothing(entry->d_name))
			break;
	}
	if (e)
		log_error("store: cannot read the folder %s: %s", path, files_text(e));
	else if (entry)
		log_error("store: the folder %s is not empty, %s is in it: choose one that is not "
			  "there, or empty",
			path, entry->d_name);
	if (entries)
		(void)closedir(entries);
	return e ? files_err(e) : entry ? ERR_INTERNAL : ERR_OK;
}

static enum err write_source(int dir, const char *path, const char *source)
{
	struct iovec iov = {.iov_base = (void *)(uintptr_t)source, .iov_len = strlen(source)};
	SCOPED_FD int fd = openat(dir, new_name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	int e = fd < 0 ? errno : files_write(fd, &iov, 1, 0);
	if (e == 0 && (fsync(fd) != 0 || renameat(dir, new_name, dir, copying) != 0))
		e = errno;
	if (e == 0)
		e = files_sync_dir(dir);
	return e ? fail("write", path, e) : ERR_OK;
}

enum err folder_begin_copy(int dir, const char *path, const char *source)
{
	char before[SOURCE_MAX];
	size_t len = 0;
	if (strlen(source) >= sizeof(before)) {
		log_error("store: the name of what is copied is too long");
		return ERR_INVALID_ARGUMENT;
	}
	SCOPED_FD int fd = openat(dir, copying, O_RDONLY | O_CLOEXEC);
	if (fd < 0 && errno == ENOENT) {
		enum err e = check_empty(dir, path);
		return e == ERR_OK ? write_source(dir, path, source) : e;
	}
	int e = fd < 0 ? errno : files_read(fd, before, sizeof(before), 0, &len);
	if (e)
		return fail("read", path, e);
	if (slice_eq(slice_of(before, len), slice_str(source)))
		return ERR_OK;
	log_error("store: the folder %s was begun as a copy of %.*s, and this is %s: go on with "
		  "that, or choose another folder",
		path, (int)len, before, source);
	return ERR_INTERNAL;
}

enum err folder_check_copy(int dir, const char *path)
{
	struct stat st;
	if (fstatat(dir, copying, &st, AT_SYMLINK_NOFOLLOW) != 0)
		return errno == ENOENT ? ERR_OK : fail("look at", path, errno);
	log_error("store: the folder %s is not whole: `postern copy` was broken off; run it again",
		path);
	return ERR_INTERNAL;
}

enum err folder_end_copy(int dir, const char *path)
{
	int e = unlinkat(dir, copying, 0) == 0 || errno == ENOENT ? files_sync_dir(dir) : errno;
	return e ? fail("remove", path, e) : ERR_OK;
}
