/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where the bytes of an index entry are, and what keeps them readable: a pin on a segment, or an
 * open file. Any thread.
 */
#ifndef STORE_LOCAL_READ_EXTENT_H
#define STORE_LOCAL_READ_EXTENT_H

#include "store/local/index/index.h"
#include "store/store.h"

struct local;

struct extent {
	struct segment *segment; /* pinned, or NULL */
	int fd;                  /* of a file, or -1 */
	unsigned char *sums;     /* a page of its sums, or NULL */
};

enum extent_result {
	EXTENT_OPEN,
	EXTENT_MOVED, /* look the entry up again */
	EXTENT_FAILED,
	EXTENT_DAMAGED, /* the sums of the file are; *ret_blob says of which file, and where */
};

/* Nothing is held yet. */
static inline struct extent extent_none(void)
{
	return (struct extent){.segment = NULL, .fd = -1, .sums = NULL};
}

/*
 * Gets hold of the bytes from `at` on of an entry that is OBJECT_INLINE or OBJECT_FILE; a file may
 * have to wait for the disk. Of a file it gets as many bytes as one page of its sums is about. On
 * EXTENT_OPEN *ret_blob says where they are, until extent_close(). On EXTENT_FAILED the fault has
 * been logged, and *ret_err is the error for the client.
 */
enum extent_result extent_open(struct local *local, const struct entry *entry, uint64_t at,
	struct extent *extent, struct store_blob *ret_blob, enum err *ret_err) MUST_USE;
/* The bytes from `at` on of an OBJECT_FILE that is open already as `fd`, which stays the caller's.
 */
enum extent_result extent_more(int fd, const struct entry *entry, uint64_t at,
	struct extent *extent, struct store_blob *ret_blob, enum err *ret_err) MUST_USE;
void extent_close(struct extent *extent);

/* How far a part list was read, so that reading on need not begin at the first part. */
struct part_reader {
	uint64_t list;   /* 0: none */
	bool appendable; /* the parts' numbers are where they begin */
	uint64_t number; /* a part */
	uint64_t at;     /* and where it begins */
};

/*
 * As extent_open(), for the part with byte `at` of a part list that is held: *ret_blob begins at
 * that byte. May wait for the disk.
 */
enum extent_result part_reader_read(struct local *local, struct part_reader *reader, uint64_t at,
	struct extent *extent, struct store_blob *ret_blob, enum err *ret_err) MUST_USE;

#endif
