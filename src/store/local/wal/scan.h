/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads the records of a segment one after the other, through a window of a few MiB.
 * One thread at a time.
 */
#ifndef STORE_LOCAL_WAL_SCAN_H
#define STORE_LOCAL_WAL_SCAN_H

#include "store/local/disk/files.h"
#include "store/local/wal/record.h"
#include "store/local/wal/segment.h"

struct scan {
	struct segment *segment; /* pinned */
	uint64_t end;            /* of its records; what follows does not count */
	bool is_sealed;          /* another one follows: all of its group commits are whole */
	char *window;
	uint64_t from; /* where in the file the window begins */
	size_t got;    /* bytes in it */
	bool ended;    /* the file ends with the window */
	uint64_t at;   /* of the next record */
	int fault;     /* an errno value: reading failed, so that no record is not the end */
	/* The caller's: what the disk cannot read is no fault but damage. */
	bool reads_around;
	struct files_bad bad; /* since the scan was opened; what was read twice counts twice */
};

/* False without memory. Begins with no segment. */
bool scan_init(struct scan *scan) MUST_USE;
void scan_release(struct scan *scan);

/* Goes to `at` of `segment`, whose pin is taken over; its records end at `end`, or before. */
void scan_open(
	struct scan *scan, struct segment *segment, uint64_t at, uint64_t end, bool is_sealed);
/* The same for a segment of `segments`, which know its end and whether it is sealed. */
void scan_open_in(
	struct scan *scan, struct segments *segments, struct segment *segment, uint64_t at);

/* The record at scan->at; it is valid until the scan moves. False if there is no good one. */
bool scan_record(struct scan *scan, struct record *ret) MUST_USE;
/* The record at scan->at, which ends at `end` at most, if one bit of it was flipped (mend.h). */
bool scan_mend(struct scan *scan, uint64_t end, struct record *ret) MUST_USE;
/* The same if it is the bytes of an object that are damaged. */
bool scan_split_bad_data(struct scan *scan, uint64_t end, struct record *ret) MUST_USE;
/* Goes on behind it. */
void scan_next(struct scan *scan, const struct record *record);
/* Whether reading the next record will move the window, and so what records point to. */
bool scan_will_move(const struct scan *scan);
/*
 * After a bad record, or a good one that is not the one expected: searches this segment, from there
 * on, for the next record, with a sequence above `sequence`, that counts. Records of the group
 * commit that the bad one was in count only if a later group commit or segment shows that it had
 * been written whole. True, with the scan at the record found.
 */
bool scan_find_later(struct scan *scan, uint64_t sequence, struct record *ret) MUST_USE;
/*
 * Behind the last good record: whether there is anything but zeros from scan->at to the end, and
 * where the last of it ends. In a segment that another follows that is damage.
 */
bool scan_find_bytes(struct scan *scan, uint64_t *ret_end) MUST_USE;

#endif
