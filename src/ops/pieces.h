/* SPDX-License-Identifier: Apache-2.0 */
/* Reads bytes of an object in order, piece by piece, off the loop. */
#ifndef OPS_PIECES_H
#define OPS_PIECES_H

#include "ops/places.h"
#include "ops/reader.h"

enum pieces_then {
	PIECES_NEXT, /* give me the next */
	PIECES_WAIT, /* until pieces_next() */
	PIECES_STOP, /* that was enough */
};

struct pieces {
	struct request *r;
	struct places places;
	uint64_t at;
	uint64_t end;
	bool whole_runs; /* what has one sum for all of it is read to its end, and compared */
	/* Of the place that is read now, offsets in its file: */
	struct store_blob place;
	uint64_t wanted_end; /* bytes from place.offset to here are wanted */
	uint64_t next;       /* where the next reading begins */
	uint64_t read_end;   /* and where the last one ends */
	uint64_t crc64;      /* BLOCK_CHECK_LATE: of what was read */
	struct read_request read;
	enum pieces_then (*piece)(struct pieces *pieces, struct slice bytes);
	void (*done)(struct pieces *pieces, enum err e);
};

/*
 * To read `size` bytes of the object from `first` on, which pieces_next() begins with. `piece` gets
 * them, dead when it returns. They are checked before; but what has one sum for all of it only with
 * pieces_whole_runs(), and then before `done`. `done` comes once: after the last piece or
 * PIECES_STOP, or with an error, which is in the log. The caller holds the request until then.
 * `get` has succeeded, was not head_only, and is released after pieces_release().
 */
void pieces_init(struct pieces *pieces, struct request *r, struct store_get *get, uint64_t first,
	uint64_t size, enum pieces_then (*piece)(struct pieces *pieces, struct slice bytes),
	void (*done)(struct pieces *pieces, enum err e));

/*
 * After pieces_init(), for who keeps what `piece` gets only if `done` says ERR_OK: of what has one
 * sum for all of it, all is read.
 */
void pieces_whole_runs(struct pieces *pieces);

/* May call `done` before it returns. */
void pieces_next(struct pieces *pieces);

/* From op->release; also if it was never initialised (all zero). */
void pieces_release(struct pieces *pieces);

#endif
