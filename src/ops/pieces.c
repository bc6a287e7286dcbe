/* SPDX-License-Identifier: Apache-2.0 */
#include "ops/pieces.h"

#include <errno.h>

#include "base/log.h"
#include "crypto/crc64.h"
#include "ops/damage.h"
#include "ops/ops_internal.h"

static bool is_late(const struct pieces *pieces)
{
	return pieces->place.check.kind == BLOCK_CHECK_LATE;
}

/* The next piece, of the place that is known. */
static void read_on(struct pieces *pieces)
{
	const struct block_check *check = &pieces->place.check;
	uint64_t left = pieces->read_end - pieces->next;
	pieces->read.offset = pieces->next;
	pieces->read.size = left < READER_PIECE_BYTES ? (size_t)left : READER_PIECE_BYTES;
	if (check->kind == BLOCK_CHECK_WHOLE || check->kind == BLOCK_CHECK_BLOCKS)
		pieces->read.size = block_check_span(check, pieces->next, pieces->read_end,
			READER_PIECE_BYTES, &pieces->read.offset);
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
	pieces->place = *place;
	pieces->wanted_end = place->offset + (place->size < left ? place->size : left);
	pieces->next = place->offset;
	pieces->read_end = pieces->wanted_end;
	pieces->crc64 = 0;
	if (is_late(pieces) && pieces->whole_runs) {
		pieces->next = place->check.begin;
		pieces->read_end = place->check.begin + place->check.size;
	}
	pieces->read.fd = place->fd;
	read_on(pieces);
}

void pieces_next(struct pieces *pieces)
{
	if (pieces->next < pieces->read_end)
		read_on(pieces);
	else if (pieces->at == pieces->end)
		pieces->done(pieces, ERR_OK);
	else
		places_find(&pieces->places, pieces->at);
}

/* Whether what was read is what was stored; *ret_bad is where it is not. */
static bool fits(struct pieces *pieces, struct slice bytes, uint64_t *ret_bad)
{
	const struct block_check *check = &pieces->place.check;
	if (!is_late(pieces))
		return check->kind == BLOCK_CHECK_NONE ||
		       block_check_fits(check, pieces->read.offset, bytes, ret_bad);
	pieces->crc64 = crc64_update(pieces->crc64, bytes);
	*ret_bad = check->begin;
	return !pieces->whole_runs || pieces->next + bytes.len < pieces->read_end ||
	       pieces->crc64 == check->crc64;
}

/* What is wanted of what was read. */
static struct slice wanted(const struct pieces *pieces)
{
	uint64_t begin = pieces->read.offset;
	uint64_t end = begin + pieces->read.bytes.len;
	uint64_t from = begin < pieces->place.offset ? pieces->place.offset : begin;
	uint64_t to = end < pieces->wanted_end ? end : pieces->wanted_end;
	return from < to ? slice_of(pieces->read.bytes.ptr + (from - begin), (size_t)(to - from))
			 : S("");
}

static enum pieces_then take(struct pieces *pieces)
{
	struct slice bytes = wanted(pieces);
	pieces->next = pieces->read.offset + pieces->read.bytes.len;
	if (pieces->next > pieces->read_end)
		pieces->next = pieces->read_end;
	pieces->at += bytes.len;
	return bytes.len ? pieces->piece(pieces, bytes) : PIECES_NEXT;
}

static void was_read(struct task *task)
{
	struct read_request *read = CONTAINER_OF(task, struct read_request, done);
	struct pieces *pieces = CONTAINER_OF(read, struct pieces, read);
	struct ops *ops = pieces->r->ops;
	enum err e = ERR_OK;
	enum pieces_then then = PIECES_STOP;
	uint64_t bad = read->offset;
	if (read->error && read->error != ENODATA) {
		log_error("cannot read an object: %s (request %.*s)", strerror(read->error),
			SLICE_FMT(pieces->r->id));
		e = ERR_INTERNAL;
	} else if (read->error || !fits(pieces, read->bytes, &bad)) {
		damage_tell(pieces->r, pieces->places.get, &pieces->place, bad);
		e = ERR_INTERNAL;
	} else {
		then = take(pieces);
	}
	reader_give_back(ops->reader, read);
	if (then == PIECES_NEXT)
		pieces_next(pieces);
	else if (then == PIECES_STOP)
		pieces->done(pieces, e);
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

void pieces_whole_runs(struct pieces *pieces)
{
	pieces->whole_runs = true;
}

void pieces_release(struct pieces *pieces)
{
	places_release(&pieces->places);
}
