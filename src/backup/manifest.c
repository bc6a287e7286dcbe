/* SPDX-License-Identifier: Apache-2.0 */
#include "backup/manifest.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "base/log.h"
#include "crypto/crc64.h"
#include "store/local/disk/files.h"

static const char first_line[] = "postern backup 1\n";

/* ---- In memory ------------------------------------------------------------------------------- */

void manifest_release(struct manifest *manifest)
{
	free(manifest->segments);
	free(manifest->named);
	free(manifest->large);
	*manifest = (struct manifest){.number = 0};
}

/* Room for one more. */
static bool grow(void **rows, size_t count, size_t *size, size_t each)
{
	if (count < *size)
		return true;
	size_t more = *size ? *size * 2 : 64;
	void *new = reallocarray(*rows, more, each);
	if (!new)
		return false;
	*rows = new;
	*size = more;
	return true;
}

bool manifest_add_segment(struct manifest *manifest, const struct backup_segment *segment)
{
	void *rows = manifest->segments;
	if (!grow(&rows, manifest->segment_count, &manifest->segment_size,
		    sizeof(manifest->segments[0])))
		return false;
	manifest->segments = rows;
	manifest->segments[manifest->segment_count++] = (struct backup_segment_rows){
		*segment, manifest->named_count, manifest->named_count};
	return true;
}

bool manifest_add_named(struct manifest *manifest, const struct backup_named *named)
{
	void *rows = manifest->named;
	if (!grow(&rows, manifest->named_count, &manifest->named_size, sizeof(manifest->named[0])))
		return false;
	manifest->named = rows;
	manifest->named[manifest->named_count++] = *named;
	manifest->segments[manifest->segment_count - 1].named_end = manifest->named_count;
	return true;
}

bool manifest_add_large(struct manifest *manifest, const struct backup_large *large)
{
	void *rows = manifest->large;
	if (!grow(&rows, manifest->large_count, &manifest->large_size, sizeof(manifest->large[0])))
		return false;
	manifest->large = rows;
	manifest->large[manifest->large_count++] = *large;
	return true;
}

static int compare(uint64_t a, uint64_t b)
{
	return a < b ? -1 : a > b;
}

static int compare_segment(const void *key, const void *row)
{
	const struct backup_segment_rows *rows = row;
	return compare(*(const uint64_t *)key, rows->segment.id);
}

static int compare_large(const void *key, const void *row)
{
	const struct backup_large *large = row;
	return compare(*(const uint64_t *)key, large->number);
}

const struct backup_segment_rows *manifest_segment(const struct manifest *manifest, uint64_t id)
{
	if (!manifest->segments)
		return NULL;
	return bsearch(&id, manifest->segments, manifest->segment_count,
		sizeof(manifest->segments[0]), compare_segment);
}

const struct backup_large *manifest_large(const struct manifest *manifest, uint64_t number)
{
	if (!manifest->large)
		return NULL;
	return bsearch(&number, manifest->large, manifest->large_count, sizeof(manifest->large[0]),
		compare_large);
}

/* ---- Reading --------------------------------------------------------------------------------- */

struct reading {
	struct manifest *manifest;
	uint64_t crc;
	bool made;
	bool ended;
};

/* Takes a line over, whose order is checked as well. ERR_INTERNAL: it does not belong there. */
static enum err take(struct reading *reading, const struct backup_row *row)
{
	struct manifest *m = reading->manifest;
	bool ok = true;
	bool fits = reading->made;
	switch (row->kind) {
	case BACKUP_ROW_MADE:
		fits = !reading->made && row->of.made.number > 0;
		reading->made = true;
		m->number = row->of.made.number;
		m->ms = row->of.made.ms;
		break;
	case BACKUP_ROW_FILE:
		fits = fits && !m->has[row->of.file.name];
		m->has[row->of.file.name] = true;
		m->files[row->of.file.name] = row->of.file.copy;
		break;
	case BACKUP_ROW_SEGMENT:
		fits = fits &&
		       (m->segment_count == 0 ||
			       m->segments[m->segment_count - 1].segment.id < row->of.segment.id);
		ok = !fits || manifest_add_segment(m, &row->of.segment);
		break;
	case BACKUP_ROW_NAMED:
		fits = fits && m->segment_count > 0;
		ok = !fits || manifest_add_named(m, &row->of.named);
		break;
	case BACKUP_ROW_LARGE:
		fits = fits && (m->large_count == 0 ||
				       m->large[m->large_count - 1].number < row->of.large.number);
		ok = !fits || manifest_add_large(m, &row->of.large);
		break;
	case BACKUP_ROW_END:
		fits = fits && row->of.crc == reading->crc;
		reading->ended = true;
		break;
	}
	return !fits ? ERR_INTERNAL : ok ? ERR_OK : ERR_UNAVAILABLE;
}

