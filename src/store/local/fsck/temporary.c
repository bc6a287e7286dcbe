/* SPDX-License-Identifier: Apache-2.0 */
/*
 * RocksDB writes into the folder that it opens. So the index is opened in another: its tables,
 * which are never changed, are symbolic links there, and the few small files beside them copies.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>

#include "base/log.h"
#include "store/local/control/control.h"
#include "store/local/disk/files.h"
#include "store/local/fsck/fsck_internal.h"

enum {
	OPEN_FOLDERS = 8
};

static bool path_of(char *to, const char *folder, const char *name)
{
	int len = snprintf(to, FSCK_PATH_MAX, "%s/%s", folder, name);
	return len > 0 && len < FSCK_PATH_MAX;
}

static enum err fail(const char *what, int e)
{
	log_error("fsck: cannot %s: %s", what, files_text(e));
	return files_err(e);
}

enum err temporary_make(struct fsck *f)
{
	char path[FSCK_PATH_MAX];
	if (!path_of(path, f->options->temp, "postern-fsck-XXXXXX"))
		return fail("make a temporary folder", ENAMETOOLONG);
	if (!mkdtemp(path))
		return fail("make a temporary folder", errno);
	memcpy(f->temp, path, sizeof(path));
	return ERR_OK;
}

static int remove_one(
	const char *path, const struct stat *st UNUSED, int flag UNUSED, struct FTW *where UNUSED)
{
	(void)remove(path);
	return 0;
}

void temporary_remove(struct fsck *f)
{
	if (f->temp[0] && nftw(f->temp, remove_one, OPEN_FOLDERS, FTW_DEPTH | FTW_PHYS) != 0)
		log_error("fsck: cannot remove %s: %s", f->temp, files_text(errno));
	f->temp[0] = '\0';
}

/* ---- The folder's index ---------------------------------------------------------------------- */

static int copy(struct fsck *f, int in, int out)
{
	uint64_t at = 0;
	size_t got;
	do {
		int e = files_read(in, f->block, FSCK_BLOCK_BYTES, at, &got);
		struct iovec iov = {.iov_base = f->block, .iov_len = got};
		if (e == 0 && got)
			e = files_write(out, &iov, 1, at);
		if (e)
			return e;
		at += got;
	} while (got == FSCK_BLOCK_BYTES);
	return 0;
}

static int bring(struct fsck *f, int dir, const char *from, const char *to, const char *name)
{
	char source[FSCK_PATH_MAX];
	char target[FSCK_PATH_MAX];
	if (!path_of(source, from, name) || !path_of(target, to, name))
		return ENAMETOOLONG;
	if (slice_ends(slice_str(name), S(".sst")))
		return symlink(source, target) == 0 ? 0 : errno;
	SCOPED_FD int in = openat(dir, name, O_RDONLY | O_CLOEXEC);
	SCOPED_FD int out =
		in < 0 ? -1 : open(target, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	return out < 0 ? errno : copy(f, in, out);
}

/* RocksDB's own log and lock stay where they are. */
static bool is_needed(const char *name)
{
	return name[0] != '.' && strcmp(name, "LOCK") != 0 && strncmp(name, "LOG", 3) != 0;
}

static enum err bring_all(struct fsck *f, const char *from, const char *to, bool *ret_found)
{
	int fd = open(from, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	*ret_found = false;
	if (fd < 0)
		return errno == ENOENT ? ERR_OK : fail("open the index", errno);
	DIR *dir = fdopendir(fd);
	if (!dir) {
		(void)close(fd);
		return ERR_UNAVAILABLE;
	}
	int e = mkdir(to, 0700) == 0 ? 0 : errno;
	struct dirent *entry;
	while (e == 0 && (entry = readdir(dir)) != NULL) {
		*ret_found = *ret_found || strcmp(entry->d_name, "CURRENT") == 0;
		if (is_needed(entry->d_name))
			e = bring(f, fd, from, to, entry->d_name);
	}
	(void)closedir(dir);
	return e ? fail("copy the small files of the index", e) : ERR_OK;
}

/* What RocksDB says names the file in our folder, if it names one. */
static void damaged(const char *message, void *ctx)
{
	struct fsck *f = ctx;
	char file[FSCK_FILE_MAX] = "index";
	/* Our own folder may be full. */
	if (strncmp(message, "Corruption", 10) != 0 && !strstr(message, "No such file") &&
		!strstr(message, "Input/output error")) {
		log_error("fsck: the index cannot be read: %s", message);
		fsck_fail(f, ERR_INTERNAL);
		return;
	}
	const char *end = strstr(message, ".sst");
	const char *begin = end;
	while (begin && begin > message && begin[-1] != '/')
		begin--;
	if (begin && end - begin < 16)
		(void)snprintf(file, sizeof(file), "index/%.*s.sst", (int)(end - begin), begin);
	const char *at = strstr(message, "offset ");
	uint64_t offset = FSCK_NOWHERE;
	if (end && at && ascii_digit(at[7]))
		offset = strtoull(at + 7, NULL, 10);
	if (!f->index_is_damaged)
		fsck_tell(f, NULL, file, offset, message);
	f->index_is_damaged = true;
}

bool temporary_index(struct fsck *f)
{
	char from[FSCK_PATH_MAX];
	char to[FSCK_PATH_MAX];
	char *whole = realpath(f->options->path, NULL);
	bool found = false;
	bool fits = whole && path_of(from, whole, f->control >= 0 ? CONTROL_FOLDER : "index") &&
		    path_of(to, f->temp, "index");
	free(whole);
	enum err e = fits ? bring_all(f, from, to, &found) : ERR_INTERNAL;
	if (e != ERR_OK)
		fsck_fail(f, e);
	if (e != ERR_OK || !found)
		return false;
	bool has_state = false;
	e = index_open_told(to, damaged, f, &f->index);
	if (e == ERR_OK)
		e = index_read_all(f->index);
	if (e == ERR_OK)
		e = index_read_state(f->index, &f->state, &has_state);
	/* A new one, which was not written to the disk yet: all it will have is in the log. */
	if (e == ERR_OK && !has_state && segments_whole(f->segments)) {
		f->state = (struct index_state){.sequence = 1, .file_mark = 1};
		has_state = true;
	}
	if (e == ERR_OK && has_state)
		return true;
	/* Which says nothing of the index. */
	if (e == ERR_UNAVAILABLE)
		fsck_fail(f, e);
	if (e != ERR_OK && !f->index_is_damaged && f->err == ERR_OK)
		fsck_tell(f, NULL, "index", FSCK_NOWHERE, "it cannot be read");
	f->index_is_damaged = f->index_is_damaged || (e != ERR_OK && e != ERR_UNAVAILABLE);
	index_close(TAKE(f->index));
	return false;
}

enum err temporary_rebuilt(struct fsck *f)
{
	char path[FSCK_PATH_MAX];
	return path_of(path, f->temp, "rebuilt") ? index_open(path, &f->rebuilt) : ERR_INTERNAL;
}
