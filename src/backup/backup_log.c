/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The segments. One that another has followed is whole and stays as it is, so it is copied once.
 * The last may grow while it is read: it is copied up to the last record that was found in it, and
 * again by the next backup.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "backup/backup_internal.h"
#include "base/log.h"
#include "crypto/crc64.h"
#include "store/local/disk/files.h"
#include "store/local/wal/record.h"

struct log_copy {
	struct backup *b;
	int dir;       /* of the segments */
	uint64_t *ids; /* ascending */
	size_t count;
	size_t size;
	uint64_t sequence; /* expected next; 0: not known */
	bool open_end; /* of the segment before it is not known that nothing can be added to it */
	bool ended;    /* what follows does not belong to the backup */
	/* Of the segment that is read: where damage begins and ends. */
	uint64_t damage_from;
	uint64_t damage_to; /* 0: there is none */
};

/* ---- What there is --------------------------------------------------------------------------- */

static bool add_id(struct log_copy *l, uint64_t id)
{
	if (l->count == l->size) {
		size_t size = l->size ? l->size * 2 : 64;
		uint64_t *ids = reallocarray(l->ids, size, sizeof(*ids));
		if (!ids)
			return false;
		l->ids = ids;
		l->size = size;
	}
	l->ids[l->count++] = id;
	return true;
}

static int compare(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a;
	uint64_t y = *(const uint64_t *)b;
	return x < y ? -1 : x > y;
}

