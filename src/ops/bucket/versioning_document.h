/* SPDX-License-Identifier: Apache-2.0 */
/* The body of PutBucketVersioning. */
#ifndef OPS_BUCKET_VERSIONING_DOCUMENT_H
#define OPS_BUCKET_VERSIONING_DOCUMENT_H

#include "base/err.h"
#include "base/strbuf.h"
#include "store/store.h"

/*
 * STORE_VERSIONED or STORE_VERSIONING_SUSPENDED into *ret. ERR_MALFORMED_XML, with a sentence in
 * `reason`; ERR_UNAVAILABLE.
 */
enum err versioning_document_read(
	struct slice document, enum store_versioning *ret, struct strbuf *reason) MUST_USE;

#endif
