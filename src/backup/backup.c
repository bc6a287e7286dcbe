/* SPDX-License-Identifier: Apache-2.0 */
#include "backup/backup.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "backup/backup_internal.h"
#include "backup/database.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/strbuf.h"
#include "store/local/disk/files.h"
#include "store/local/state/folder.h"
#include "store/local/state/removals.h"

#define PATH_BYTES_MAX 8192

/* ---- Counting -------------------------------------------------------------------------------- */

void backup_begin_part(struct backup *b, const char *what, uint64_t total)
{
	b->what = what;
	b->done = 0;
	b->total = total;
}

void backup_add_progress(struct backup *b, uint64_t bytes)
{
	b->done += bytes;
	if (b->options->progress && b->what)
		b->options->progress(b->what, b->done, b->total, b->options->ctx);
}

static void add_copied(uint64_t bytes, void *ctx)
{
	backup_add_progress(ctx, bytes);
}

void backup_count(struct backup *b, const struct backup_copy *copy)
{
	bool is_new = copy->made == b->now.number;
	b->result->files++;
	b->result->bytes += copy->bytes;
	b->result->copied_files += is_new;
	b->result->copied_bytes += is_new ? copy->bytes : 0;
}

/* ---- Files that are copied whole ------------------------------------------------------------- */

static void take(struct backup *b, enum backup_name name, const struct backup_copy *copy)
{
	b->now.has[name] = true;
	b->now.files[name] = *copy;
	backup_count(b, copy);
}

/* One that is damaged is no reason to have no backup of all else. `copy` is NULL, or what there is.
 */
static enum err keep_old(struct backup *b, enum backup_name name, const struct backup_copy *copy)
{
	char path[BACKUP_PATH_MAX];
	const struct backup_copy *old = &b->before.files[name];
	b->result->damaged++;
	folder_file_path(name, old->made, path);
	bool has = b->before.has[name] && folder_has(b->to, path, old);
	if (has)
		take(b, name, old);
	else if (copy)
		take(b, name, copy);
	log_error("backup: %s", has    ? "the copy of it in the backup before is kept"
				: copy ? "it is copied so"
				       : "the backup does not have it");
	return ERR_OK;
}

/* Each is replaced by another when it changes, so that what is open stays what it is. */
static enum err copy_file(struct backup *b, enum backup_name name)
{
	char path[BACKUP_PATH_MAX];
	struct stat st;
	struct backup_copy copy = {.made = b->now.number};
	int to;
	SCOPED_FD int from = openat(b->data, backup_name_text(name), O_RDONLY | O_CLOEXEC);
	if (from < 0 && errno == ENOENT)
		return ERR_OK;
	if (from < 0 || fstat(from, &st) != 0) {
		log_error("backup: cannot open %s: %s", backup_name_text(name), files_text(errno));
		return ERR_INTERNAL;
	}
	copy.bytes = (uint64_t)st.st_size;
	folder_file_path(name, copy.made, path);
	enum err e = copy_create(b->to, path, &to);
	if (e != ERR_OK)
		return e;
	b->copy.path = backup_name_text(name);
	uint64_t bad_bytes = b->copy.bad_bytes;
	e = copy_bytes(&b->copy, from, to, 0, copy.bytes, &copy.crc);
	enum err closed = copy_close(to, path);
	if (e == ERR_OK)
		e = closed;
	if (e == ERR_OK && b->copy.bad_bytes > bad_bytes)
		return keep_old(b, name, &copy);
	if (e == ERR_OK)
		take(b, name, &copy);
	return e;
}

/* Sums what SQLite has written. */
static enum err sum_copy(struct backup *b, const char *path, struct backup_copy *copy)
{
	struct stat st;
	SCOPED_FD int fd = openat(b->to, path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || fchmod(fd, 0600) != 0 || fsync(fd) != 0 || fstat(fd, &st) != 0) {
		log_error("backup: cannot read the file %s: %s", path, files_text(errno));
		return ERR_INTERNAL;
	}
	copy->bytes = (uint64_t)st.st_size;
	b->copy.path = path;
	return copy_bytes(&b->copy, fd, -1, 0, copy->bytes, &copy->crc);
}

