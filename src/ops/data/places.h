/* SPDX-License-Identifier: Apache-2.0 */
/* Finds the extents of an object, one after the other. */
#ifndef OPS_DATA_PLACES_H
#define OPS_DATA_PLACES_H

#include "ops/request.h"

struct places {
	struct request *r;
	struct store_get *get;
	struct store_read read;
	bool held; /* `read` found something that is to be released */
	/* ERR_OK and the place, or an error, which is in the log. */
	void (*found)(struct places *places, enum err e, const struct store_blob *place);
};

/* `get` has succeeded, was not head_only, and is released after places_release(). */
void places_init(struct places *places, struct request *r, struct store_get *get,
	void (*found)(struct places *places, enum err e, const struct store_blob *place));

/*
 * Finds the extent with byte `at`, which is less than the object's size, and calls `found`, at once
 * or later; the client may have disconnected by then. The extent that was found before must not be
 * read any more.
 */
void places_find(struct places *places, uint64_t at);

/* From op->release; also if it was never initialised (all zero). */
void places_release(struct places *places);

#endif
