/* SPDX-License-Identifier: Apache-2.0 */
#include "ops/data/pieces.h"

#include "base/log.h"
#include "ops/ops_internal.h"

/* The next piece, of the place that is known. */
static void read_on(struct pieces *pieces)
{
	uint64_t left = pieces->place_end - pieces->at;
	pieces->read.offset = pieces->place_offset;
	pieces->read.size = left < READER_PIECE_BYTES ? (size_t)left : READER_PIECE_BYTES;
	reader_request(pieces->r->ops->reader, &pieces->read);
}

static void found(struct places *places, enum err e, const struct store_blob *place)
{
	struct pieces *pieces = CONTAINER_OF(places, struct pieces, places);
	if (e != ERR_OK) {
		pieces->done(pieces, e);
		return;
	}
	uint64_t left = pieces->end - pieces->at;
	pieces->place_end = pieces->at + (place->size < left ? place->size : left);
	pieces->place_offset = place->offset;
	pieces->read.memory = place->bytes;
	pieces->read.fd = place->fd;
	read_on(pieces);
}

void pieces_next(struct pieces *pieces)
{
	if (pieces->at == pieces->end)
		pieces->done(pieces, ERR_OK);
	else if (pieces->at < pieces->place_end)
		read_on(pieces);
	else
		places_find(&pieces->places, pieces->at);
}

static void was_read(struct task *task)
{
	struct read_request *read = CONTAINER_OF(task, struct read_request, done);
	struct pieces *pieces = CONTAINER_OF(read, struct pieces, read);
	struct ops *ops = pieces->r->ops;
	int error = read->error;
	enum pieces_then then = PIECES_STOP;
	if (error) {
		log_error("cannot read an object: %s (request %.*s)", strerror(error),
			SLICE_FMT(pieces->r->id));
	} else {
		pieces->at += read->bytes.len;
		pieces->place_offset += read->bytes.len;
		then = pieces->piece(pieces, read->bytes);
	}
	reader_give_back(ops->reader, read);
	if (then == PIECES_NEXT)
		pieces_next(pieces);
	else if (then == PIECES_STOP)
		pieces->done(pieces, error ? ERR_INTERNAL : ERR_OK);
}

void pieces_init(struct pieces *pieces, struct request *r, struct store_get *get, uint64_t first,
	uint64_t size, enum pieces_then (*piece)(struct pieces *pieces, struct slice bytes),
	void (*done)(struct pieces *pieces, enum err e))
{
	*pieces = (struct pieces){
		.r = r,
		.at = first,
		.end = first + size,
		.read = {.done.run = was_read, .home = r->home},
		.piece = piece,
		.done = done,
	};
	places_init(&pieces->places, r, get, found);
}

void pieces_release(struct pieces *pieces)
{
	places_release(&pieces->places);
}
