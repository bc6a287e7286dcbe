/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads the headers of a request that uploads an object or a part. False: it is not allowed, and
 * the request has been answered.
 */
#ifndef OPS_DATA_PUT_HEADERS_H
#define OPS_DATA_PUT_HEADERS_H

#include "ops/data/ingest.h"

/* The body has at most `max` bytes, as far as its length is known. */
bool put_headers_length(struct request *r, uint64_t max) MUST_USE;
/* Content-MD5, which the bytes will have to have. */
bool put_headers_digest(struct request *r, struct ingest *u) MUST_USE;
/*
 * After the last of them. `e` is how the one before went, and `reason` says why if it is not
 * ERR_OK, which is answered.
 */
bool put_headers_finish(struct request *r, struct object_headers *h, enum err e,
	const struct strbuf *reason) MUST_USE;
/* The headers that are kept with an object. `h` borrows from the head. */
bool put_headers_object(struct request *r, struct object_headers *h) MUST_USE;

#endif
