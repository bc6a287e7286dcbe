/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Large files. What a record names and is not there was deleted before the backup began, or is
 * lost: restoring tells which (restore.c). Until then a copy of it is kept.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sys/stat.h>
#include <unistd.h>

#include "backup/backup_internal.h"
#include "base/log.h"
#include "store/local/disk/files.h"
#include "store/local/large/large.h"
#include "store/local/large/sums.h"

static int compare(const void *a, const void *b)
{
	const struct backup_named *x = a;
	const struct backup_named *y = b;
	return x->number < y->number ? -1 : x->number > y->number;
}

/*
 * Those that are named, ascending, each once; with sums if any record says so, for it got them
 * later. False without memory.
 */
static bool sort_named(const struct manifest *m, struct backup_named **ret, size_t *ret_count)
{
	struct backup_named *named = calloc(m->named_count + 1, sizeof(*named));
	size_t count = 0;
	if (!named)
		return false;
	if (m->named_count) {
		memcpy(named, m->named, m->named_count * sizeof(*named));
		qsort(named, m->named_count, sizeof(*named), compare);
	}
	for (size_t i = 0; i < m->named_count; i++)
		if (count == 0 || named[count - 1].number != named[i].number)
			named[count++] = named[i];
		else if (named[i].has_sums)
			named[count - 1].has_sums = true;
	*ret = named;
	*ret_count = count;
	return true;
}

static void report_damage(struct backup *b, struct backup_large *row, const char *what)
{
	row->is_good = false;
	b->result->damaged++;
	log_error("backup: %s is damaged: %s", b->copy.path, what);
}

/* The pages behind the bytes; the copy has them as they are. */
static void check_sums(struct backup *b, int fd, struct backup_large *row)
{
	char bytes[SUMS_PAGE_BYTES];
	struct block_check check;
	for (uint64_t page = 0; page < sums_pages(row->size) && row->is_good; page++) {
		size_t got;
		uint64_t at = sums_offset(row->size) + page * SUMS_PAGE_BYTES;
		if (files_read(fd, bytes, sizeof(bytes), at, &got) != 0 ||
			!sums_page_parse(
				slice_of(bytes, got), row->number, row->size, page, &check))
			report_damage(b, row, "the sums of its blocks cannot be read");
	}
}

static enum err copy_checked(struct backup *b, int from, int to, const struct backup_named *named,
	struct backup_large *row)
{
	uint64_t crc = 0;
	uint64_t end = row->size < row->copy.bytes ? row->size : row->copy.bytes;
	enum err e = copy_bytes(&b->copy, from, to, 0, end, &crc);
	if (e != ERR_OK)
		return e;
	row->is_good = true;
	if (end < row->size)
		report_damage(b, row, "it is cut short");
	else if (crc != row->crc)
		report_damage(b, row, "its bytes are not those that were stored");
	else if (named->has_sums)
		check_sums(b, from, row);
	row->copy.crc = crc;
	return copy_bytes(&b->copy, from, to, end, row->copy.bytes, &row->copy.crc);
}

static enum err copy_one(
	struct backup *b, int from, const struct backup_named *named, struct backup_large *row)
{
	char path[BACKUP_PATH_MAX];
	int to;
	row->copy.made = b->now.number;
	folder_large_path(row->number, row->copy.made, path);
	enum err e = copy_create(b->to, path, &to);
	if (e != ERR_OK)
		return e;
	e = copy_checked(b, from, to, named, row);
	enum err closed = copy_close(to, path);
	return e == ERR_OK ? closed : e;
}

/* What is to be copied, and what the records of the backup before named. */
struct named_files {
	struct backup_named *now;
	size_t count;
	struct backup_named *before;
	size_t before_count;
};

/* Whether its copy in the backup before lacks sums, or was made while they were written. */
static bool got_sums(const struct named_files *files, const struct backup_named *named)
{
	const struct backup_named *old =
		files->before_count ? bsearch(named, files->before, files->before_count,
					      sizeof(*named), compare)
				    : NULL;
	return named->has_sums && !(old && old->has_sums);
}

/* The good copy that the backup before has of it; NULL if there is none. */
static const struct backup_large *find_copy(
	const struct backup *b, const struct backup_named *named)
{
	char path[BACKUP_PATH_MAX];
	const struct backup_large *old = manifest_large(&b->before, named->number);
	if (!old || !old->is_good || old->size != named->size || old->crc != named->crc)
		return NULL;
	folder_large_path(old->number, old->copy.made, path);
	return folder_has(b->to, path, &old->copy) ? old : NULL;
}

static enum err add(struct backup *b, const struct backup_large *row)
{
	if (!manifest_add_large(&b->now, row)) {
		log_error("backup: no memory");
		return ERR_UNAVAILABLE;
	}
	backup_count(b, &row->copy);
	return ERR_OK;
}

static enum err keep(struct backup *b, const struct backup_large *old)
{
	backup_add_progress(b, old->copy.bytes);
	return add(b, old);
}

static enum err take_missing(
	struct backup *b, const struct backup_named *named, const struct backup_large *old)
{
	if (old) {
		b->result->gone++;
		return keep(b, old);
	}
	backup_add_progress(b, named->size);
	return ERR_OK;
}

static enum err take(
	struct backup *b, const struct named_files *files, const struct backup_named *named)
{
	char path[BACKUP_PATH_MAX];
	struct stat st;
	const struct backup_large *old = find_copy(b, named);
	large_files_path(named->number, path, sizeof(path));
	SCOPED_FD int from = openat(b->data, path, O_RDONLY | O_CLOEXEC);
	if (from < 0 && errno == ENOENT)
		return take_missing(b, named, old);
	if (from < 0 || fstat(from, &st) != 0) {
		log_error("backup: cannot open %s: %s", path, files_text(errno));
		return files_err(errno);
	}
	struct backup_large row = {.number = named->number,
		.size = named->size,
		.crc = named->crc,
		.copy.bytes = (uint64_t)st.st_size};
	b->copy.path = path;
	bool is_anew = old && got_sums(files, named);
	/* Behind the bytes of a file without sums may be some that no record tells of yet. */
	bool fits = named->has_sums ? old && old->copy.bytes == row.copy.bytes
				    : row.copy.bytes >= row.size;
	if (old && !is_anew && !fits) {
		b->result->damaged++;
		log_error("backup: %s is damaged: its length has changed; the copy of it in the "
			  "backup before is kept",
			path);
	}
	if (old && !is_anew)
		return keep(b, old);
	enum err e = copy_one(b, from, named, &row);
	if (e == ERR_OK && old && !row.is_good)
		return keep(b, old);
	return e == ERR_OK ? add(b, &row) : e;
}

enum err backup_large_files(struct backup *b)
{
	struct named_files files = {.count = 0};
	uint64_t bytes = 0;
	enum err e = ERR_OK;
	if (!sort_named(&b->now, &files.now, &files.count) ||
		!sort_named(&b->before, &files.before, &files.before_count)) {
		log_error("backup: no memory");
		e = ERR_UNAVAILABLE;
	}
	for (size_t i = 0; i < files.count && e == ERR_OK; i++)
		bytes += files.now[i].size;
	backup_begin_part(b, "large files", bytes);
	for (size_t i = 0; i < files.count && e == ERR_OK; i++)
		e = take(b, &files, &files.now[i]);
	free(files.now);
	free(files.before);
	if (e == ERR_OK && b->result->gone)
		log_info("backup: %" PRIu64 " large files were deleted since, or are missing; "
			 "their copies are kept as long as the log names them",
			b->result->gone);
	return e;
}
