/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Bytes of an object that become another, or a part of one: read piece by piece, and given to a
 * put. The source is held meanwhile, so that the copy is of one state of it. If the client goes
 * away nothing is stored.
 */
#ifndef OPS_DATA_OBJECT_COPY_H
#define OPS_DATA_OBJECT_COPY_H

#include "ops/data/object_reader.h"

struct object_copy {
	struct request *r;
	struct object_reader object_reader;
	struct store_put *put;
	struct store_wait writable;
	struct store_put_commit commit;
	enum err err;
	void (*done)(struct object_copy *copy, enum err e);
};

/*
 * Copies `size` bytes of the object from `first` on into the put that `spec` describes, and commits
 * it as copy->commit says, which the caller fills in before. `done` is called when it is
 * durable, with copy->commit.object, or with an error; not if the client has gone before the
 * last byte. `get` is as for object_reader_init().
 */
void object_copy_start(struct object_copy *copy, struct request *r, struct store_get *get,
	uint64_t first, uint64_t size, const struct store_put_spec *spec,
	void (*done)(struct object_copy *copy, enum err e));

/* From op->release, whatever has happened. */
void object_copy_release(struct object_copy *copy);

#endif
