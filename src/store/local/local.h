/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The embedded back end: one folder, a log of segments, RocksDB as the index, files of their own
 * for large objects. docs/on-disk.md has the bytes.
 */
#ifndef STORE_LOCAL_LOCAL_H
#define STORE_LOCAL_LOCAL_H

#include "store/local/state/options.h"
#include "store/store.h"

/*
 * Opens or makes the store and recovers what a crash left. One process at a time (a lock file).
 * On failure logs why, in words for whoever runs it, and returns ERR_INTERNAL, or ERR_DISK_FULL.
 */
enum err local_store_open(const struct local_options *options, struct store **ret) MUST_USE;

#endif
