/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Checks a data folder: that each entry of the index has its bytes, that the log and the large
 * files are all accounted for, and that the log gives the same index. Takes the lock, and changes
 * nothing of the folder; docs/operating.md says what is found and what cannot be.
 *
 * If a process uses the folder, all is checked as of one position of the log, for which it is asked
 * for its index. If it gives none, the entries are those that the log gives. Nothing is removed
 * meanwhile, as while a backup is made.
 */
#ifndef STORE_LOCAL_FSCK_FSCK_H
#define STORE_LOCAL_FSCK_FSCK_H

#include <stdbool.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/err.h"
#include "base/slice.h"

/* Something that is not as it should be. Borrowed while it is told. */
struct fsck_finding {
	const char *what;
	struct slice bucket; /* its name; empty: it is about no bucket, or none that is known */
	struct slice key;    /* empty: it is about no object */
	const char *version; /* its id; "": it is about no version */
	uint64_t part;    /* or 0; of an appendable object one more than where the piece begins */
	const char *file; /* below the data folder; "": it is about no file */
	uint64_t offset;  /* in the file; FSCK_NOWHERE: in no place of it */
};

#define FSCK_NOWHERE UINT64_MAX

struct fsck_options {
	const char *path; /* the data folder */
	const char *temp; /* a folder for an index that is made anew; all is removed in the end */
	/* Told now and then of bytes that were read; false to break off. May be NULL. */
	bool (*progress)(uint64_t done, uint64_t total, void *ctx);
	void (*found)(const struct fsck_finding *finding, void *ctx);
	void *ctx;
};

struct fsck_result {
	uint64_t findings;
	uint64_t objects;  /* current ones */
	uint64_t versions; /* older ones, and markers */
	uint64_t uploads;  /* not complete */
	uint64_t parts;    /* and pieces */
	uint64_t bytes;    /* of all of these, that were compared with their CRC-64 */
	uint64_t records;
	uint64_t unchecked_ranges; /* large files without sums of their blocks */
	uint64_t garbage_bytes;    /* of the log, that no entry needs */
	uint64_t garbage_files;
	uint64_t tail_bytes; /* behind the end of the log: a write that was cut off */
	bool is_compared;    /* the log was found to be enough to be compared with the index */
	bool is_in_use;      /* by another process; then: as of where in the log */
	uint64_t segment;
	uint64_t offset;
};

/* ERR_OK whatever was found. Else it could not be done, or was broken off; logs why. */
enum err fsck(const struct fsck_options *options, struct fsck_result *ret) MUST_USE;

#endif
