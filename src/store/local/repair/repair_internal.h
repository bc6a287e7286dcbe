/* SPDX-License-Identifier: Apache-2.0 */
/* Shared by the files of this room; repair.c says in which order all is done. One thread. */
#ifndef STORE_LOCAL_REPAIR_REPAIR_INTERNAL_H
#define STORE_LOCAL_REPAIR_REPAIR_INTERNAL_H

#include "store/local/index/index.h"
#include "store/local/repair/repair.h"
#include "store/local/state/local_internal.h"
#include "store/store.h"

enum {
	REPAIR_FILE_MAX = 64 /* a file's name below the data folder */
};

struct repair {
	const struct repair_options *options;
	struct repair_result *result;
	struct store *store; /* open, while nothing is removed */
	struct local *local; /* it */
	int lock;            /* forbids removals */
	char *block;         /* VERIFY_BLOCK_BYTES, and as much as a record's data */
	uint64_t *segments;  /* damaged ones */
	size_t segment_count;
	uint64_t done;
	uint64_t total; /* bytes */
	bool broken_off;
};

/* Where something is damaged. */
struct bad_place {
	char file[REPAIR_FILE_MAX];
	uint64_t offset;
	const char *what; /* NULL: nothing is */
};

/* What a row is about. */
struct about {
	enum key_kind kind; /* an object, a version or an upload */
	uint64_t bucket_id;
	struct slice key;
	uint64_t upload;
};

/* ---- check.c ---- */

/* Reads all bytes of an entry, those of its parts included; *ret is the first bad place. */
enum err check_entry(struct repair *r, const struct about *about, const struct entry *entry,
	struct bad_place *ret) MUST_USE;

/* ---- last_segment.c ---- */

/* Before the log is opened; `state` is the index's, or zeros. */
enum err last_segment_mend(int dir, const struct index_state *state) MUST_USE;

/* ---- lost.c ---- */

/* Tells of it, moves all its bytes aside, and takes it out of the store. */
enum err lose(struct repair *r, const struct about *about, const struct entry *entry,
	const struct bad_place *bad) MUST_USE;

/* ---- log.c ---- */

/* Finds the damaged segments, and gives up those that nothing needs any more. */
enum err log_repair(struct repair *r) MUST_USE;

#endif
