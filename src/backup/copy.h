/* SPDX-License-Identifier: Apache-2.0 */
/* Copies bytes of files, and sums what was read: CRC-64/XZ. */
#ifndef BACKUP_COPY_H
#define BACKUP_COPY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/err.h"

struct copy {
	const char *path; /* of what is read, for what is logged; the caller's */
	char *buffer;
	uint64_t bad_bytes; /* that the disk could not read, in all */
	/* Told of the bytes that were read; may be NULL. */
	void (*progress)(uint64_t bytes, void *ctx);
	void *ctx;
};

/* False without memory. */
bool copy_init(struct copy *copy) MUST_USE;
void copy_release(struct copy *copy);

/*
 * Copies from `begin` to `end` of `from` to the same place of `to`; with `to` -1 they are only
 * read. *crc goes on behind what it was of. Bytes that are missing are a failure; those that the
 * disk cannot read are none, but zeros, which is logged and counted. Logs why on failure.
 */
enum err copy_bytes(
	struct copy *copy, int from, int to, uint64_t begin, uint64_t end, uint64_t *crc) MUST_USE;

/*
 * Makes the file `path` below `dir`, mode 0600 and empty, and the folder it lies in if that is not
 * there; *ret is open for writing. copy_close() makes it durable, but not its name. Log why on
 * failure.
 */
enum err copy_create(int dir, const char *path, int *ret) MUST_USE;
enum err copy_close(int fd, const char *path) MUST_USE;

/* Makes all that was written to the file system of `dir` durable. Logs why on failure. */
enum err copy_sync(int dir) MUST_USE;

#endif
