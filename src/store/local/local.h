/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The embedded back end: one folder with a write-ahead log of segments, RocksDB as the index, and a
 * file for each large object. docs/on-disk.md has the formats.
 */
#ifndef STORE_LOCAL_LOCAL_H
#define STORE_LOCAL_LOCAL_H

#include "store/local/state/options.h"
#include "store/store.h"

/*
 * Opens or makes the store and recovers what a crash left. One process at a time (a lock file). On
 * failure logs why, in words for the operator, and returns ERR_INTERNAL, or ERR_DISK_FULL.
 */
enum err local_store_open(const struct local_options *options, struct store **ret) MUST_USE;

/* The folder of a store that was opened with `copy_of`, and is closed, has all. Logs why not. */
enum err local_end_copy(const char *path) MUST_USE;

#endif