static enum err read_line(struct reading *reading, struct slice line, bool first)
{
	struct backup_row row;
	enum err e = ERR_INTERNAL;
	if (first)
		e = slice_eq(line, slice_str(first_line)) ? ERR_OK : ERR_INTERNAL;
	else if (!reading->ended && slice_ends(line, S("\n")) &&
		 backup_row_parse(slice_head(line, line.len - 1), &row))
		e = take(reading, &row);
	reading->crc = crc64_update(reading->crc, line);
	return e;
}

static enum err read_lines(struct reading *reading, FILE *file, const char *path)
{
	SCOPED_FREE char *line = NULL;
	size_t size = 0;
	size_t number = 0;
	ssize_t len;
	while ((len = getline(&line, &size, file)) > 0) {
		enum err e = read_line(reading, slice_of(line, (size_t)len), ++number == 1);
		if (e == ERR_UNAVAILABLE)
			log_error("backup: no memory for %s/manifest", path);
		else if (e != ERR_OK)
			log_error("backup: %s/manifest is damaged, or of a newer version, at line "
				  "%zu",
				path, number);
		if (e != ERR_OK)
			return e;
	}
	if (!feof(file)) { /* also without memory for a line */
		log_error("backup: cannot read %s/manifest: %s", path, files_text(errno));
		return ERR_INTERNAL;
	}
	if (reading->ended)
		return ERR_OK;
	log_error("backup: %s/manifest is damaged: its end is missing", path);
	return ERR_INTERNAL;
}

enum err manifest_read(int dir, const char *path, struct manifest *ret, bool *ret_found)
{
	struct reading reading = {.manifest = ret};
	int fd = openat(dir, "manifest", O_RDONLY | O_CLOEXEC);
	*ret_found = fd >= 0;
	if (fd < 0 && errno == ENOENT)
		return ERR_OK;
	FILE *file = fd >= 0 ? fdopen(fd, "r") : NULL;
	if (!file) {
		log_error("backup: cannot open %s/manifest: %s", path, files_text(errno));
		if (fd >= 0)
			(void)close(fd);
		return ERR_INTERNAL;
	}
	enum err e = read_lines(&reading, file, path);
	(void)fclose(file);
	return e;
}

/* ---- Writing --------------------------------------------------------------------------------- */

struct writing {
	FILE *file;
	uint64_t crc;
};

/* What fails is seen by ferror() at the end. */
static void put(struct writing *writing, struct slice text)
{
	writing->crc = crc64_update(writing->crc, text);
	(void)fwrite(text.ptr, 1, text.len, writing->file);
}

static void put_row(struct writing *writing, const struct backup_row *row)
{
	char line[BACKUP_ROW_MAX];
	put(writing, slice_of(line, backup_row_write(row, line)));
}

static void put_segment(
	struct writing *writing, const struct manifest *m, const struct backup_segment_rows *rows)
{
	put_row(writing,
		&(struct backup_row){.kind = BACKUP_ROW_SEGMENT, .of.segment = rows->segment});
	for (size_t i = rows->named_begin; i < rows->named_end; i++)
		put_row(writing,
			&(struct backup_row){.kind = BACKUP_ROW_NAMED, .of.named = m->named[i]});
}

static void put_all(struct writing *writing, const struct manifest *m)
{
	struct backup_row row = {.kind = BACKUP_ROW_MADE};
	row.of.made.number = m->number;
	row.of.made.ms = m->ms;
	put(writing, slice_str(first_line));
	put_row(writing, &row);
	for (unsigned i = 0; i < BACKUP_NAME_COUNT; i++) {
		row = (struct backup_row){
			.kind = BACKUP_ROW_FILE, .of.file = {(enum backup_name)i, m->files[i]}};
		if (m->has[i])
			put_row(writing, &row);
	}
	for (size_t i = 0; i < m->segment_count; i++)
		put_segment(writing, m, &m->segments[i]);
	for (size_t i = 0; i < m->large_count; i++)
		put_row(writing,
			&(struct backup_row){.kind = BACKUP_ROW_LARGE, .of.large = m->large[i]});
	put_row(writing, &(struct backup_row){.kind = BACKUP_ROW_END, .of.crc = writing->crc});
}

/* An errno value. */
static int write_new(int dir, const struct manifest *manifest)
{
	int fd = openat(dir, "manifest.new", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	struct writing writing = {.file = fd >= 0 ? fdopen(fd, "w") : NULL};
	if (!writing.file) {
		int e = errno;
		if (fd >= 0)
			(void)close(fd);
		return e;
	}
	put_all(&writing, manifest);
	int e = 0;
	if (fflush(writing.file) != 0 || fsync(fileno(writing.file)) != 0)
		e = errno;
	else if (ferror(writing.file))
		e = EIO;
	if (fclose(writing.file) != 0 && e == 0)
		e = errno;
	return e;
}

enum err manifest_write(int dir, const struct manifest *manifest)
{
	int e = write_new(dir, manifest);
	if (e == 0 && renameat(dir, "manifest.new", dir, "manifest") != 0)
		e = errno;
	if (e == 0)
		e = files_sync_dir(dir);
	if (e)
		log_error("backup: cannot write the manifest: %s", files_text(e));
	return e ? files_err(e) : ERR_OK;
}
