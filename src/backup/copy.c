/* SPDX-License-Identifier: Apache-2.0 */
#include "backup/copy.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "crypto/crc64.h"
#include "store/local/disk/files.h"

enum {
	BUFFER_BYTES = 1 << 20,
	FOLDER_MAX = 64,
};

bool copy_init(struct copy *copy)
{
	copy->buffer = malloc(BUFFER_BYTES);
	return copy->buffer != NULL;
}

void copy_release(struct copy *copy)
{
	free(copy->buffer);
	copy->buffer = NULL;
}

static enum err write_piece(const struct copy *copy, int to, size_t len, uint64_t at)
{
	struct iovec iov = {.iov_base = copy->buffer, .iov_len = len};
	int e = to >= 0 ? files_write(to, &iov, 1, at) : 0;
	if (e)
		log_error("backup: cannot write the copy of %s: %s", copy->path, files_text(e));
	return e ? files_err(e) : ERR_OK;
}

enum err copy_bytes(
	struct copy *copy, int from, int to, uint64_t begin, uint64_t end, uint64_t *crc)
{
	uint64_t at = begin;
	while (at < end) {
		size_t got;
		size_t want = end - at < BUFFER_BYTES ? (size_t)(end - at) : BUFFER_BYTES;
		struct files_bad bad = {.bytes = 0};
		int e = files_read_around(from, copy->buffer, want, at, &got, &bad);
		if (e) {
			log_error("backup: cannot read %s: %s", copy->path, files_text(e));
			return ERR_INTERNAL;
		}
		if (bad.bytes)
			log_error("backup: the disk cannot read %" PRIu64 " bytes of %s at byte "
				  "%" PRIu64 ": zeros are taken for them",
				bad.bytes, copy->path, bad.first);
		copy->bad_bytes += bad.bytes;
		if (got < want) {
			log_error("backup: %s is cut short: it has %" PRIu64 " bytes instead of "
				  "%" PRIu64,
				copy->path, at + got, end);
			return ERR_INTERNAL;
		}
		*crc = crc64_update(*crc, slice_of(copy->buffer, got));
		enum err err = write_piece(copy, to, got, at);
		if (err != ERR_OK)
			return err;
		at += got;
		if (copy->progress)
			copy->progress(got, copy->ctx);
	}
	return ERR_OK;
}

static int make_folder_of(int dir, const char *path)
{
	char folder[FOLDER_MAX];
	const char *end = strrchr(path, '/');
	if (!end || (size_t)(end - path) >= sizeof(folder))
		return EINVAL;
	memcpy(folder, path, (size_t)(end - path));
	folder[end - path] = '\0';
	return mkdirat(dir, folder, 0700) == 0 ? 0 : errno;
}

enum err copy_create(int dir, const char *path, int *ret)
{
	int flags = O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW;
	int e = 0;
	int fd = openat(dir, path, flags, 0600);
	if (fd < 0 && errno == ENOENT) {
		e = make_folder_of(dir, path);
		fd = e == 0 ? openat(dir, path, flags, 0600) : -1;
	}
	if (e == 0 && (fd < 0 || fchmod(fd, 0600) != 0))
		e = errno;
	if (e == 0) {
		*ret = fd;
		return ERR_OK;
	}
	log_error("backup: cannot make the file %s: %s", path, files_text(e));
	if (fd >= 0)
		(void)close(fd);
	return files_err(e);
}

enum err copy_close(int fd, const char *path)
{
	int e = fdatasync(fd) == 0 ? 0 : errno;
	if (close(fd) != 0 && e == 0)
		e = errno;
	if (e)
		log_error("backup: cannot write the file %s: %s", path, files_text(e));
	return e ? files_err(e) : ERR_OK;
}

enum err copy_sync(int dir)
{
	if (syncfs(dir) == 0)
		return ERR_OK;
	log_error("backup: cannot make what was written durable: %s", files_text(errno));
	return files_err(errno);
}
