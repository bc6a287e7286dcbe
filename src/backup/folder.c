/* SPDX-License-Identifier: Apache-2.0 */
#include "backup/folder.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "store/local/disk/files.h"

enum {
	LARGE_IN_FOLDER = 4096, /* as in the data folder */
};

static const char marker[] = "postern-backup";

void folder_file_path(enum backup_name name, uint64_t made, char *to)
{
	(void)snprintf(to, BACKUP_PATH_MAX, "files/%s-%" PRIu64, backup_name_text(name), made);
}

void folder_segment_path(uint64_t id, uint64_t made, char *to)
{
	(void)snprintf(to, BACKUP_PATH_MAX, "segments/%016" PRIx64 "-%" PRIu64, id, made);
}

void folder_large_path(uint64_t number, uint64_t made, char *to)
{
	(void)snprintf(to, BACKUP_PATH_MAX, "large/%013" PRIx64 "/%016" PRIx64 "-%" PRIu64,
		number / LARGE_IN_FOLDER, number, made);
}

/* ---- Opening --------------------------------------------------------------------------------- */

static DIR *list(int dir, const char *path)
{
	int fd = openat(dir, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *listing = fd >= 0 ? fdopendir(fd) : NULL;
	if (fd >= 0 && !listing)
		(void)close(fd);
	return listing;
}

static bool is_dots(const char *name)
{
	return strcmp(name, ".") == 0 || strcmp(name, "..") == 0;
}

static bool is_empty(int dir)
{
	DIR *listing = list(dir, ".");
	struct dirent *entry;
	bool empty = listing != NULL;
	while (empty && (entry = readdir(listing)) != NULL)
		empty = is_dots(entry->d_name) || strcmp(entry->d_name, "lost+found") == 0;
	if (listing)
		(void)closedir(listing);
	return empty;
}

static int make_marker(int dir)
{
	SCOPED_FD int fd = openat(dir, marker, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	return fd >= 0 ? 0 : errno;
}

static int make_folders(int dir)
{
	static const char *const folders[] = {"files", "segments", "large"};
	for (size_t i = 0; i < ARRAY_LEN(folders); i++)
		if (mkdirat(dir, folders[i], 0700) != 0 && errno != EEXIST)
			return errno;
	return 0;
}

static enum err lock_folder(int dir, const char *path, bool writes, int *ret_lock)
{
	int fd = openat(dir, marker, (writes ? O_RDWR : O_RDONLY) | O_CLOEXEC);
	int e = fd >= 0 ? 0 : errno;
	if (e == ENOENT)
		log_error("backup: %s is not a backup%s", path,
			writes ? ", and not empty: choose another folder" : "");
	else if (e)
		log_error("backup: cannot open %s/%s: %s", path, marker, files_text(e));
	if (e)
		return ERR_INTERNAL;
	if (flock(fd, (writes ? LOCK_EX : LOCK_SH) | LOCK_NB) == 0) {
		*ret_lock = fd;
		return ERR_OK;
	}
	log_error("backup: %s is in use by another backup or restore", path);
	(void)close(fd);
	return ERR_INTERNAL;
}

enum err folder_open_backup(const char *path, bool writes, int *ret_dir, int *ret_lock)
{
	int e = 0;
	int dir = -1;
	if (writes)
		e = files_open_dir(AT_FDCWD, path, &dir);
	else if ((dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)) < 0)
		e = errno;
	if (e == 0 && writes && is_empty(dir))
		e = make_marker(dir);
	if (e) {
		log_error("backup: cannot open the folder %s: %s", path, files_text(e));
		if (dir >= 0)
			(void)close(dir);
		return files_err(e);
	}
	enum err err = lock_folder(dir, path, writes, ret_lock);
	if (err == ERR_OK && writes && (e = make_folders(dir)) != 0) {
		log_error("backup: cannot make folders in %s: %s", path, files_text(e));
		(void)close(*ret_lock);
		err = files_err(e);
	}
	if (err == ERR_OK)
		*ret_dir = dir;
	else
		(void)close(dir);
	return err;
}

bool folder_has(int dir, const char *path, const struct backup_copy *copy)
{
	struct stat st;
	return fstatat(dir, path, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(st.st_mode) &&
	       (uint64_t)st.st_size == copy->bytes;
}

/* ---- What no manifest names ------------------------------------------------------------------ */

/* A copy's name: what comes before the number of its backup, and that number. */
static bool split(const char *name, struct slice *ret_stem, uint64_t *ret_made)
{
	const char *dash = strrchr(name, '-');
	if (!dash || !slice_to_u64(slice_str(dash + 1), ret_made))
		return false;
	*ret_stem = slice_of(name, (size_t)(dash - name));
	return true;
}

/* What SQLite leaves beside a copy when it is broken off. */
static bool is_journal(const char *name)
{
	struct slice text = slice_str(name);
	return slice_ends(text, S("-journal")) || slice_ends(text, S("-wal")) ||
	       slice_ends(text, S("-shm"));
}

static bool hex(struct slice text, uint64_t *ret)
{
	uint64_t number = 0;
	for (size_t i = 0; i < text.len; i++) {
		char c = text.ptr[i];
		if (!ascii_digit(c) && !(c >= 'a' && c <= 'f'))
			return false;
		number = number << 4 | (uint64_t)(ascii_digit(c) ? c - '0' : c - 'a' + 10);
	}
	*ret = number;
	return text.len == 16;
}

typedef bool is_named_fn(const struct manifest *manifest, struct slice stem, uint64_t made);

static bool file_is_named(const struct manifest *m, struct slice stem, uint64_t made)
{
	for (unsigned i = 0; i < BACKUP_NAME_COUNT; i++)
		if (m->has[i] && m->files[i].made == made &&
			slice_eq(stem, slice_str(backup_name_text((enum backup_name)i))))
			return true;
	return false;
}

static bool segment_is_named(const struct manifest *m, struct slice stem, uint64_t made)
{
	uint64_t id;
	const struct backup_segment_rows *rows = hex(stem, &id) ? manifest_segment(m, id) : NULL;
	return rows && rows->segment.copy.made == made;
}

static bool large_is_named(const struct manifest *m, struct slice stem, uint64_t made)
{
	uint64_t number;
	const struct backup_large *large = hex(stem, &number) ? manifest_large(m, number) : NULL;
	return large && large->copy.made == made;
}

static void clean(int at, const char *path, const struct manifest *manifest, is_named_fn *is_named)
{
	struct slice stem;
	uint64_t made;
	DIR *listing = list(at, path);
	struct dirent *entry;
	while (listing && (entry = readdir(listing)) != NULL) {
		bool is_copy = split(entry->d_name, &stem, &made);
		if (is_copy ? is_named(manifest, stem, made) : !is_journal(entry->d_name))
			continue;
		if (unlinkat(dirfd(listing), entry->d_name, 0) != 0)
			log_error("backup: cannot remove %s/%s: %s", path, entry->d_name,
				files_text(errno));
	}
	if (listing)
		(void)closedir(listing);
}

void folder_clean(int dir, const struct manifest *manifest)
{
	clean(dir, "files", manifest, file_is_named);
	clean(dir, "segments", manifest, segment_is_named);
	DIR *listing = list(dir, "large");
	struct dirent *entry;
	while (listing && (entry = readdir(listing)) != NULL) {
		if (is_dots(entry->d_name))
			continue;
		clean(dirfd(listing), entry->d_name, manifest, large_is_named);
		/* It goes if it is empty. */
		int ignored = unlinkat(dirfd(listing), entry->d_name, AT_REMOVEDIR);
		(void)ignored;
	}
	if (listing)
		(void)closedir(listing);
}
