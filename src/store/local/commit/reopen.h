/* SPDX-License-Identifier: Apache-2.0 */
/*
 * After a fault of the disk RocksDB takes no change until it is opened again, and has lost then
 * what was not flushed. So the index is opened again and the log replayed, while nobody reads.
 *
 * First a file is written beside those of the index: as long as the disk is not well, the index
 * stays open, and can be read.
 */
#ifndef STORE_LOCAL_COMMIT_REOPEN_H
#define STORE_LOCAL_COMMIT_REOPEN_H

#include <stdint.h>

#include "base/compiler.h"
#include "base/err.h"

struct local;

/*
 * For the committer, while there is no change. The index, and all counts, are as of `sequence`, the
 * next one of the log. After ERR_OK the index takes changes; ERR_UNAVAILABLE: others read it.
 */
enum err reopen_index(struct local *local, uint64_t sequence) MUST_USE;

#endif
