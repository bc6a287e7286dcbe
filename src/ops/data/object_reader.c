/* SPDX-License-Identifier: Apache-2.0 */
#include "ops/data/object_reader.h"

#include <errno.h>

#include "base/log.h"
#include "crypto/crc64.h"
#include "ops/data/damage.h"
#include "ops/ops_internal.h"

static bool is_late(const struct object_reader *object_reader)
{
	return object_reader->place.check.kind == BLOCK_CHECK_LATE;
}

/* The next piece, of the place that is known. */
static void read_on(struct object_reader *object_reader)
{
	const struct block_check *check = &object_reader->place.check;
	uint64_t left = object_reader->read_end - object_reader->next;
	object_reader->read.offset = object_reader->next;
	object_reader->read.size =
		left < FILE_READER_PIECE_BYTES ? (size_t)left : FILE_READER_PIECE_BYTES;
	if (check->kind == BLOCK_CHECK_WHOLE || check->kind == BLOCK_CHECK_BLOCKS)
		object_reader->read.size =
			block_check_span(check, object_reader->next, object_reader->read_end,
				FILE_READER_PIECE_BYTES, &object_reader->read.offset);
	file_reader_request(object_reader->r->ops->file_reader, &object_reader->read);
}

static void found(struct extents *extents, enum err e, const struct store_blob *place)
{
	struct object_reader *object_reader = CONTAINER_OF(extents, struct object_reader, extents);
	if (e != ERR_OK) {
		object_reader->done(object_reader, e);
		return;
	}
	uint64_t left = object_reader->end - object_reader->at;
	object_reader->place = *place;
	object_reader->wanted_end = place->offset + (place->size < left ? place->size : left);
	object_reader->next = place->offset;
	object_reader->read_end = object_reader->wanted_end;
	object_reader->crc64 = 0;
	if (is_late(object_reader) && object_reader->whole_runs) {
		object_reader->next = place->check.begin;
		object_reader->read_end = place->check.begin + place->check.size;
	}
	object_reader->read.memory = place->bytes;
	object_reader->read.fd = place->fd;
	read_on(object_reader);
}

void object_reader_next(struct object_reader *object_reader)
{
	if (object_reader->next < object_reader->read_end)
		read_on(object_reader);
	else if (object_reader->at == object_reader->end)
		object_reader->done(object_reader, ERR_OK);
	else
		extents_find(&object_reader->extents, object_reader->at);
}

/* Whether what was read is what was stored; *ret_bad is where it is not. */
static bool fits(struct object_reader *object_reader, struct slice bytes, uint64_t *ret_bad)
{
	const struct block_check *check = &object_reader->place.check;
	if (!is_late(object_reader))
		return check->kind == BLOCK_CHECK_NONE ||
		       block_check_fits(check, object_reader->read.offset, bytes, ret_bad);
	object_reader->crc64 = crc64_update(object_reader->crc64, bytes);
	*ret_bad = check->begin;
	return !object_reader->whole_runs ||
	       object_reader->next + bytes.len < object_reader->read_end ||
	       object_reader->crc64 == check->crc64;
}

/* What is wanted of what was read. */
static struct slice wanted(const struct object_reader *object_reader)
{
	uint64_t begin = object_reader->read.offset;
	uint64_t end = begin + object_reader->read.bytes.len;
	uint64_t from = begin < object_reader->place.offset ? object_reader->place.offset : begin;
	uint64_t to = end < object_reader->wanted_end ? end : object_reader->wanted_end;
	return from < to ? slice_of(object_reader->read.bytes.ptr + (from - begin),
				   (size_t)(to - from))
			 : S("");
}

static enum object_reader_then take(struct object_reader *object_reader)
{
	struct slice bytes = wanted(object_reader);
	object_reader->next = object_reader->read.offset + object_reader->read.bytes.len;
	if (object_reader->next > object_reader->read_end)
		object_reader->next = object_reader->read_end;
	object_reader->at += bytes.len;
	return bytes.len ? object_reader->piece(object_reader, bytes) : OBJECT_READER_NEXT;
}

static void on_was_read(struct task *task)
{
	struct read_request *read = CONTAINER_OF(task, struct read_request, done);
	struct object_reader *object_reader = CONTAINER_OF(read, struct object_reader, read);
	struct ops *ops = object_reader->r->ops;
	enum err e = ERR_OK;
	enum object_reader_then then = OBJECT_READER_STOP;
	uint64_t bad = read->offset;
	if (read->error && read->error != ENODATA) {
		log_error("cannot read an object: %s (request %.*s)", strerror(read->error),
			SLICE_FMT(object_reader->r->id));
		e = ERR_INTERNAL;
	} else if (read->error || !fits(object_reader, read->bytes, &bad)) {
		damage_tell(
			object_reader->r, object_reader->extents.get, &object_reader->place, bad);
		e = ERR_INTERNAL;
	} else {
		then = take(object_reader);
	}
	file_reader_give_back(ops->file_reader, read);
	if (then == OBJECT_READER_NEXT)
		object_reader_next(object_reader);
	else if (then == OBJECT_READER_STOP)
		object_reader->done(object_reader, e);
}

void object_reader_init(struct object_reader *object_reader, struct request *r,
	struct store_get *get, uint64_t first, uint64_t size,
	enum object_reader_then (*piece)(struct object_reader *object_reader, struct slice bytes),
	void (*done)(struct object_reader *object_reader, enum err e))
{
	*object_reader = (struct object_reader){
		.r = r,
		.at = first,
		.end = first + size,
		.read = {.done.run = on_was_read, .home = r->home},
		.piece = piece,
		.done = done,
	};
	extents_init(&object_reader->extents, r, get, found);
}

void object_reader_whole_runs(struct object_reader *object_reader)
{
	object_reader->whole_runs = true;
}

void object_reader_release(struct object_reader *object_reader)
{
	extents_release(&object_reader->extents);
}
