/* SPDX-License-Identifier: Apache-2.0 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "base/log.h"
#include "store/local/disk/files.h"
#include "store/local/fsck/fsck_internal.h"
#include "store/local/large/large.h"

enum {
	FILE_DIGITS = 16,
	FOLDER_DIGITS = 13,
};

/* Calls `row` with each name of as many digits. */
static void each_number(struct fsck *f, int at, const char *folder, size_t digits,
	void (*row)(struct fsck *f, int dir, const char *name, uint64_t number))
{
	int fd = openat(at, folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;
	if (!dir) {
		int e = errno;
		if (fd >= 0)
			(void)close(fd);
		if (e == ENOENT)
			return;
		log_error("fsck: cannot list the folder %s: %s", folder, files_text(e));
		fsck_fail(f, files_err(e));
		return;
	}
	struct dirent *entry;
	while (f->err == ERR_OK && (entry = readdir(dir)) != NULL) {
		char *end;
		uint64_t number = strtoull(entry->d_name, &end, 16);
		if (strlen(entry->d_name) == digits && *end == '\0' && entry->d_name[0] != '-')
			row(f, fd, entry->d_name, number);
	}
	(void)closedir(dir);
}

static bool has_row(struct fsck *f, enum key_kind kind, uint64_t number)
{
	struct index_value value;
	struct key key;
	key_number(&key, kind, number);
	enum index_found found = index_get(f->from, &key, false, &value);
	if (found == INDEX_FOUND)
		index_value_release(&value);
	if (found == INDEX_FAILED)
		fsck_fail(f, ERR_INTERNAL);
	return found == INDEX_FOUND;
}

static void see_file(struct fsck *f, int dir UNUSED, const char *name UNUSED, uint64_t number)
{
	char path[FSCK_FILE_MAX];
	if (has_row(f, KEY_FILE, number))
		return;
	/* Those from the mark on are of uploads that were cut off: a start removes them. Or of
	 * some that are under way. */
	if (f->result->is_in_use || has_row(f, KEY_TRASH, number) ||
		(f->index && number >= f->state.file_mark)) {
		f->result->garbage_files++;
		return;
	}
	large_files_path(number, path, sizeof(path));
	fsck_tell(f, NULL, path, FSCK_NOWHERE, "the file belongs to nothing");
}

static void see_folder(struct fsck *f, int dir, const char *name, uint64_t number UNUSED)
{
	each_number(f, dir, name, FILE_DIGITS, see_file);
}

static void see_staged(
	struct fsck *f, int dir UNUSED, const char *name UNUSED, uint64_t number UNUSED)
{
	f->result->garbage_files++;
}

void folder_check_files(struct fsck *f)
{
	each_number(f, f->dir, "large", FOLDER_DIGITS, see_folder);
	each_number(f, f->dir, "large/staging", FILE_DIGITS, see_staged);
}
