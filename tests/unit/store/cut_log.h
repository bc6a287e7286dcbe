/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Logs that are made record by record: those of a store's first segment are dealt out to other
 * segments, as if some had been full, or collected.
 */
#ifndef TESTS_STORE_CUT_LOG_H
#define TESTS_STORE_CUT_LOG_H

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "store/local/wal/record.h"
#include "store/local/wal/segment.h"
#include "unit/store/folder.h"

enum {
	CUT_LOG_MAX = 4 << 20, /* bytes that are read */
	CUT_LOG_RECORDS = 512,
};

struct cut_log {
	const char *path;
	char *bytes; /* of the old segment */
	struct record records[CUT_LOG_RECORDS];
	size_t count;
	struct segments *segments; /* the new ones */
	struct segment *to;
	uint64_t at;
	uint64_t sequence; /* of the next record */
};

static inline void cut_log_name(const char *path, uint64_t id, char *ret)
{
	char name[SEGMENT_NAME_BYTES];
	segment_name(id, name);
	(void)snprintf(ret, 2 * FOLDER_PATH_MAX, "%s/segments/%s", path, name);
}

/* Reads the records of the first segment of a closed folder, and removes it and the index. */
static inline void cut_log_begin(struct cut_log *log, const char *path)
{
	char name[2 * FOLDER_PATH_MAX];
	unsigned char header[SEGMENT_HEADER_BYTES];
	uint64_t salt;
	*log = (struct cut_log){.path = path, .bytes = malloc(CUT_LOG_MAX), .sequence = 1};
	cut_log_name(path, 1, name);
	int fd = open(name, O_RDONLY | O_CLOEXEC);
	if (!log->bytes || fd < 0 || pread(fd, header, sizeof(header), 0) != sizeof(header))
		abort();
	memcpy(&salt, header + 32, sizeof(salt));
	ssize_t got = pread(fd, log->bytes, CUT_LOG_MAX, SEGMENT_HEADER_BYTES);
	(void)close(fd);
	struct slice rest = slice_of(log->bytes, got > 0 ? (size_t)got : 0);
	while (log->count < CUT_LOG_RECORDS &&
		record_parse(rest, salt, &log->records[log->count]) == RECORD_OK)
		rest = slice_from(rest, log->records[log->count++].total);
	if (unlink(name) != 0)
		abort();
	(void)snprintf(name, sizeof(name), "%s/index", path);
	folder_remove(name);
	(void)snprintf(name, sizeof(name), "%s/segments", path);
	int dir = open(name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0 || segments_open(dir, 0, &log->segments) != ERR_OK)
		abort();
}

/* Goes on in a new segment. */
static inline void cut_log_segment(struct cut_log *log, uint64_t id)
{
	const struct segment_begin begin = {
		.id = id, .first_sequence = log->sequence, .files_next = 1};
	segment_unpin(log->to);
	if (segment_create(log->segments, &begin, &log->to) != 0)
		abort();
	log->at = SEGMENT_HEADER_BYTES;
}

/* Adds a record with the next sequence; where it lies. */
static inline uint64_t cut_log_add_new(struct cut_log *log, enum record_kind kind,
	uint64_t bucket_id, struct slice name, struct slice meta, struct slice data)
{
	size_t total = record_total(name.len, meta.len, data.len);
	unsigned char *bytes = calloc(1, total);
	uint64_t at = log->at;
	if (!bytes)
		abort();
	record_head(bytes, kind, bucket_id, name.len, meta.len, data.len);
	unsigned char *to = bytes + RECORD_HEADER_BYTES;
	const struct slice pieces[] = {name, meta, data};
	for (size_t i = 0; i < ARRAY_LEN(pieces); i++) {
		if (pieces[i].len)
			memcpy(to, pieces[i].ptr, pieces[i].len);
		to += pieces[i].len;
	}
	record_seal(bytes, log->to->salt, log->sequence, log->sequence, data);
	if (pwrite(log->to->fd, bytes, total, (off_t)at) != (ssize_t)total)
		abort();
	free(bytes);
	log->at += total;
	log->sequence++;
	return at;
}

/* The old record of that number. */
static inline uint64_t cut_log_add(struct cut_log *log, size_t i)
{
	const struct record *old = &log->records[i];
	if (i >= log->count)
		abort();
	return cut_log_add_new(log, old->kind, old->bucket_id, old->name, old->meta, old->data);
}

static inline void cut_log_add_some(struct cut_log *log, size_t from, size_t to)
{
	for (size_t i = from; i < to; i++)
		(void)cut_log_add(log, i);
}

static inline void cut_log_end(struct cut_log *log)
{
	segment_unpin(log->to);
	segments_free(log->segments);
	free(log->bytes);
}

/* Flips bits of a byte of a segment. */
static inline void cut_log_flip_bits(const char *path, uint64_t id, uint64_t at, unsigned char bits)
{
	char name[2 * FOLDER_PATH_MAX];
	unsigned char byte;
	cut_log_name(path, id, name);
	int fd = open(name, O_RDWR | O_CLOEXEC);
	if (fd < 0 || pread(fd, &byte, 1, (off_t)at) != 1)
		abort();
	byte ^= bits;
	if (pwrite(fd, &byte, 1, (off_t)at) != 1 || close(fd) != 0)
		abort();
}

/* Several bits, or the record would be known all the same. */
static inline void cut_log_flip(const char *path, uint64_t id, uint64_t at)
{
	cut_log_flip_bits(path, id, at, 0x15);
}

static inline bool cut_log_has(const char *path, uint64_t id)
{
	char name[2 * FOLDER_PATH_MAX];
	cut_log_name(path, id, name);
	return access(name, F_OK) == 0;
}

#endif
