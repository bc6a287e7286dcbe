/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The file `manifest` of a backup: what belongs to it, line by line, with the sums of all files.
 * docs/on-disk.md has the format. A line is parsed alone and trusted in nothing: names come from a
 * list, all else are numbers.
 */
#ifndef BACKUP_MANIFEST_H
#define BACKUP_MANIFEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/slice.h"

/* The files that are copied whole, by their number here. */
enum backup_name {
	BACKUP_FORMAT,
	BACKUP_ACCESS_KEYS,
	BACKUP_STS_KEY,
	BACKUP_CALLBACK_KEY,
	BACKUP_CALLBACKS,
	BACKUP_LEDGER,
	BACKUP_NAME_COUNT,
};

/* What a file is called in the data folder. */
const char *backup_name_text(enum backup_name name);

/* Each copy is in a file whose name has the number of the backup that made it. */
struct backup_copy {
	uint64_t made;  /* that number */
	uint64_t bytes; /* of the file */
	uint64_t crc;   /* CRC-64/XZ of them */
};

struct backup_file {
	enum backup_name name;
	struct backup_copy copy;
};

struct backup_segment {
	uint64_t id;
	uint64_t salt;
	struct backup_copy copy;
	uint64_t tail; /* CRC-64/XZ of its last BACKUP_TAIL_BYTES */
	bool is_final; /* whole, and nothing can be added to it: it need not be copied again */
};

enum {
	BACKUP_TAIL_BYTES = 4096
};

/* A large file that a record of the segment before it in the manifest names. */
struct backup_named {
	uint64_t number;
	uint64_t size; /* of the object's bytes, and their CRC-64/XZ */
	uint64_t crc;
	bool has_sums;
};

struct backup_large {
	uint64_t number;
	uint64_t size; /* as above */
	uint64_t crc;
	struct backup_copy copy;
	bool is_good; /* it fitted them when it was copied */
};

enum backup_row_kind {
	BACKUP_ROW_MADE,
	BACKUP_ROW_FILE,
	BACKUP_ROW_SEGMENT,
	BACKUP_ROW_NAMED,
	BACKUP_ROW_LARGE,
	BACKUP_ROW_END,
};

struct backup_row {
	enum backup_row_kind kind;
	union {
		struct {
			uint64_t number;
			uint64_t ms; /* since 1970 UTC, when it was begun */
		} made;
		struct backup_file file;
		struct backup_segment segment;
		struct backup_named named;
		struct backup_large large;
		uint64_t crc; /* of BACKUP_ROW_END: of all lines before it */
	} of;
};

/* A line without its line feed. False if it is none. */
bool backup_row_parse(struct slice line, struct backup_row *ret) MUST_USE;

enum {
	BACKUP_ROW_MAX = 256 /* bytes of a line */
};

/* Writes the line, with a line feed, into BACKUP_ROW_MAX bytes; its length. */
size_t backup_row_write(const struct backup_row *row, char *to);

struct backup_segment_rows {
	struct backup_segment segment;
	size_t named_begin; /* of `named` */
	size_t named_end;
};

/* All of it, in memory. Begins as zeros. */
struct manifest {
	uint64_t number;
	uint64_t ms;
	bool has[BACKUP_NAME_COUNT];
	struct backup_copy files[BACKUP_NAME_COUNT];
	struct backup_segment_rows *segments; /* ascending, and so are the large files */
	size_t segment_count, segment_size;
	struct backup_named *named;
	size_t named_count, named_size;
	struct backup_large *large;
	size_t large_count, large_size;
};

void manifest_release(struct manifest *manifest);

/* False without memory. */
bool manifest_add_segment(struct manifest *manifest, const struct backup_segment *segment) MUST_USE;
/* Of the segment that was added last. */
bool manifest_add_named(struct manifest *manifest, const struct backup_named *named) MUST_USE;
bool manifest_add_large(struct manifest *manifest, const struct backup_large *large) MUST_USE;

/* NULL if there is none. */
const struct backup_segment_rows *manifest_segment(const struct manifest *manifest, uint64_t id);
const struct backup_large *manifest_large(const struct manifest *manifest, uint64_t number);

/*
 * Reads the one of the folder `dir`, which is called `path` in what is logged on failure.
 * *ret_found false: there is none. The caller releases *ret, also after a failure.
 */
enum err manifest_read(int dir, const char *path, struct manifest *ret, bool *ret_found) MUST_USE;
/* Replaces it, durably, when all that it names is on the disk. Logs why on failure. */
enum err manifest_write(int dir, const struct manifest *manifest) MUST_USE;

#endif
