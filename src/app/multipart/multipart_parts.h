/* SPDX-License-Identifier: Apache-2.0 */
/* What a client says of parts: a list of numbers in a query, the list of all in a body. Pure. */
#ifndef APP_MULTIPART_MULTIPART_PARTS_H
#define APP_MULTIPART_MULTIPART_PARTS_H

#include <stdint.h>

#include "base/arena.h"
#include "base/limits.h"
#include "base/strbuf.h"

struct multipart_part {
	unsigned int number; /* 1 to LIMIT_PARTS */
	int64_t size;        /* -1: not told */
};

struct multipart_parts {
	struct multipart_part *list;
	size_t count; /* 1 to LIMIT_PART_URLS */
};

/*
 * Reads `numbers` ("1,2,7") and `sizes`, which is empty or has as many. NULL, or what is wrong (a
 * constant text).
 */
const char *multipart_parts_parse(struct slice numbers, struct slice sizes, struct arena *arena,
	struct multipart_parts *ret) MUST_USE;

/*
 * Reads `{"parts":[{"PartNumber":1,"ETag":"..."}, ...]}`, with or without quotes in the ETags, and
 * appends the CompleteMultipartUpload document of it. Likewise.
 */
const char *multipart_parts_document(struct slice json, struct strbuf *out) MUST_USE;

#endif
