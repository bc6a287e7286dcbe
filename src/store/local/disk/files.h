/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reading and writing whole ranges of files. Each returns 0 or an errno value; none logs.
 */
#ifndef STORE_LOCAL_DISK_FILES_H
#define STORE_LOCAL_DISK_FILES_H

#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

#include "base/compiler.h"
#include "base/err.h"

/* Writes all of `iov` at `offset`; the array is changed. Any number of pieces. */
int files_write(int fd, struct iovec *iov, size_t count, uint64_t offset) MUST_USE;

/* Reads `len` bytes, or fewer where the file ends; *ret_got says how many. */
int files_read(int fd, void *to, size_t len, uint64_t offset, size_t *ret_got) MUST_USE;

/* Places that a disk cannot read any more. */
struct files_bad {
	uint64_t first; /* where in the file, and */
	uint64_t bytes; /* 0: there are none */
};

/*
 * Likewise, for who looks at what is left: zeros take the place of what the disk cannot read, which
 * is added to *bad.
 */
int files_read_around(int fd, void *to, size_t len, uint64_t offset, size_t *ret_got,
	struct files_bad *bad) MUST_USE;

/* Makes a directory's entries durable. */
int files_sync_dir(int dir) MUST_USE;

/* Opens a directory below `at`, making it (0700) if it is not there; *ret is the descriptor. */
int files_open_dir(int at, const char *name, int *ret) MUST_USE;

/* The error of the store for an errno value: ERR_DISK_FULL, ERR_UNAVAILABLE, ERR_INTERNAL. */
enum err files_err(int errno_value);
/* Its text. */
const char *files_text(int errno_value);

/*
 * Bytes that are left on the file system of an open file or folder. Very many without an answer:
 * the disk itself has to say that it is full. Some file systems say that they have no blocks at
 * all, which is none.
 */
uint64_t files_left(int fd);

#endif
