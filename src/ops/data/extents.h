/* SPDX-License-Identifier: Apache-2.0 */
/* Where the bytes of an object lie, found one place after the other. */
#ifndef OPS_DATA_EXTENTS_H
#define OPS_DATA_EXTENTS_H

#include "ops/request.h"

struct extents {
	struct request *r;
	struct store_get *get;
	struct store_read read;
	bool held; /* `read` found something that is to be released */
	/* ERR_OK and the place, or an error, which is in the log. */
	void (*found)(struct extents *extents, enum err e, const struct store_blob *place);
};

/* `get` has succeeded, was not head_only, and is released after extents_release(). */
void extents_init(struct extents *extents, struct request *r, struct store_get *get,
	void (*found)(struct extents *extents, enum err e, const struct store_blob *place));

/*
 * Finds the extent with byte `at`, which is less than the object's size, and calls `found`, at once
 * or later; the client may have disconnected by then. The extent that was found before must not be
 * read any more.
 */
void extents_find(struct extents *extents, uint64_t at);

/* From op->release; also if it was never initialised (all zero). */
void extents_release(struct extents *extents);

#endif
