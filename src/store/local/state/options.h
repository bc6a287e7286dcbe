/* SPDX-License-Identifier: Apache-2.0 */
/* What the embedded back end is opened with; local_store_open() takes it. */
#ifndef STORE_LOCAL_STATE_OPTIONS_H
#define STORE_LOCAL_STATE_OPTIONS_H

#include <stdint.h>

#include "base/clock.h"

struct local_options {
	const char *path;             /* the folder; made (0700) if it is not there */
	const struct clock *clock;    /* for times of buckets and objects; outlives the store */
	uint64_t segment_bytes;       /* 0: 256 MiB */
	uint64_t reserve_bytes;       /* changes are refused below this much free disk; 0: none */
	unsigned writers;             /* threads for large objects; 0: 4 */
	uint64_t gc_bytes_per_second; /* 0: 32 MiB */
	unsigned gc_interval_ms;      /* 0: 10000 */
	uint64_t scrub_bytes_per_second; /* 0: nothing is checked in the background */
	uint64_t scrub_interval_ms;      /* from pass to pass; 0: a week */
	/*
	 * The folder is filled with what another store has (src/copy), of which this is a name: it
	 * must be a new one, or one that was begun with the same; nobody else opens it until
	 * local_end_copy(). Its numbers begin above all that other stores have given by now. NULL:
	 * it is not. Read while the store is opened.
	 */
	const char *copy_of;
};

#endif
