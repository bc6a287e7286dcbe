/* SPDX-License-Identifier: Apache-2.0 */
/* Reads bytes of an object in order, piece by piece, off the loop. */
#ifndef OPS_DATA_PIECES_H
#define OPS_DATA_PIECES_H

#include "ops/data/places.h"
#include "ops/data/reader.h"

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
	uint64_t place_end; /* bytes before this lie where `read` reads */
	uint64_t place_offset;
	struct read_request read;
	enum pieces_then (*piece)(struct pieces *pieces, struct slice bytes);
	void (*done)(struct pieces *pieces, enum err e);
};

/*
 * To read `size` bytes of the object from `first` on, which pieces_next() begins with. `piece` gets
 * them, dead when it returns. `done` comes once: after the last piece or PIECES_STOP, or with an
 * error, which is in the log. The caller holds the request until then. `get` has succeeded, was not
 * head_only, and is released after pieces_release().
 */
void pieces_init(struct pieces *pieces, struct request *r, struct store_get *get, uint64_t first,
	uint64_t size, enum pieces_then (*piece)(struct pieces *pieces, struct slice bytes),
	void (*done)(struct pieces *pieces, enum err e));

/* May call `done` before it returns. */
void pieces_next(struct pieces *pieces);

/* From op->release; also if it was never initialised (all zero). */
void pieces_release(struct pieces *pieces);

#endif
