/* SPDX-License-Identifier: Apache-2.0 */
#include "store/local/state/folder.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "base/slice.h"
#include "store/local/disk/files.h"

enum {
	FORMAT_VERSION = 3,
	FORMAT_MAX = 128, /* bytes of the file `format` */
};

/* Makes the folder's own name durable, if we may read where it lies. */
static int sync_above(int dir)
{
	SCOPED_FD int above = openat(dir, "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return above < 0 ? 0 : files_sync_dir(above);
}

enum err folder_open(const char *path, bool make, int *ret_dir)
{
	int e = 0;
	if (make)
		e = files_open_dir(AT_FDCWD, path, ret_dir);
	else if ((*ret_dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)) < 0)
		e = errno;
	if (e == 0 && make)
		e = sync_above(*ret_dir);
	if (e == 0)
		return ERR_OK;
	log_error("store: cannot open the folder %s: %s", path, files_text(e));
	return files_err(e);
}

enum err folder_lock(int dir, const char *path, int *ret_lock)
{
	*ret_lock = openat(dir, "lock", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (*ret_lock < 0) {
		log_error("store: cannot open %s/lock: %s", path, files_text(errno));
		return files_err(errno);
	}
	if (flock(*ret_lock, LOCK_EX | LOCK_NB) == 0)
		return ERR_OK;
	log_error("store: the folder %s is in use by another process: stop that, or choose "
		  "another folder",
		path);
	return ERR_INTERNAL;
}

/* ---- Format ---------------------------------------------------------------------------------- */

enum err folder_write_format(int dir, const struct folder_format *format)
{
	char text[FORMAT_MAX];
	int len = snprintf(text, sizeof(text), "postern store %u\n", format->version);
	if (!format->is_whole || format->since > 1)
		len = snprintf(text, sizeof(text), "postern store %u\n%s %" PRIu64 "\n",
			format->version, format->is_whole ? "since" : "filling", format->since);
	struct iovec iov = {.iov_base = text, .iov_len = (size_t)len};
	SCOPED_FD int fd =
		openat(dir, "format.new", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	int e = fd < 0 ? errno : files_write(fd, &iov, 1, 0);
	if (e == 0 && (fsync(fd) != 0 || renameat(dir, "format.new", dir, "format") != 0))
		e = errno;
	if (e == 0)
		e = files_sync_dir(dir);
	if (e)
		log_error("store: cannot write the file `format`: %s", files_text(e));
	return e ? files_err(e) : ERR_OK;
}

enum err folder_write_new_format(int dir, struct folder_format *ret)
{
	*ret = (struct folder_format){.version = FORMAT_VERSION, .since = 1, .is_whole = true};
	return folder_write_format(dir, ret);
}

/* What follows the name on a line; the line is taken off *text. */
static bool take_number(struct slice *text, struct slice name, uint64_t *ret)
{
	struct slice line = slice_head(*text, slice_find(*text, '\n'));
	if (!slice_starts(line, name) || !slice_to_u64(slice_from(line, name.len), ret))
		return false;
	*text = slice_from(*text, line.len < text->len ? line.len + 1 : line.len);
	return true;
}

static bool parse(struct slice text, struct folder_format *ret)
{
	uint64_t version;
	if (!take_number(&text, S("postern store "), &version) || version > UINT32_MAX)
		return false;
	*ret = (struct folder_format){.version = (unsigned)version, .since = 1};
	ret->is_whole = version >= FORMAT_VERSION;
	if (version != FORMAT_VERSION || text.len == 0)
		return true;
	if (take_number(&text, S("since "), &ret->since))
		return true;
	ret->is_whole = false;
	return take_number(&text, S("filling "), &ret->since);
}

bool folder_is_restoring(int dir)
{
	char text[FORMAT_MAX];
	size_t got = 0;
	SCOPED_FD int fd = openat(dir, "format", O_RDONLY | O_CLOEXEC);
	return fd >= 0 && files_read(fd, text, sizeof(text), 0, &got) == 0 &&
	       slice_eq(slice_of(text, got), S(FOLDER_RESTORING));
}

enum err folder_check_format(int dir, const char *path, bool make, struct folder_format *ret)
{
	char text[FORMAT_MAX];
	size_t got = 0;
	SCOPED_FD int fd = openat(dir, "format", O_RDONLY | O_CLOEXEC);
	if (fd < 0 && errno == ENOENT && make)
		return folder_write_new_format(dir, ret);
	int e = fd < 0 ? errno : files_read(fd, text, sizeof(text), 0, &got);
	if (e) {
		log_error("store: cannot read %s/format: %s", path, files_text(e));
		return files_err(e);
	}
	if (slice_eq(slice_of(text, got), S(FOLDER_RESTORING))) {
		log_error("store: the folder %s is not whole: `postern restore` was broken off; "
			  "run it again",
			path);
		return ERR_INTERNAL;
	}
	if (!parse(slice_of(text, got), ret)) {
		log_error("store: %s/format is not what postern writes there", path);
		return ERR_INTERNAL;
	}
	if (ret->version >= 1 && ret->version <= FORMAT_VERSION)
		return ERR_OK;
	log_error("store: the folder %s has format %u, this postern knows %d: use a newer one",
		path, ret->version, FORMAT_VERSION);
	return ERR_INTERNAL;
}
