/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Finding an object for a caller who may or may not know of it: what several operations on objects
 * begin with.
 */
#ifndef OPS_LOOKUP_H
#define OPS_LOOKUP_H

#include "ops/request.h"

struct lookup {
	struct request *r;
	const struct store_bucket *bucket;
	struct store_get get;
	bool found; /* `get` holds something to be released */
	void (*done)(struct lookup *lookup);
};

/*
 * Finds the object `key` of `bucket`, which must both live as long as the request. If it is there
 * and the caller may read it, `done` is called, at once or later, while r->x is there; else the
 * request is answered. A caller who may not read the bucket is refused in the same way whether or
 * not the object exists. With `head_only` get.blob is not filled.
 */
void lookup_start(struct lookup *lookup, struct request *r, const struct store_bucket *bucket,
	struct slice key, bool head_only, void (*done)(struct lookup *lookup));

/* The bytes of get.blob, and what is found, stay until this; from op->release. */
void lookup_release(struct lookup *lookup);

/* Adds the ETag without quotes. */
void lookup_add_etag(const struct lookup *lookup, struct strbuf *out);

#endif
