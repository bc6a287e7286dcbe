/* SPDX-License-Identifier: Apache-2.0 */
#include "backup/restore.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "backup/copy.h"
#include "backup/folder.h"
#include "backup/target.h"
#include "base/log.h"
#include "base/strbuf.h"
#include "store/local/disk/files.h"
#include "store/local/index/index.h"
#include "store/local/large/large.h"
#include "store/local/rebuild/rebuild.h"
#include "store/local/state/folder.h"
#include "store/local/wal/segment.h"

#define PATH_BYTES_MAX 8192

struct restore {
	const struct restore_options *options;
	struct restore_result *result;
	int from;
	int from_lock;
	int data;        /* -1: nothing is made */
	bool has_format; /* the copy of it is good */
	struct manifest manifest;
	struct copy copy;
	const char *what;
	uint64_t done;
	uint64_t total;
};

static void tell(struct restore *r, uint64_t done, uint64_t total)
{
	if (r->options->progress)
		r->options->progress(r->what, done, total, r->options->ctx);
}

static void add_done(uint64_t bytes, void *ctx)
{
	struct restore *r = ctx;
	r->done += bytes;
	tell(r, r->done, r->total);
}

/* ---- Copying --------------------------------------------------------------------------------- */

/* A file of the backup is not what it was. */
static enum err damaged(struct restore *r, const char *path, const char *what)
{
	r->result->damaged++;
	log_error("backup: %s/%s is damaged: %s", r->options->source, path, what);
	return r->options->takes_damaged || r->options->only_checks ? ERR_OK : ERR_INTERNAL;
}

/*
 * *ret_fd is -1 if there is nothing to be copied, and that is no failure. *ret_bytes is how much of
 * it there is: of a segment that is cut short the beginning is of use.
 */
