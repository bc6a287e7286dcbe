/* SPDX-License-Identifier: Apache-2.0 */
/* The folder of large objects: numbers, names, and what a crash left. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/stat.h>

#include "base/log.h"
#include "store/local/disk/aside.h"
#include "store/local/disk/files.h"
#include "store/local/large/large_internal.h"

static const char staging_name[] = "staging";
static const char aside_prefix[] = "large-"; /* of files that were moved aside */

/* ---- Opening --------------------------------------------------------------------------------- */

enum err large_files_open(int dir, struct large_files **ret)
{
	struct large_files *files = calloc(1, sizeof(*files));
	if (!files)
		return ERR_UNAVAILABLE;
	files->dir = -1;
	files->staging = -1;
	files->next = 1;
	files->synced_folder = UINT64_MAX;
	(void)pthread_mutex_init(&files->lock, NULL);
	int e = files_open_dir(dir, "large", &files->dir);
	if (e == 0)
		e = files_open_dir(files->dir, staging_name, &files->staging);
	if (e) {
		log_error("store: cannot open the folder of large objects: %s", files_text(e));
		large_files_free(files);
		return files_err(e);
	}
	*ret = files;
	return ERR_OK;
}

void large_files_free(struct large_files *files)
{
	if (!files)
		return;
	large_free_doubtful(files);
	while (files->spare) {
		struct large_buffer *next = files->spare->next;
		free(files->spare->bytes);
		free(files->spare);
		files->spare = next;
	}
	if (files->dir >= 0)
		(void)close(files->dir);
	if (files->staging >= 0)
		(void)close(files->staging);
	(void)pthread_mutex_destroy(&files->lock);
	free(files);
}

/* ---- Numbers --------------------------------------------------------------------------------- */

uint64_t large_files_mark(struct large_files *files)
{
	(void)pthread_mutex_lock(&files->lock);
	uint64_t mark = files->numbered ? files->numbered->file : files->next;
	(void)pthread_mutex_unlock(&files->lock);
	return mark;
}

uint64_t large_files_next(struct large_files *files)
{
	(void)pthread_mutex_lock(&files->lock);
	uint64_t next = files->next;
	(void)pthread_mutex_unlock(&files->lock);
	return next;
}

void large_files_set_next(struct large_files *files, uint64_t next)
{
	(void)pthread_mutex_lock(&files->lock);
	files->next = next;
	(void)pthread_mutex_unlock(&files->lock);
}

void large_files_number(struct large_files *files, struct large *large)
{
	(void)pthread_mutex_lock(&files->lock);
	large->file = files->next++;
	large->numbered_next = NULL;
	struct large **at = &files->numbered;
	while (*at)
		at = &(*at)->numbered_next;
	*at = large;
	(void)pthread_mutex_unlock(&files->lock);
}

void large_files_unnumber(struct large_files *files, struct large *large)
{
	if (large->file == 0)
		return;
	(void)pthread_mutex_lock(&files->lock);
	struct large **at = &files->numbered;
	while (*at != large)
		at = &(*at)->numbered_next;
	*at = large->numbered_next;
	(void)pthread_mutex_unlock(&files->lock);
	large->file = 0;
}

/* ---- Names ----------------------------------------------------------------------------------- */

/*
 * Opens or makes a folder, whose name is durable then: whoever made it, another thread or a
 * process that was killed, may not have come to that.
 */
static int make_folder(struct large_files *files, uint64_t folder, const char *name, int *ret)
{
	int fd;
	int e = files_open_dir(files->dir, name, &fd);
	if (e)
		return e;
	(void)pthread_mutex_lock(&files->lock);
	bool synced = files->synced_folder == folder;
	(void)pthread_mutex_unlock(&files->lock);
	e = synced ? 0 : files_sync_dir(files->dir);
	if (e) {
		(void)close(fd);
		return e;
	}
	(void)pthread_mutex_lock(&files->lock);
	files->synced_folder = folder;
	(void)pthread_mutex_unlock(&files->lock);
	*ret = fd;
	return 0;
}

