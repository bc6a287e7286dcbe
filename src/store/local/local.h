/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The embedded back end: one folder, a log of segments, RocksDB as the index, files of their own
 * for large objects. docs/on-disk.md has the bytes.
 */
#ifndef STORE_LOCAL_LOCAL_H
#define STORE_LOCAL_LOCAL_H

#include "base/clock.h"
#include "store/store.h"

struct local_options {
	const char *path;             /* the folder; made (0700) if it is not there */
	const struct clock *clock;    /* for times of buckets and objects; outlives the store */
	uint64_t segment_bytes;       /* 0: 256 MiB */
	uint64_t reserve_bytes;       /* changes are refused below this much free disk; 0: none */
	unsigned writers;             /* threads for large objects; 0: 4 */
	uint64_t gc_bytes_per_second; /* 0: 32 MiB */
	unsigned gc_interval_ms;      /* 0: 10000 */
};

/*
 * Opens or makes the store and recovers what a crash left. One process at a time (a lock file).
 * On failure logs why, in words for whoever runs it, and returns ERR_INTERNAL, or ERR_DISK_FULL.
 */
enum err local_store_open(const struct local_options *options, struct store **ret) MUST_USE;

#endif
