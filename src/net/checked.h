/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Remembers which blocks of files a loop has checked a moment ago, so that a block that many
 * requests ask for is not checked for each of them, and can be sent without passing through memory.
 *
 * A block is known for LIMIT_CHECKED_MS, and only as long as the file is not changed. Before
 * sending it the caller makes sure that it is still in the page cache: if it were read from the
 * disk again, it could differ.
 *
 * One thread.
 */
#ifndef NET_CHECKED_H
#define NET_CHECKED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"

struct checked;

/* A file as it is at some time: any change makes it another. */
struct checked_file {
	uint64_t device;
	uint64_t inode;
	int64_t changed_ns;
};

/* NULL without memory. */
struct checked *checked_new(void) MUST_USE;
void checked_free(struct checked *checked);

/*
 * Which file `fd` is; before its bytes are read. False if a change could not be told from the next:
 * it was changed a moment before `now_ns`, the wall clock's time.
 */
bool checked_identify(int fd, int64_t now_ns, struct checked_file *ret) MUST_USE;

/* The blocks that begin at `offset`, a multiple of BLOCK_CHECK_BYTES, fit; the last may be short.
 */
void checked_note(struct checked *checked, const struct checked_file *file, uint64_t offset,
	uint64_t size, int64_t now_ms);

/* How many bytes from `offset` on, `max` at most, lie in blocks that are known. */
uint64_t checked_known(const struct checked *checked, const struct checked_file *file,
	uint64_t offset, uint64_t max, int64_t now_ms) MUST_USE;

#endif
