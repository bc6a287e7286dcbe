/* SPDX-License-Identifier: Apache-2.0 */
#include "backup/target.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "store/local/disk/files.h"
#include "store/local/state/folder.h"

enum {
	DEPTH_MAX = 4, /* of folders: restoring makes no more */
};

static bool is_ours(const char *name)
{
	return strcmp(name, ".") != 0 && strcmp(name, "..") != 0 && strcmp(name, "lost+found") != 0;
}

static DIR *list(int dir, const char *name)
{
	int fd = openat(dir, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	DIR *listing = fd >= 0 ? fdopendir(fd) : NULL;
	if (fd >= 0 && !listing)
		(void)close(fd);
	return listing;
}

/* Removes what is in a folder, but not `except`. False if something stays, which is logged. */
static bool empty(int dir, const char *folder, const char *except, unsigned depth)
{
	DIR *listing = list(dir, folder);
	struct dirent *entry;
	bool all = listing != NULL;
	if (!listing)
		log_error("backup: cannot list %s: %s", folder, files_text(errno));
	while (listing && (entry = readdir(listing)) != NULL) {
		const char *name = entry->d_name;
		if (!is_ours(name) || strcmp(name, except) == 0)
			continue;
		int e = unlinkat(dirfd(listing), name, 0) == 0 ? 0 : errno;
		if (e == EISDIR && depth < DEPTH_MAX) {
			(void)empty(dirfd(listing), name, "", depth + 1);
			e = unlinkat(dirfd(listing), name, AT_REMOVEDIR) == 0 ? 0 : errno;
		}
		if (e)
			log_error("backup: cannot remove %s: %s", name, files_text(e));
		all = all && e == 0;
	}
	if (listing)
		(void)closedir(listing);
	return all;
}

void target_clear(int dir)
{
	/* Else it stays one that the next restore empties. */
	if (empty(dir, ".", "format", 0) && unlinkat(dir, "format", 0) != 0)
		log_error("backup: cannot remove format: %s", files_text(errno));
}

static bool is_empty(int dir)
{
	DIR *listing = list(dir, ".");
	struct dirent *entry;
	bool found = listing == NULL;
	while (!found && (entry = readdir(listing)) != NULL)
		found = is_ours(entry->d_name);
	if (listing)
		(void)closedir(listing);
	return !found;
}

/* An errno value. */
static int write_mark(int dir)
{
	char mark[] = FOLDER_RESTORING;
	struct iovec iov = {.iov_base = mark, .iov_len = sizeof(mark) - 1};
	SCOPED_FD int fd = openat(dir, "format", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	int e = fd >= 0 ? files_write(fd, &iov, 1, 0) : errno;
	if (e == 0 && fsync(fd) != 0)
		e = errno;
	return e ? e : files_sync_dir(dir);
}

static int make_folders(int dir)
{
	static const char *const folders[] = {"segments", "large"};
	for (size_t i = 0; i < ARRAY_LEN(folders); i++)
		if (mkdirat(dir, folders[i], 0700) != 0)
			return errno;
	return 0;
}

/* Empties the folder of a restore that was broken off. */
static enum err make_room(int dir, const char *path)
{
	if (folder_is_restoring(dir)) {
		if (!empty(dir, ".", "format", 0))
			return ERR_INTERNAL;
	} else if (!is_empty(dir)) {
		/* So it is if a restore was broken off while it made the index. */
		if (faccessat(dir, "segments", F_OK, 0) == 0 &&
			faccessat(dir, "index", F_OK, 0) != 0)
			log_error("backup: %s is a data folder without an index: `postern rebuild "
				  "--data %s` makes it",
				path, path);
		log_error("backup: the folder %s is not empty: restore into another, or move what "
			  "is there away",
			path);
		return ERR_INTERNAL;
	}
	int e = fchmod(dir, 0700) == 0 ? write_mark(dir) : errno;
	if (e == 0)
		e = make_folders(dir);
	if (e)
		log_error("backup: cannot write to %s: %s", path, files_text(e));
	return e ? files_err(e) : ERR_OK;
}

enum err target_begin(const char *path, int *ret)
{
	int dir;
	int e = files_open_dir(AT_FDCWD, path, &dir);
	if (e) {
		log_error("backup: cannot open the folder %s: %s", path, files_text(e));
		return files_err(e);
	}
	/* Two at a time would be in each other's way; the lock of the folder itself goes with it.
	 */
	enum err err = ERR_INTERNAL;
	if (flock(dir, LOCK_EX | LOCK_NB) != 0)
		log_error("backup: another restore is filling %s", path);
	else
		err = make_room(dir, path);
	if (err == ERR_OK)
		*ret = dir;
	else
		(void)close(dir);
	return err;
}

enum err target_finish(int dir, bool has_format)
{
	int e = has_format ? renameat(dir, TARGET_NEW_FORMAT, dir, "format")
			   : unlinkat(dir, "format", 0);
	e = e == 0 ? files_sync_dir(dir) : errno;
	if (e)
		log_error("backup: cannot write the file `format`: %s", files_text(e));
	return e ? files_err(e) : ERR_OK;
}
