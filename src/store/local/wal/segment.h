/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The files of the log. A segment is a header and then records (record.h); only the newest, the
 * active one, is appended to (wal.h). Readers pin a segment, so that its bytes stay readable after
 * the file has been removed.
 *
 * Any thread, except where a function says otherwise.
 */
#ifndef STORE_LOCAL_WAL_SEGMENT_H
#define STORE_LOCAL_WAL_SEGMENT_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/err.h"

enum {
	SEGMENT_HEADER_BYTES = 64, /* the first record is here */
	SEGMENT_NAME_BYTES = 32
};

struct segment {
	uint64_t id;
	uint64_t first_sequence;
	uint64_t salt; /* of the records' checksums (record.h) */
	/* Where the segment before ends: what follows there does not count. 0: it has no such end.
	 */
	uint64_t previous_end;
	uint64_t files_next; /* of large files, all smaller numbers may have been given before it */
	int fd;
	atomic_uint refs;
	/* Bytes of records that the index needs. The committer writes it. */
	_Atomic uint64_t live;
	/* The collector's: what it could not move out of it, whether it does not try again before
	 * that changes, and whether it must not remove it at all. */
	uint64_t left;
	bool stuck;
	bool damaged;
};

struct segments;

/* Where a record lies. */
struct location {
	uint64_t segment;
	uint64_t offset;      /* of its header */
	uint32_t length;      /* of the record with its padding */
	uint32_t data_offset; /* of the object's bytes, from the header */
};

enum {
	LOCATION_BYTES = 24 /* in files */
};

void location_write(char *to, const struct location *where);
void location_read(const char *from, struct location *ret);

static inline bool location_eq(const struct location *a, const struct location *b)
{
	return a->segment == b->segment && a->offset == b->offset;
}

/*
 * Opens all segments in the directory `dir` (taken over, also on failure). A last file whose
 * header never became whole is removed: nothing had been written behind it. A last file that has
 * more than a damaged header is a failure: its records cannot be told from what is not one, and
 * going on would cut them off. So is one up to the number `used`, which had records. Logs why on
 * failure.
 */
enum err segments_open(int dir, uint64_t used, struct segments **ret) MUST_USE;
/*
 * Opens them for reading alone: nothing is removed, and a header that is damaged or cannot be read
 * is no failure.
 */
enum err segments_open_to_read(int dir, struct segments **ret) MUST_USE;
/* Whether the header of one is damaged. */
bool segments_damaged(const struct segments *segments);
/* No pins may be left. NULL is allowed. */
void segments_free(struct segments *segments);

/* The name of its file, into SEGMENT_NAME_BYTES, and the number in one; 0: it is none. */
void segment_name(uint64_t id, char *out);
uint64_t segment_number(const char *name);

enum segment_header {
	SEGMENT_GOOD,
	SEGMENT_DAMAGED,   /* or the disk cannot read it, which is logged */
	SEGMENT_BEGINNING, /* damaged, and the file has nothing else: it may be being made */
};

/*
 * Opens one alone, for reading, with a pin for the caller, and changes nothing: another process may
 * be using the folder. Unless *ret_header is SEGMENT_GOOD, the fields that come from the header
 * mean nothing. An errno value.
 */
int segment_open(
	int dir, uint64_t id, enum segment_header *ret_header, struct segment **ret) MUST_USE;

/* NULL if there is no such segment (any more). */
struct segment *segment_pin(struct segments *segments, uint64_t id);
void segment_unpin(struct segment *segment);
/* Pins the segment with the smallest number that is at least `id`; NULL if there is none. */
struct segment *segment_pin_from(struct segments *segments, uint64_t id);

/* Makes the file of a new segment, durably, with a pin for the caller. An errno value. */
struct segment_begin {
	uint64_t id;
	uint64_t first_sequence;
	uint64_t previous_end;
	uint64_t files_next;
};

int segment_create(struct segments *segments, const struct segment_begin *begin,
	struct segment **ret) MUST_USE;
/* Where the records of a segment end because the one behind says so; UINT64_MAX if it does not. */
uint64_t segment_end(struct segments *segments, uint64_t id);
/* Bytes of its file; 0 if that cannot be asked. */
uint64_t segment_size(const struct segment *segment);
/*
 * Takes back a segment that was just made and has no record. It is gone even if its file cannot be
 * removed, which the next of that number replaces. An errno value.
 */
int segment_discard(struct segments *segments, uint64_t id) MUST_USE;
/* Whether there is a segment of that number. */
bool segment_exists(struct segments *segments, uint64_t id);
/* Whether those that there are go from the first on without a gap: none was removed yet. */
bool segments_whole(struct segments *segments);
/*
 * Whether a segment but `except` may have records from the sequence `from` up to `to`.
 */
bool segments_overlap(struct segments *segments, uint64_t from, uint64_t to, uint64_t except);
/*
 * Cuts the segment before off where this one says that it ends, durably, if it says so: then this
 * one may be removed before that. An errno value.
 */
int segment_cut_before(struct segments *segments, const struct segment *segment) MUST_USE;
/* Removes the file; pins keep its bytes readable. An errno value. */
int segment_remove(struct segments *segments, uint64_t id) MUST_USE;

/* What the files take on disk. */
uint64_t segments_disk_bytes(struct segments *segments);

#endif
