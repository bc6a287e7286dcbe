/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Answers with the bytes of an object, in however many places they lie. If they are not what was
 * stored that is logged, and the answer is 500 or, once a part of it has left, cut off.
 */
#ifndef OPS_DATA_OBJECT_BODY_H
#define OPS_DATA_OBJECT_BODY_H

#include "ops/data/extents.h"

struct object_body {
	struct extents extents;
	uint64_t first;
	struct store_blob place; /* the bytes that are being sent */
};

/*
 * Answers with `size` bytes of the object from `first` on, or to HEAD with the headers alone. `get`
 * has succeeded, and is released after object_body_release(); `body` is all zero.
 */
void object_body_send(struct object_body *body, struct request *r, struct store_get *get,
	int status, uint64_t first, uint64_t size);

/* From op->release, whatever has happened. */
void object_body_release(struct object_body *body);

#endif
