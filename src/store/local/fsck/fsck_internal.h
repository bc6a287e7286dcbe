/* SPDX-License-Identifier: Apache-2.0 */
/* Shared by the files of this room; fsck.c says in which order all is done. One thread. */
#ifndef STORE_LOCAL_FSCK_FSCK_INTERNAL_H
#define STORE_LOCAL_FSCK_FSCK_INTERNAL_H

#include "store/local/fsck/fsck.h"
#include "store/local/index/index.h"
#include "store/local/rebuild/restore_log.h"
#include "store/local/state/folder.h"
#include "store/local/wal/record.h"
#include "store/local/wal/segment.h"

enum {
	FSCK_PATH_MAX = 4096,
	FSCK_FILE_MAX = 64, /* a file's name below the data folder */
};

/* Numbers that are gathered, then sorted. */
struct numbers {
	uint64_t *each;
	size_t count;
	size_t size;
};

/* A place of the log that says nothing. */
struct gap {
	struct restore_gap what;
	bool told; /* of an entry that lies there */
};

struct segment_sum {
	uint64_t id;
	uint64_t records; /* bytes */
	uint64_t live;
};

/* What a finding is about. */
struct subject {
	uint64_t bucket_id; /* 0: nothing */
	struct slice key;
	const struct store_object *object; /* NULL: no version */
	uint64_t part;                     /* as in struct fsck_finding */
};

struct fsck {
	const struct fsck_options *options;
	struct fsck_result *result;
	int dir;
	int lock;
	int control; /* while it is open the process keeps a copy of its index; -1: it has given
			none */
	char temp[FSCK_PATH_MAX]; /* ours; empty: not made yet */
	struct folder_format format;
	struct segments *segments;
	struct index *index;   /* the folder's, as of the end of the log; NULL: it cannot be read */
	struct index *rebuilt; /* what the log gives; NULL: the log does not have all */
	struct index *from;    /* that whose entries are checked */
	struct buckets *buckets;  /* of `from` */
	struct index_state state; /* of the folder's index, before the log was replayed */
	struct restore_log log;
	struct gap *gaps;
	size_t gap_count;
	struct segment_sum *sums; /* ascending */
	size_t sum_count;
	struct numbers part_lists; /* that entries refer to */
	struct numbers files;      /* that entries refer to */
	char *record;              /* RECORD_MAX */
	char *block;               /* FSCK_BLOCK_BYTES */
	uint64_t done;
	uint64_t total; /* bytes */
	uint64_t tail_segment;
	uint64_t tail_at;
	bool index_is_damaged; /* it was told */
	bool broken_off;
	enum err err; /* the first */
};

#define FSCK_BLOCK_BYTES ((size_t)1 << 20)

/* ---- tell.c ---- */

void fsck_tell(struct fsck *f, const struct subject *about, const char *file, uint64_t offset,
	const char *what);
void fsck_tell_segment(struct fsck *f, const struct subject *about, uint64_t segment,
	uint64_t offset, const char *what);
/* Bytes that were read. False: it is to be broken off. */
bool fsck_progress(struct fsck *f, uint64_t bytes);
/* It cannot go on. */
void fsck_fail(struct fsck *f, enum err e);
void numbers_add(struct fsck *f, struct numbers *numbers, uint64_t number);
void numbers_sort(struct numbers *numbers);
bool numbers_have(const struct numbers *numbers, uint64_t number);

/* ---- in_use.c ---- */

/* Takes the lock of the folder. If another process has it, forbids it to remove anything instead.
 */
enum err in_use_lock(struct fsck *f);
/* Asks that process for its index, before the segments are opened. */
void in_use_ask(struct fsck *f);
/* All is checked as of the position that the process' index has. */
void in_use_take_end(struct fsck *f);
/* Or finds one, once the segments are open. */
enum err in_use_find_end(struct fsck *f);

/* ---- temporary.c ---- */

enum err temporary_make(struct fsck *f);
/* Opens what may be changed in the place of the folder's index; false if there is none. */
bool temporary_index(struct fsck *f);
enum err temporary_rebuilt(struct fsck *f);
void temporary_remove(struct fsck *f);

/* ---- replay.c ---- */

/* Brings the index to the end of the log. */
enum err replay_tail(struct fsck *f);

/* ---- log.c ---- */

/* Reads all of the log, into the index that is made anew. */
enum err log_check(struct fsck *f);
/* Whether the record there is damaged, even if what it says is known. */
bool log_is_damaged(struct fsck *f, const struct location *where) MUST_USE;
/* Tells of the gaps in which no entry was found. */
void log_tell_gaps(struct fsck *f);
/*
 * Reads one record again. With `entry` its data are the bytes of that. False if it is damaged,
 * which was told.
 */
bool log_check_record(struct fsck *f, const struct location *where, const struct subject *about,
	const struct entry *entry);

/* ---- compare.c ---- */

enum pair {
	PAIR_SAME,
	PAIR_UNKNOWN,   /* there is nothing to compare it with */
	PAIR_DIFFERENT, /* the log gives another value */
	PAIR_ONLY_INDEX,
	PAIR_ONLY_LOG,
};

/* Calls `row` for each row of either index whose key has the prefix; stops once it fails. */
void pair_walk(struct fsck *f, const struct key *prefix,
	void (*row)(
		struct fsck *f, enum pair pair, struct slice rest, struct slice value, void *ctx),
	void *ctx);
/* The rows that no entry is made of. */
void compare_rest(struct fsck *f);

/* ---- file.c ---- */

bool file_check(struct fsck *f, const struct object_meta *meta, const struct subject *about);

/* ---- entries.c ---- */

void entries_check(struct fsck *f);

/* ---- sums.c, folder.c ---- */

void sums_hold(struct fsck *f, const struct location *where);
void sums_check(struct fsck *f);
void folder_check_files(struct fsck *f);

#endif