static enum err open_copy(struct restore *r, const char *path, const struct backup_copy *copy,
	bool is_segment, int *ret_fd, uint64_t *ret_bytes)
{
	struct stat st;
	int fd = openat(r->from, path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	*ret_fd = -1;
	if (fd < 0 && errno == ENOENT)
		return damaged(r, path, "it is missing");
	if (fd < 0 || fstat(fd, &st) != 0) {
		log_error("backup: cannot open %s/%s: %s", r->options->source, path,
			files_text(errno));
		if (fd >= 0)
			(void)close(fd);
		return ERR_INTERNAL;
	}
	uint64_t size = (uint64_t)st.st_size;
	*ret_fd = fd;
	*ret_bytes = copy->bytes;
	if (size == copy->bytes)
		return ERR_OK;
	enum err e = damaged(r, path, "it has another length");
	if (e == ERR_OK && is_segment) {
		*ret_bytes = size < copy->bytes ? size : copy->bytes;
		return ERR_OK;
	}
	(void)close(fd);
	*ret_fd = -1;
	return e;
}

static enum err copy_out(struct restore *r, int from, const char *path, const char *to_path,
	const struct backup_copy *copy, uint64_t bytes)
{
	uint64_t crc = 0;
	int to = -1;
	enum err e = r->data >= 0 ? copy_create(r->data, to_path, &to) : ERR_OK;
	if (e != ERR_OK)
		return e;
	r->copy.path = path;
	e = copy_bytes(&r->copy, from, to, 0, bytes, &crc);
	enum err closed = to >= 0 ? copy_close(to, to_path) : ERR_OK;
	if (e == ERR_OK)
		e = closed;
	/* Another length was told. */
	if (e == ERR_OK && bytes == copy->bytes && crc != copy->crc)
		e = damaged(r, path, "its bytes are not those that were copied");
	return e;
}

static enum err copy_one(struct restore *r, const char *path, const char *to_path,
	const struct backup_copy *copy, bool is_segment)
{
	SCOPED_FD int from = -1;
	uint64_t bytes = 0;
	r->result->files++;
	r->result->bytes += copy->bytes;
	enum err e = open_copy(r, path, copy, is_segment, &from, &bytes);
	if (e != ERR_OK || from < 0)
		return e;
	return copy_out(r, from, path, to_path, copy, bytes);
}

static enum err copy_file(struct restore *r, enum backup_name name)
{
	char path[BACKUP_PATH_MAX];
	const struct backup_copy *copy = &r->manifest.files[name];
	if (!r->manifest.has[name])
		return ERR_OK;
	folder_file_path(name, copy->made, path);
	if (name != BACKUP_FORMAT)
		return copy_one(r, path, backup_name_text(name), copy, false);
	/* It comes last, for it lets a store open the folder. */
	uint64_t before = r->result->damaged;
	enum err e = copy_one(r, path, TARGET_NEW_FORMAT, copy, false);
	r->has_format = r->result->damaged == before;
	return e;
}

static enum err copy_segment(struct restore *r, const struct backup_segment *segment)
{
	char path[BACKUP_PATH_MAX];
	char to[BACKUP_PATH_MAX];
	char name[SEGMENT_NAME_BYTES];
	folder_segment_path(segment->id, segment->copy.made, path);
	segment_name(segment->id, name);
	(void)snprintf(to, sizeof(to), "segments/%s", name);
	return copy_one(r, path, to, &segment->copy, true);
}

static enum err copy_large(struct restore *r, const struct backup_large *large)
{
	char path[BACKUP_PATH_MAX];
	char to[BACKUP_PATH_MAX];
	folder_large_path(large->number, large->copy.made, path);
	large_files_path(large->number, to, sizeof(to));
	if (!large->is_good) {
		r->result->lost++;
		log_error("backup: %s was damaged already when it was copied", to);
	}
	return copy_one(r, path, to, &large->copy, false);
}

static void measure(struct restore *r)
{
	const struct manifest *m = &r->manifest;
	r->what = "the backup";
	for (unsigned i = 0; i < BACKUP_NAME_COUNT; i++)
		r->total += m->has[i] ? m->files[i].bytes : 0;
	for (size_t i = 0; i < m->segment_count; i++)
		r->total += m->segments[i].segment.copy.bytes;
	for (size_t i = 0; i < m->large_count; i++)
		r->total += m->large[i].copy.bytes;
}

static enum err copy_all(struct restore *r)
{
	const struct manifest *m = &r->manifest;
	enum err e = ERR_OK;
	measure(r);
	r->copy.progress = add_done;
	r->copy.ctx = r;
	for (unsigned i = 0; i < BACKUP_NAME_COUNT && e == ERR_OK; i++)
		e = copy_file(r, (enum backup_name)i);
	for (size_t i = 0; i < m->segment_count && e == ERR_OK; i++)
		e = copy_segment(r, &m->segments[i].segment);
	for (size_t i = 0; i < m->large_count && e == ERR_OK; i++)
		e = copy_large(r, &m->large[i]);
	return e;
}

/* ---- The index ------------------------------------------------------------------------------- */

static bool check_large(uint64_t number, uint64_t size, void *ctx)
{
	struct restore *r = ctx;
	char path[BACKUP_PATH_MAX];
	struct stat st;
	large_files_path(number, path, sizeof(path));
	if (fstatat(r->data, path, &st, 0) == 0 && (uint64_t)st.st_size >= size)
		return true;
	r->result->lost++;
	log_error("backup: the backup does not have %s whole: an object or a part is lost", path);
	return true;
}

/* Whether all files are there that the index names. */
static enum err check_files(struct restore *r)
{
	struct index *index;
	SCOPED_STRBUF(path, PATH_BYTES_MAX);
	strbuf_addf(&path, "%s/index", r->options->data);
	if (strbuf_broken(&path))
		return ERR_UNAVAILABLE;
	enum err e = index_open(path.ptr, &index);
	if (e != ERR_OK)
		return e;
	e = index_each_number(index, KEY_FILE, check_large, r);
	index_close(index);
	return e;
}

static void tell_index(uint64_t done, uint64_t total, void *ctx)
{
	tell(ctx, done, total);
}

static enum err make_index(struct restore *r)
{
	struct rebuild_result rebuilt;
	const struct rebuild_options options = {
		.path = r->options->data, .is_copy = true, .progress = tell_index, .ctx = r};
	r->what = "the log, for the index";
	enum err e = rebuild_index(&options, &rebuilt);
	if (e == ERR_OK)
		e = check_files(r);
	if (e != ERR_OK) {
		log_error("backup: all files are restored, but not the index: `postern rebuild "
			  "--data %s` makes it",
			r->options->data);
		return e;
	}
	r->result->objects = rebuilt.objects;
	r->result->lost += rebuilt.lost;
	return ERR_OK;
}

/* ---- All of it ------------------------------------------------------------------------------- */

static enum err open_source(struct restore *r)
{
	bool found;
	const char *path = r->options->source;
	enum err e = folder_open_backup(path, false, &r->from, &r->from_lock);
	if (e == ERR_OK)
		e = manifest_read(r->from, path, &r->manifest, &found);
	if (e != ERR_OK)
		return e;
	r->result->number = r->manifest.number;
	r->result->ms = r->manifest.ms;
	if (found && copy_init(&r->copy))
		return ERR_OK;
	log_error(found ? "backup: no memory"
			: "backup: %s has no backup: none has been made to its end",
		path);
	return ERR_INTERNAL;
}

/* From here on it is a data folder. */
static enum err finish_target(struct restore *r)
{
	struct folder_format ignored;
	bool is_store = r->manifest.has[BACKUP_FORMAT];
	if (!is_store || r->has_format)
		return target_finish(r->data, is_store);
	log_error("backup: the file `format` is written anew: if the folder was once one of format "
		  "2, what was deleted then may be there again");
	return folder_write_new_format(r->data, &ignored);
}

static enum err fill(struct restore *r)
{
	const struct manifest *m = &r->manifest;
	enum err e = copy_all(r);
	if (e == ERR_OK)
		e = copy_sync(r->data);
	if (e == ERR_OK)
		e = finish_target(r);
	r->result->has_files = e == ERR_OK;
	if (e == ERR_OK)
		return m->segment_count ? make_index(r) : ERR_OK;
	target_clear(r->data);
	return e;
}

enum err backup_restore(const struct restore_options *options, struct restore_result *ret)
{
	struct restore r = {
		.options = options, .result = ret, .from = -1, .from_lock = -1, .data = -1};
	*ret = (struct restore_result){.number = 0};
	enum err e = open_source(&r);
	if (e == ERR_OK && options->only_checks)
		e = copy_all(&r);
	else if (e == ERR_OK) {
		e = target_begin(options->data, &r.data);
		if (e == ERR_OK)
			e = fill(&r);
	}
	const int fds[] = {r.data, r.from_lock, r.from};
	for (size_t i = 0; i < ARRAY_LEN(fds); i++)
		if (fds[i] >= 0)
			(void)close(fds[i]);
	copy_release(&r.copy);
	manifest_release(&r.manifest);
	return e;
}