/* An errno value. */
static int list_ids(struct log_copy *l, uint64_t *ret_bytes)
{
	struct stat st;
	int fd = openat(l->dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *listing = fd >= 0 ? fdopendir(fd) : NULL;
	if (!listing) {
		int e = errno;
		if (fd >= 0)
			(void)close(fd);
		return e;
	}
	struct dirent *entry;
	int e = 0;
	*ret_bytes = 0;
	while (e == 0 && (entry = readdir(listing)) != NULL) {
		uint64_t id = segment_number(entry->d_name);
		if (id && !add_id(l, id))
			e = ENOMEM;
		if (id && fstatat(l->dir, entry->d_name, &st, 0) == 0)
			*ret_bytes += (uint64_t)st.st_size;
	}
	(void)closedir(listing);
	if (l->count > 1)
		qsort(l->ids, l->count, sizeof(l->ids[0]), compare);
	return e;
}

/* What the segment behind number `i` tells of it. */
struct next {
	uint64_t end;      /* where its records end */
	bool follows;      /* nothing is written to it any more */
	uint64_t sequence; /* would follow its last; 0: not known */
};

/*
 * That the file of the next is there does not say so: if there was no room for what it needs it is
 * removed again. But it has a record only, and there are others behind it only, if the log goes
 * on there.
 */
static struct next look_at_next(const struct log_copy *l, size_t i)
{
	struct next next = {.end = UINT64_MAX};
	enum segment_header header;
	struct segment *segment;
	struct record record;
	if (i + 1 == l->count)
		return next;
	next.follows = i + 2 < l->count || l->ids[i + 1] > l->ids[i] + 1;
	if (segment_open(l->dir, l->ids[i + 1], &header, &segment) != 0)
		return next;
	if (header == SEGMENT_GOOD && l->ids[i + 1] == l->ids[i] + 1) {
		next.sequence = segment->first_sequence;
		next.end = segment->previous_end ? segment->previous_end : UINT64_MAX;
	}
	scan_open(&l->b->scan, segment, SEGMENT_HEADER_BYTES, UINT64_MAX, false);
	if (header == SEGMENT_GOOD && scan_record(&l->b->scan, &record))
		next.follows = true;
	return next;
}

/* ---- Reading one ----------------------------------------------------------------------------- */

static void add_damage(struct log_copy *l, uint64_t from, uint64_t to)
{
	if (l->damage_to == 0)
		l->damage_from = from;
	l->damage_to = to;
	l->b->result->damaged++;
}

static bool is_next(struct log_copy *l, struct record *ret)
{
	return scan_record(&l->b->scan, ret) && ret->sequence == l->sequence;
}

/* Forgets what was read of the file. */
static void read_anew(struct scan *scan)
{
	scan->from = scan->at;
	scan->got = 0;
	scan->ended = false;
}

/*
 * The next record; behind those that are damaged, if there are any. While the segment is written
 * to, what was read may be older than what is there. But when a later group commit is seen, all
 * before it was written.
 */
static bool next_record(struct log_copy *l, struct record *ret)
{
	struct scan *scan = &l->b->scan;
	uint64_t at = scan->at;
	if (is_next(l, ret))
		return true;
	bool later = !scan->fault && scan_find_later(scan, l->sequence, ret);
	scan->at = at;
	read_anew(scan);
	if (scan->fault)
		return false;
	if (is_next(l, ret))
		return true;
	if (!later || !scan_find_later(scan, l->sequence, ret))
		return false;
	add_damage(l, at, scan->at);
	log_error("backup: segment %016" PRIx64 " is damaged at byte %" PRIu64 ": changes %" PRIu64
		  " to %" PRIu64 " cannot be read",
		scan->segment->id, at, l->sequence, ret->sequence - 1);
	return true;
}

static bool note_named(struct log_copy *l, const struct record *record)
{
	struct object_meta meta;
	if (record->kind == RECORD_BUCKET || record->kind == RECORD_BUCKET_DELETE ||
		record->kind == RECORD_ENDED || !object_meta_parse(record->meta, &meta) ||
		meta.place != OBJECT_FILE)
		return true;
	const struct backup_named named = {
		meta.file, meta.object.size, meta.object.crc64, meta.has_sums};
	return manifest_add_named(&l->b->now, &named);
}

/*
 * Whether records are missing at its end. The sequences do not tell if the segment behind is gone;
 * but then there are zeros only.
 */
static void check_end(struct log_copy *l, const struct next *next)
{
	struct scan *scan = &l->b->scan;
	uint64_t end = UINT64_MAX;
	bool damaged = next->sequence ? next->sequence > l->sequence : scan_find_bytes(scan, &end);
	if (!damaged)
		return;
	add_damage(l, scan->at, end);
	if (next->sequence)
		log_error("backup: the end of segment %016" PRIx64 " is damaged: changes %" PRIu64
			  " to %" PRIu64 " cannot be read",
			scan->segment->id, l->sequence, next->sequence - 1);
	else
		log_error("backup: the end of segment %016" PRIx64 " is damaged at byte %" PRIu64
			  ": changes from %" PRIu64 " on cannot be read",
			scan->segment->id, scan->at, l->sequence);
}

/* What it was may have been zeros. */
static void check_unread(struct log_copy *l)
{
	const struct scan *scan = &l->b->scan;
	const struct files_bad *bad = &scan->bad;
	if (bad->bytes == 0)
		return;
	log_error("backup: the disk cannot read segment %016" PRIx64 " at byte %" PRIu64,
		scan->segment->id, bad->first);
	if (l->damage_to == 0)
		add_damage(l, bad->first, bad->first + bad->bytes);
}

/*
 * Takes over the pin. With a damaged header the records may still be there: the first says which
 * it is. Without any nothing is known of their sequences.
 */
static enum err read_records(
	struct log_copy *l, struct segment *segment, bool good, const struct next *next)
{
	struct scan *scan = &l->b->scan;
	struct record record;
	scan_open(scan, segment, SEGMENT_HEADER_BYTES, next->end, next->follows);
	l->sequence = good ? segment->first_sequence : 0;
	if (!good && scan_record(scan, &record))
		l->sequence = record.sequence;
	while (next_record(l, &record)) {
		if (!note_named(l, &record)) {
			log_error("backup: no memory");
			return ERR_UNAVAILABLE;
		}
		l->sequence = record.sequence + 1;
		scan_next(scan, &record);
	}
	if (l->sequence && next->follows)
		check_end(l, next);
	check_unread(l);
	if (!scan->fault)
		return ERR_OK;
	log_error("backup: cannot read segment %016" PRIx64 ": %s", segment->id,
		files_text(scan->fault));
	return ERR_INTERNAL;
}

/* ---- Copying one ----------------------------------------------------------------------------- */

static bool sum_tail(int fd, uint64_t bytes, uint64_t *ret)
{
	char tail[BACKUP_TAIL_BYTES];
	size_t want = bytes < sizeof(tail) ? (size_t)bytes : sizeof(tail);
	size_t got;
	if (files_read(fd, tail, want, bytes - want, &got) != 0 || got != want)
		return false;
	*ret = crc64_update(0, slice_of(tail, got));
	return true;
}

/* The copy that the backup before has of it, which nothing has been added to since. */
static const struct backup_segment_rows *find_copy(
	const struct backup *b, const struct segment *segment, uint64_t bytes)
{
	char path[BACKUP_PATH_MAX];
	uint64_t tail;
	const struct backup_segment_rows *old = manifest_segment(&b->before, segment->id);
	if (!old || !old->segment.is_final || old->segment.salt != segment->salt ||
		old->segment.copy.bytes != bytes)
		return NULL;
	folder_segment_path(segment->id, old->segment.copy.made, path);
	bool same = sum_tail(segment->fd, bytes, &tail) && tail == old->segment.tail &&
		    folder_has(b->to, path, &old->segment.copy);
	return same ? old : NULL;
}

static enum err keep_copy(struct backup *b, const struct backup_segment_rows *old)
{
	bool ok = manifest_add_segment(&b->now, &old->segment);
	for (size_t i = old->named_begin; i < old->named_end && ok; i++)
		ok = manifest_add_named(&b->now, &b->before.named[i]);
	if (!ok) {
		log_error("backup: no memory");
		return ERR_UNAVAILABLE;
	}
	backup_count(b, &old->segment.copy);
	backup_add_progress(b, old->segment.copy.bytes);
	return ERR_OK;
}

/* The whole segment as it is. */
static enum err copy_all(
	struct backup *b, const struct segment *segment, int to, struct backup_copy *copy)
{
	copy->crc = 0;
	return copy_bytes(&b->copy, segment->fd, to, 0, copy->bytes, &copy->crc);
}

/* Likewise, but its beginning as an older copy has it. */
static enum err copy_behind(struct backup *b, const struct segment *segment,
	const struct backup_segment *old, int to, struct backup_copy *copy)
{
	char path[BACKUP_PATH_MAX];
	folder_segment_path(old->id, old->copy.made, path);
	SCOPED_FD int from = openat(b->to, path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (from < 0)
		return copy_all(b, segment, to, copy);
	copy->crc = 0;
	enum err e = copy_bytes(&b->copy, from, to, 0, old->copy.bytes, &copy->crc);
	if (e == ERR_OK && copy->crc != old->copy.crc) {
		log_error("backup: the copy in the backup before is damaged, too");
		return copy_all(b, segment, to, copy);
	}
	return e == ERR_OK ? copy_bytes(&b->copy, segment->fd, to, old->copy.bytes, copy->bytes,
				     &copy->crc)
			   : e;
}

/* Of the copy, which need not be the segment's. */
static bool sum_copied_tail(struct backup *b, const char *path, struct backup_segment *row)
{
	SCOPED_FD int fd = openat(b->to, path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	return fd >= 0 && sum_tail(fd, row->copy.bytes, &row->tail);
}

/* `old` is NULL, or a copy of its beginning that is better. */
static enum err write_copy(struct backup *b, const struct segment *segment, uint64_t bytes,
	const struct backup_segment *old)
{
	char path[BACKUP_PATH_MAX];
	char name[BACKUP_PATH_MAX];
	int to;
	struct backup_segment *row = &b->now.segments[b->now.segment_count - 1].segment;
	row->copy.bytes = bytes;
	folder_segment_path(segment->id, row->copy.made, path);
	(void)snprintf(name, sizeof(name), "segment %016" PRIx64, segment->id);
	enum err e = copy_create(b->to, path, &to);
	if (e != ERR_OK)
		return e;
	b->copy.path = name;
	e = old ? copy_behind(b, segment, old, to, &row->copy)
		: copy_all(b, segment, to, &row->copy);
	enum err closed = copy_close(to, path);
	if (e == ERR_OK)
		e = closed;
	if (e == ERR_OK && !sum_copied_tail(b, path, row)) {
		log_error("backup: cannot read %s", name);
		e = ERR_INTERNAL;
	}
	backup_count(b, &row->copy);
	return e;
}

static uint64_t file_size(const struct segment *segment, uint64_t end)
{
	struct stat st;
	uint64_t size = fstat(segment->fd, &st) == 0 ? (uint64_t)st.st_size : 0;
	return size < end ? size : end;
}

/*
 * Of a segment that is damaged now: the copy that the backup before has of it, or of its beginning,
 * as far as it was written then. NULL if there is none.
 */
static const struct backup_segment_rows *find_older(
	const struct log_copy *l, const struct segment *segment, bool good, uint64_t bytes)
{
	char path[BACKUP_PATH_MAX];
	uint64_t tail;
	const struct backup_segment_rows *rows = manifest_segment(&l->b->before, segment->id);
	if (!rows)
		return NULL;
	const struct backup_segment *old = &rows->segment;
	uint64_t end = old->copy.bytes;
	/* Behind its end nothing is better. */
	if ((good && old->salt != segment->salt) || end > bytes || l->damage_from >= end)
		return NULL;
	folder_segment_path(segment->id, old->copy.made, path);
	if (!folder_has(l->b->to, path, &old->copy))
		return NULL;
	uint64_t tail_at = end > BACKUP_TAIL_BYTES ? end - BACKUP_TAIL_BYTES : 0;
	bool same = sum_tail(segment->fd, end, &tail) && tail == old->tail;
	return same || l->damage_to > tail_at ? rows : NULL;
}

static enum err copy_damaged(struct log_copy *l, const struct segment *segment,
	const struct backup_segment_rows *old, uint64_t bytes, bool follows)
{
	struct backup *b = l->b;
	bool ok = true;
	struct backup_segment *row = &b->now.segments[b->now.segment_count - 1].segment;
	log_error("backup: %s of it in the backup before is kept",
		old->segment.copy.bytes == bytes ? "the copy" : "the copy of the beginning");
	for (size_t i = old->named_begin; i < old->named_end && ok; i++)
		ok = manifest_add_named(&b->now, &b->before.named[i]);
	if (!ok) {
		log_error("backup: no memory");
		return ERR_UNAVAILABLE;
	}
	row->salt = old->segment.salt;
	if (old->segment.copy.bytes < bytes) {
		row->is_final = follows && l->damage_to <= old->segment.copy.bytes;
		return write_copy(b, segment, bytes, &old->segment);
	}
	*row = old->segment;
	row->is_final = row->is_final && follows;
	backup_count(b, &row->copy);
	backup_add_progress(b, bytes);
	return ERR_OK;
}

/* A pin that is taken over, with a good header or a damaged one. */
static enum err copy_segment(
	struct log_copy *l, struct segment *segment, bool good, const struct next *next)
{
	struct backup *b = l->b;
	uint64_t bytes = file_size(segment, next->end);
	const struct backup_segment row = {
		.id = segment->id, .salt = segment->salt, .copy.made = b->now.number};
	if (!manifest_add_segment(&b->now, &row)) {
		log_error("backup: no memory");
		segment_unpin(segment);
		return ERR_UNAVAILABLE;
	}
	/* The scan keeps the pin until the next segment. */
	l->damage_to = 0;
	if (!good) {
		add_damage(l, 0, SEGMENT_HEADER_BYTES);
		log_error("backup: the header of segment %016" PRIx64 " is damaged", segment->id);
	}
	enum err e = read_records(l, segment, good, next);
	if (e != ERR_OK)
		return e;
	if (good && !next->follows)
		bytes = b->scan.at;
	const struct backup_segment_rows *old =
		l->damage_to ? find_older(l, segment, good, bytes) : NULL;
	if (old)
		return copy_damaged(l, segment, old, bytes, next->follows);
	b->now.segments[b->now.segment_count - 1].segment.is_final =
		next->follows && l->damage_to == 0;
	return write_copy(b, segment, bytes, NULL);
}

/* ---- All of them ----------------------------------------------------------------------------- */

static enum err open_failed(struct log_copy *l, size_t i, int e)
{
	/* It was being made, and could not be. */
	if (e == ENOENT && l->open_end) {
		l->ended = true;
		return ERR_OK;
	}
	log_error("backup: cannot open segment %016" PRIx64 ": %s", l->ids[i], files_text(e));
	return files_err(e);
}

static enum err take_segment(struct log_copy *l, size_t i)
{
	enum segment_header header;
	struct segment *segment;
	const struct next next = look_at_next(l, i);
	int e = segment_open(l->dir, l->ids[i], &header, &segment);
	if (e)
		return open_failed(l, i, e);
	bool good = header == SEGMENT_GOOD;
	/*
	 * It may be being made; and if it was begun after the end of the one before was read, what
	 * came between is not in the backup.
	 */
	l->ended = (header == SEGMENT_BEGINNING && i + 1 == l->count) ||
		   (good && l->open_end && segment->first_sequence != l->sequence);
	if (l->ended) {
		segment_unpin(segment);
		return ERR_OK;
	}
	l->open_end = !next.follows && good;
	const struct backup_segment_rows *old =
		good && next.follows ? find_copy(l->b, segment, file_size(segment, next.end))
				     : NULL;
	if (!old)
		return copy_segment(l, segment, good, &next);
	l->sequence = 0;
	segment_unpin(segment);
	return keep_copy(l->b, old);
}

enum err backup_log(struct backup *b)
{
	struct log_copy l = {.b = b};
	SCOPED_FREE uint64_t *ids = NULL;
	SCOPED_FD int dir = openat(b->data, "segments", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	uint64_t bytes = 0;
	l.dir = dir;
	if (dir < 0 && errno == ENOENT && !b->now.has[BACKUP_FORMAT])
		return ERR_OK;
	int e = dir >= 0 ? list_ids(&l, &bytes) : errno;
	ids = l.ids;
	if (e) {
		log_error("backup: cannot list the segments: %s", files_text(e));
		return files_err(e);
	}
	enum err err = ERR_OK;
	backup_begin_part(b, "the log", bytes);
	for (size_t i = 0; i < l.count && err == ERR_OK && !l.ended; i++)
		err = take_segment(&l, i);
	return err;
}