static enum err copy_database(struct backup *b, enum backup_name name)
{
	char path[BACKUP_PATH_MAX];
	struct backup_copy copy = {.made = b->now.number};
	SCOPED_STRBUF(from, PATH_BYTES_MAX);
	SCOPED_STRBUF(to, PATH_BYTES_MAX);
	if (faccessat(b->data, backup_name_text(name), F_OK, 0) != 0 && errno == ENOENT)
		return ERR_OK;
	folder_file_path(name, copy.made, path);
	strbuf_addf(&from, "%s/%s", b->options->data, backup_name_text(name));
	strbuf_addf(&to, "%s/%s", b->options->destination, path);
	if (strbuf_broken(&from) || strbuf_broken(&to))
		return ERR_UNAVAILABLE;
	enum err e = database_copy(from.ptr, to.ptr);
	if (e == ERR_DISK_FULL || e == ERR_UNAVAILABLE)
		return e;
	if (e != ERR_OK)
		return keep_old(b, name, NULL);
	e = sum_copy(b, path, &copy);
	if (e == ERR_OK)
		take(b, name, &copy);
	return e;
}

static enum err copy_files(struct backup *b)
{
	enum err e = ERR_OK;
	for (unsigned name = 0; name < BACKUP_CALLBACKS && e == ERR_OK; name++)
		e = copy_file(b, (enum backup_name)name);
	if (e == ERR_OK)
		e = copy_database(b, BACKUP_CALLBACKS);
	return e == ERR_OK ? copy_database(b, BACKUP_LEDGER) : e;
}

/* ---- All of it ------------------------------------------------------------------------------- */

static enum err forbid_removals(struct backup *b)
{
	const char *path = b->options->data;
	b->lock = openat(b->data, "lock", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	int e = b->lock >= 0 ? removals_forbid(b->lock) : errno;
	if (e == EAGAIN)
		log_error("backup: another backup of %s is being made", path);
	else if (e)
		log_error("backup: cannot lock %s/lock: %s", path, files_text(e));
	return e ? ERR_INTERNAL : ERR_OK;
}

/* The application server alone has no store. */
static enum err check_format(struct backup *b)
{
	struct folder_format format;
	const char *path = b->options->data;
	if (faccessat(b->data, "format", F_OK, 0) != 0) {
		if (faccessat(b->data, "segments", F_OK, 0) != 0 &&
			faccessat(b->data, "ledger.db", F_OK, 0) == 0)
			return ERR_OK;
		log_error("backup: %s is not a data folder", path);
		return ERR_INTERNAL;
	}
	enum err e = folder_check_format(b->data, path, false, &format);
	if (e == ERR_OK)
		e = folder_check_copy(b->data, path);
	if (e != ERR_OK || format.is_whole)
		return e;
	log_error("backup: the log of %s does not have all that the index has yet: start postern "
		  "with it once, which writes that",
		path);
	return ERR_INTERNAL;
}

static enum err open_folders(struct backup *b)
{
	bool found;
	const char *to = b->options->destination;
	b->data = open(b->options->data, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (b->data < 0) {
		log_error("backup: cannot open the folder %s: %s", b->options->data,
			files_text(errno));
		return ERR_INTERNAL;
	}
	enum err e = check_format(b);
	if (e == ERR_OK)
		e = folder_open_backup(to, true, &b->to, &b->to_lock);
	if (e == ERR_OK)
		e = manifest_read(b->to, to, &b->before, &found);
	if (e != ERR_OK)
		return e;
	/* What one that was broken off has left. */
	folder_clean(b->to, &b->before);
	b->now.number = b->before.number + 1;
	b->now.ms = (uint64_t)clock_wall_ms(&clock_system);
	b->result->number = b->now.number;
	return forbid_removals(b);
}

static enum err copy_all(struct backup *b)
{
	if (!copy_init(&b->copy) || !scan_init(&b->scan)) {
		log_error("backup: no memory");
		return ERR_UNAVAILABLE;
	}
	b->scan.reads_around = true;
	b->copy.progress = add_copied;
	b->copy.ctx = b;
	enum err e = copy_files(b);
	if (e == ERR_OK)
		e = backup_log(b);
	if (e == ERR_OK)
		e = backup_large_files(b);
	if (e == ERR_OK)
		e = copy_sync(b->to);
	return e == ERR_OK ? manifest_write(b->to, &b->now) : e;
}

static void close_all(struct backup *b)
{
	const int fds[] = {b->lock, b->data, b->to_lock, b->to};
	scan_release(&b->scan);
	copy_release(&b->copy);
	manifest_release(&b->before);
	manifest_release(&b->now);
	for (size_t i = 0; i < ARRAY_LEN(fds); i++)
		if (fds[i] >= 0)
			(void)close(fds[i]);
}

enum err backup_make(const struct backup_options *options, struct backup_result *ret)
{
	struct backup b = {
		.options = options, .result = ret, .data = -1, .lock = -1, .to = -1, .to_lock = -1};
	*ret = (struct backup_result){.number = 0};
	enum err e = open_folders(&b);
	if (e == ERR_OK)
		e = copy_all(&b);
	if (e == ERR_OK)
		folder_clean(b.to, &b.now);
	close_all(&b);
	return e;
}
