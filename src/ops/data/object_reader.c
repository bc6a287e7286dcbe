/* SPDX-License-Identifier: Apache-2.0 */
#include "ops/data/object_reader.h"

#include "base/log.h"
#include "ops/ops_internal.h"

/* The next piece, of the place that is known. */
static void read_on(struct object_reader *object_reader)
{
	uint64_t left = object_reader->place_end - object_reader->at;
	object_reader->read.offset = object_reader->place_offset;
	object_reader->read.size =
		left < FILE_READER_PIECE_BYTES ? (size_t)left : FILE_READER_PIECE_BYTES;
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
	object_reader->place_end = object_reader->at + (place->size < left ? place->size : left);
	object_reader->place_offset = place->offset;
	object_reader->read.fd = place->fd;
	read_on(object_reader);
}

void object_reader_next(struct object_reader *object_reader)
{
	if (object_reader->at == object_reader->end)
		object_reader->done(object_reader, ERR_OK);
	else if (object_reader->at < object_reader->place_end)
		read_on(object_reader);
	else
		extents_find(&object_reader->extents, object_reader->at);
}

static void on_was_read(struct task *task)
{
	struct read_request *read = CONTAINER_OF(task, struct read_request, done);
	struct object_reader *object_reader = CONTAINER_OF(read, struct object_reader, read);
	struct ops *ops = object_reader->r->ops;
	int error = read->error;
	enum object_reader_then then = OBJECT_READER_STOP;
	if (error) {
		log_error("cannot read an object: %s (request %.*s)", strerror(error),
			SLICE_FMT(object_reader->r->id));
	} else {
		object_reader->at += read->bytes.len;
		object_reader->place_offset += read->bytes.len;
		then = object_reader->piece(object_reader, read->bytes);
	}
	file_reader_give_back(ops->file_reader, read);
	if (then == OBJECT_READER_NEXT)
		object_reader_next(object_reader);
	else if (then == OBJECT_READER_STOP)
		object_reader->done(object_reader, error ? ERR_INTERNAL : ERR_OK);
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

void object_reader_release(struct object_reader *object_reader)
{
	extents_release(&object_reader->extents);
}