int large_files_dir(struct large_files *files, uint64_t file, bool make, int *ret)
{
	char name[LARGE_NAME_BYTES];
	uint64_t folder = file / LARGE_FILES_IN_FOLDER;
	(void)snprintf(name, sizeof(name), "%013" PRIx64, folder);
	if (make)
		return make_folder(files, folder, name, ret);
	int fd = openat(files->dir, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return errno;
	*ret = fd;
	return 0;
}

void large_files_name(uint64_t file, char *out)
{
	(void)snprintf(out, LARGE_NAME_BYTES, "%016" PRIx64, file);
}

void large_files_path(uint64_t file, char *to, size_t size)
{
	(void)snprintf(
		to, size, "large/%013" PRIx64 "/%016" PRIx64, file / LARGE_FILES_IN_FOLDER, file);
}

int large_files_read(struct large_files *files, uint64_t file, int *ret_fd)
{
	SCOPED_FD int dir = -1;
	int e = large_files_dir(files, file, false, &dir);
	if (e)
		return e;
	char name[LARGE_NAME_BYTES];
	large_files_name(file, name);
	int fd = openat(dir, name, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return errno;
	*ret_fd = fd;
	return 0;
}

int large_files_remove(struct large_files *files, uint64_t file)
{
	SCOPED_FD int dir = -1;
	int e = large_files_dir(files, file, false, &dir);
	if (e)
		return e == ENOENT ? 0 : e;
	char name[LARGE_NAME_BYTES];
	large_files_name(file, name);
	if (unlinkat(dir, name, 0) != 0)
		return errno == ENOENT ? 0 : errno;
	return files_sync_dir(dir);
}

/* ---- After a crash --------------------------------------------------------------------------- */

struct sweep {
	struct large_files *files;
	struct index *index;
	uint64_t mark;
	uint64_t next;
	uint64_t removed;
	int data; /* -1: what belongs to nobody is removed */
	enum err err;
};

/* Calls `row` with each number that is a name of `digits` digits in a directory. */
static int each_number(int at, const char *folder, size_t digits,
	void (*row)(struct sweep *sweep, int dir, uint64_t number), struct sweep *sweep)
{
	int fd = openat(at, folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return errno;
	DIR *dir = fdopendir(fd);
	if (!dir) {
		int e = errno;
		(void)close(fd);
		return e;
	}
	struct dirent *entry;
	while ((entry = readdir(dir)) != NULL) {
		char *end;
		if (strlen(entry->d_name) != digits || entry->d_name[0] == '-')
			continue;
		uint64_t number = strtoull(entry->d_name, &end, 16);
		if (*end == '\0')
			row(sweep, fd, number);
	}
	(void)closedir(dir);
	return 0;
}

/* What belongs to nobody, as far as the log can tell. */
static void dispose(struct sweep *sweep, int dir, const char *name, const char *prefix)
{
	char aside[ASIDE_NAME_BYTES];
	char moved[ASIDE_NAME_BYTES];
	if (sweep->data < 0) {
		if (unlinkat(dir, name, 0) == 0)
			sweep->removed++;
		return;
	}
	(void)snprintf(aside, sizeof(aside), "%s%s", prefix, name);
	int e = aside_move(sweep->data, dir, name, aside, moved);
	if (e)
		log_error("store: file %s%s belongs to no object that the log names, and cannot be "
			  "moved aside: %s",
			prefix, name, files_text(e));
	else
		log_info("store: file %s%s belongs to no object that the log names: it is kept as "
			 "damaged/%s",
			prefix, name, moved);
}

/* A number that was moved aside is not given again. An errno value. */
static int see_aside(struct sweep *sweep)
{
	int fd = openat(sweep->files->dir, "../damaged", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return errno == ENOENT ? 0 : errno;
	DIR *dir = fdopendir(fd);
	if (!dir) {
		int e = errno;
		(void)close(fd);
		return e;
	}
	struct dirent *entry;
	while ((entry = readdir(dir)) != NULL) {
		if (strncmp(entry->d_name, aside_prefix, sizeof(aside_prefix) - 1) != 0)
			continue;
		uint64_t file = strtoull(entry->d_name + sizeof(aside_prefix) - 1, NULL, 16);
		if (file >= sweep->next)
			sweep->next = file + 1;
	}
	(void)closedir(dir);
	return 0;
}

static void sweep_file(struct sweep *sweep, int dir, uint64_t file)
{
	if (file < sweep->mark)
		return;
	if (file >= sweep->next)
		sweep->next = file + 1;
	enum index_found found = index_file(sweep->index, file);
	if (found == INDEX_FAILED)
		sweep->err = ERR_INTERNAL;
	if (found != INDEX_ABSENT)
		return;
	char name[LARGE_NAME_BYTES];
	large_files_name(file, name);
	dispose(sweep, dir, name, aside_prefix);
}

static void sweep_folder(struct sweep *sweep, int dir, uint64_t folder)
{
	if (folder < sweep->mark / LARGE_FILES_IN_FOLDER)
		return;
	char name[LARGE_NAME_BYTES];
	(void)snprintf(name, sizeof(name), "%013" PRIx64, folder);
	int e = each_number(dir, name, 16, sweep_file, sweep);
	if (e) {
		log_error("store: cannot list large/%s: %s", name, files_text(e));
		sweep->err = files_err(e);
	}
}

/* Files that never got a number, on file systems without unnamed files. */
static void sweep_staging(struct sweep *sweep, int dir, uint64_t number)
{
	char name[LARGE_NAME_BYTES];
	large_files_name(number, name);
	dispose(sweep, dir, name, "staging-");
}

enum err large_files_sweep(
	struct large_files *files, struct index *index, uint64_t mark, int data, uint64_t *ret_next)
{
	struct sweep sweep = {
		.files = files, .index = index, .mark = mark, .next = mark, .data = data};
	int e = see_aside(&sweep);
	if (e == 0)
		e = each_number(files->dir, staging_name, 16, sweep_staging, &sweep);
	if (e == 0)
		e = each_number(files->dir, ".", 13, sweep_folder, &sweep);
	if (e) {
		log_error("store: cannot list the folder of large objects: %s", files_text(e));
		return files_err(e);
	}
	if (sweep.removed)
		log_info("store: removed %" PRIu64 " files of uploads that a crash cut off",
			sweep.removed);
	*ret_next = sweep.next ? sweep.next : 1;
	return sweep.err;
}
