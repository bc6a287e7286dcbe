/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The source of a copy: the header x-oss-copy-source, the object it names, and the conditions that
 * it has to meet (spec: REST API section 6).
 */
#ifndef OPS_DATA_COPY_FROM_H
#define OPS_DATA_COPY_FROM_H

#include "ops/data/lookup.h"
#include "oss/copy_source.h"

struct copy_from {
	struct request *r;
	struct copy_source name;
	struct store_version version;
	const struct store_bucket *bucket; /* a reference */
	struct lookup source;
	void (*found)(struct copy_from *from);
};

/* Reads the headers. False: they are not allowed, and the request has been answered. */
bool copy_from_parse(struct copy_from *from, struct request *r) MUST_USE;

/*
 * Finds the object. If it exists, the caller may read it and the conditions hold, `found` is
 * called, at once or later, unless the client has disconnected. Otherwise the request is answered.
 */
void copy_from_find(
	struct copy_from *from, bool follow_link, void (*found)(struct copy_from *from));

/* From op->release, in any case. */
void copy_from_release(struct copy_from *from);

#endif
