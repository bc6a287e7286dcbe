/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goes through the records of a segment in their order: also through damaged ones that say all the
 * same what they said (mend.h), and past those that do not. One thread at a time.
 */
#ifndef STORE_LOCAL_WAL_WALK_H
#define STORE_LOCAL_WAL_WALK_H

#include "store/local/wal/scan.h"

struct walk {
	struct scan scan;  /* of the caller: scan_init(), scan_release(), and what it may set */
	uint64_t sequence; /* of the next record; the caller's to raise at a new segment */
	uint64_t segment;  /* where the last record was */
	uint64_t good_at;  /* and where it ends */
	bool is_damaged;   /* it was damaged, and says all the same what it said */
	bool has_bad_data; /* and the bytes of its object are not what they were */
	/* Its own: */
	uint64_t later_at; /* the next record that is whole, behind a damaged place; 0: none */
};

/* Goes to the record at `at` of a segment of `segments`, whose pin is taken over. */
void walk_open(struct walk *walk, struct segments *segments, struct segment *segment, uint64_t at);
/* Goes back to the record at `at` of the same segment. */
void walk_back(struct walk *walk, uint64_t at, uint64_t sequence);
/*
 * The next record of the segment that counts; it is valid until walk_past(), and what it points to
 * until the scan moves, as it does for a damaged record. If its sequence is
 * above walk->sequence, records are missing between walk->good_at and scan.at. False at the end,
 * and after a fault (scan.fault).
 */
bool walk_next(struct walk *walk, struct record *ret) MUST_USE;
/* Goes on behind the record that walk_next() gave. */
void walk_past(struct walk *walk, const struct record *record);

#endif
