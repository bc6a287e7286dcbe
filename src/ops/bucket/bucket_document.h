/* SPDX-License-Identifier: Apache-2.0 */
/* The body of PutBucket: what kind of bucket is asked for. */
#ifndef OPS_BUCKET_BUCKET_DOCUMENT_H
#define OPS_BUCKET_BUCKET_DOCUMENT_H

#include "base/arena.h"
#include "base/err.h"
#include "base/strbuf.h"

struct bucket_document {
	struct slice location;      /* of this store, "oss-" and its region */
	struct arena *arena;        /* what is kept goes there */
	struct slice storage_class; /* a known one; empty: none is asked for */
};

/*
 * Reads the document into `ret`, of which location and arena are set and the rest is zero.
 * ERR_MALFORMED_XML; ERR_INVALID_ARGUMENT for an unknown class; ERR_NOT_IMPLEMENTED for another
 * redundancy; ERR_INVALID_LOCATION; ERR_UNAVAILABLE. `reason` may get a sentence.
 */
enum err bucket_document_read(
	struct bucket_document *ret, struct slice document, struct strbuf *reason) MUST_USE;

#endif
