/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the headers of a request that brings an object, or a piece of one, say about it. False: it
 * is not allowed, and the request has been answered.
 */
#ifndef OPS_DATA_PUT_HEADERS_H
#define OPS_DATA_PUT_HEADERS_H

#include "ops/data/ingest.h"

/* That there is a body of at most `max` bytes, as far as its length is told. */
bool put_headers_length(struct request *r, uint64_t max) MUST_USE;
/* That there are no conditions: they are not OSS's here, and ignoring them would be worse. */
bool put_headers_no_conditions(struct request *r) MUST_USE;
/* Content-MD5, which the bytes will have to have. */
bool put_headers_digest(struct request *r, struct ingest *u) MUST_USE;
/* The headers that are kept with an object. `h` borrows from the head. */
bool put_headers_object(struct request *r, struct object_headers *h) MUST_USE;

#endif
