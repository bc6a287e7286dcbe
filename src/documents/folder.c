/* SPDX-License-Identifier: Apache-2.0 */
/* Documents that are files of a folder. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/limits.h"
#include "base/log.h"
#include "base/private_file.h"
#include "crypto/secret.h"
#include "documents/place.h"

static enum err read_file(
	struct documents *d, const char *name, struct strbuf *out, bool *ret_found)
{
	return private_file_read(d->where, name, out, ret_found);
}

/* One change at a time, of all processes. It ends when the descriptor is closed. */
static int lock_folder(const char *path)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd >= 0 && flock(fd, LOCK_EX) == 0)
		return fd;
	log_error("cannot lock the folder %s: %s", path, strerror(errno));
	if (fd >= 0)
		close(fd);
	return -1;
}

static enum err replace_file(struct documents *d, const char *name, struct slice was,
	struct slice bytes, bool *ret_replaced)
{
	SCOPED_STRBUF(now, DOCUMENT_BYTES_MAX);
	bool found = false;
	SCOPED_FD int lock = lock_folder(d->where);
	if (lock < 0)
		return ERR_INTERNAL;
	enum err e = private_file_read(d->where, name, &now, &found);
	bool same = found ? was.len && slice_eq(strbuf_slice(&now), was) : was.len == 0;
	secret_wipe(now.ptr, now.len);
	if (e == ERR_OK && same)
		e = private_file_write(d->where, name, bytes);
	if (e == ERR_OK)
		*ret_replaced = same;
	return e;
}

/* All 0 if there is none. */
static struct document_mark look_at_file(struct documents *d, const char *name)
{
	SCOPED_STRBUF(path, KIB(4));
	struct stat info;
	strbuf_addf(&path, "%s/%s", d->where, name);
	if (stat(path.ptr, &info) < 0)
		return (struct document_mark){.words = {0}};
	return (struct document_mark){
		.words = {(uint64_t)info.st_ino, (uint64_t)info.st_size,
			(uint64_t)info.st_mtim.tv_sec, (uint64_t)info.st_mtim.tv_nsec,
			(uint64_t)info.st_ctim.tv_sec, (uint64_t)info.st_ctim.tv_nsec}};
}

static void close_folder(struct documents *d)
{
	documents_release(d);
	free(d);
}

static const struct documents_ops ops = {
	.read = read_file,
	.replace = replace_file,
	.mark = look_at_file,
	.close = close_folder,
};

enum err documents_in_folder(const char *path, struct documents **ret)
{
	struct documents *d = calloc(1, sizeof(*d));
	if (!d)
		return ERR_UNAVAILABLE;
	if (!documents_init(d, &ops, path)) {
		close_folder(d);
		return ERR_UNAVAILABLE;
	}
	*ret = d;
	return ERR_OK;
}
