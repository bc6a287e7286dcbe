/* SPDX-License-Identifier: Apache-2.0 */
/* Reads bytes of an object in order, piece by piece, off the loop. */
#ifndef OPS_DATA_OBJECT_READER_H
#define OPS_DATA_OBJECT_READER_H

#include "ops/data/extents.h"
#include "ops/data/file_reader.h"

enum object_reader_then {
	OBJECT_READER_NEXT, /* give me the next */
	OBJECT_READER_WAIT, /* until object_reader_next() */
	OBJECT_READER_STOP, /* that was enough */
};

struct object_reader {
	struct request *r;
	struct extents extents;
	uint64_t at;
	uint64_t end;
	bool whole_runs; /* runs with one sum are read to their end, and compared with it */
	/* Of the place that is read now, offsets in its file: */
	struct store_blob place;
	uint64_t wanted_end; /* bytes from place.offset to here are wanted */
	uint64_t next;       /* where the next reading begins */
	uint64_t read_end;   /* and where the last one ends */
	uint64_t crc64;      /* BLOCK_CHECK_LATE: of what was read */
	struct read_request read;
	enum object_reader_then (*piece)(struct object_reader *object_reader, struct slice bytes);
	void (*done)(struct object_reader *object_reader, enum err e);
};

/*
 * To read `size` bytes of the object from `first` on, which object_reader_next() begins with.
 * `piece` gets them, dead when it returns. Bytes are checked before `piece` gets them, except those
 * of a run with one sum for all of it: they are checked only after object_reader_whole_runs(), and
 * then at the end of the run, before `done`. `done` comes once: after the last piece or
 * OBJECT_READER_STOP, or with an error, which is in the log. The caller holds the request until
 * then. `get` has succeeded, was not head_only, and is released after
 * object_reader_release().
 */
void object_reader_init(struct object_reader *object_reader, struct request *r,
	struct store_get *get, uint64_t first, uint64_t size,
	enum object_reader_then (*piece)(struct object_reader *object_reader, struct slice bytes),
	void (*done)(struct object_reader *object_reader, enum err e));

/*
 * After object_reader_init(): a run with one sum for all of it is read from its begin to its end,
 * so that it can be checked. For callers that use what `piece` gets only if `done` says ERR_OK.
 */
void object_reader_whole_runs(struct object_reader *object_reader);

/* May call `done` before it returns. */
void object_reader_next(struct object_reader *object_reader);

/* From op->release; also if it was never initialised (all zero). */
void object_reader_release(struct object_reader *object_reader);

#endif
