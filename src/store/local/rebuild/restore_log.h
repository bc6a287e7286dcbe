/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads all of a log, in order, and puts what it says into an empty index. Nothing in the folder is
 * changed. Used to make the index anew (rebuild.h), and to check that this would give the same
 * index (store/local/fsck).
 *
 * One thread at a time.
 */
#ifndef STORE_LOCAL_REBUILD_RESTORE_LOG_H
#define STORE_LOCAL_REBUILD_RESTORE_LOG_H

#include "store/local/apply/index_batch.h"
#include "store/local/wal/walk.h"

/* A place of the log where records are missing, or damaged. */
struct restore_gap {
	uint64_t segment;
	uint64_t begin; /* bytes of the segment */
	uint64_t end;   /* of them: where the next good record is, or the file ends */
	uint64_t first; /* the sequences that are missing, if they are known */
	uint64_t next;  /* the first that is not; 0: not known, for the next segment is gone */
	bool is_header; /* it is the segment's header alone */
	bool is_unread; /* the disk cannot read it; damaged records are told besides */
	bool is_good;   /* it is one record that is whole, and cannot be applied */
	bool is_known;  /* it is one record, and what it said was found out (wal/mend.h) */
};

struct restore_watch {
	/* Told now and then of bytes that were read; false to break off. */
	bool (*progress)(uint64_t done, uint64_t total, void *ctx);
	/* Each record that is whole. */
	void (*record)(const struct record *record, const struct location *where, void *ctx);
	/* Each segment, after its last record, which ends at `at`. */
	void (*ended)(struct segment *segment, uint64_t at, uint64_t end, void *ctx);
	void (*gap)(const struct restore_gap *gap, void *ctx);
	void *ctx;
};

struct restore_log {
	/* The caller's; all borrowed. */
	struct segments *segments;
	struct index *index; /* empty; NULL: the records are only read */
	uint64_t since;      /* records before that sequence say nothing */
	/* Where it ends, if somebody else writes on; all before is whole. 0: where the log does. */
	uint64_t end_segment;
	uint64_t end_offset;
	const struct restore_watch *watch; /* its functions may be NULL, but gap */
	/* What was found: */
	uint64_t records;
	uint64_t lost;       /* places of the log that say nothing */
	uint64_t known;      /* damaged records that say what they said */
	uint64_t files_next; /* no record names a large file with this number, or a greater one */
	struct walk walk;    /* the sequence of the next record, and where the last one ends */
	struct buckets *buckets;
	struct index_batch *batch; /* NULL without an index */
	bool broken_off;
	/* Its own: */
	uint64_t total;
	uint64_t done;
	uint64_t last_segment;
	uint64_t last_end;  /* of its records */
	uint64_t last_tail; /* of what is behind them and no zeros; 0: nothing */
	unsigned applied;
};

/*
 * Reads the log, and writes the index; the caller has set its members, and all others are zero.
 * An error if it was broken off. Faults of the disk are logged.
 */
enum err restore_log_read(struct restore_log *r) MUST_USE;
/* Frees what it made; before the index is closed. */
void restore_log_release(struct restore_log *r);

#endif
