/* SPDX-License-Identifier: Apache-2.0 */
/* What a client says of parts: a list of numbers in a query, the list of all in a body. Pure. */
#ifndef APP_MULTIPART_MULTIPART_PARTS_H
#define APP_MULTIPART_MULTIPART_PARTS_H

#include <stdint.h>

#include "app/multipart/multipart_answer.h"
#include "base/arena.h"
#include "base/budget.h"
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

/* The fault that is none of the client's. */
extern const char multipart_no_memory[];

/*
 * Reads `numbers` ("1,2,7") and `sizes`, which is empty or has as many. NULL; multipart_no_memory;
 * or what is wrong.
 */
const char *multipart_parts_parse(struct slice numbers, struct slice sizes, struct arena *arena,
	struct multipart_parts *ret) MUST_USE;

/* ---- A completion -----------------------------------------------------------------------------
 */

struct multipart_named {
	unsigned int number; /* 1 to LIMIT_PARTS */
	struct slice etag;   /* without quotes */
};

/* The parts that become an object, by number. */
struct multipart_completion {
	struct multipart_named *list;
	size_t count;        /* 1 to LIMIT_PARTS */
	struct slice crc64;  /* of all bytes, decimal; empty: not told */
	struct slice sha256; /* likewise, 64 hexadecimal digits; empty: not told */
};

/*
 * Reads `{"parts":[{"PartNumber":1,"ETag":"..."}, ...], "crc64":"...", "sha256":"..."}`, with or
 * without quotes in the ETags; the numbers must rise. What *ret has is in `arena`; `account` has
 * the memory for reading. NULL, or what is wrong (a constant text).
 */
const char *multipart_completion_parse(struct slice json, struct arena *arena,
	struct budget_account *account, struct multipart_completion *ret) MUST_USE;

/* Appends the CompleteMultipartUpload document of it. */
void multipart_completion_write(const struct multipart_completion *completion, struct strbuf *out);

/* Compares it with the parts at the store, which are told by number. */
struct multipart_match {
	const struct multipart_completion *completion;
	size_t found;   /* of its parts, so far */
	uint64_t bytes; /* of these; UINT64_MAX if they are more */
};

void multipart_match_part(struct multipart_match *match, const struct multipart_listed *part);
/* After the last: whether each part that is named is there, with the ETag that is named. */
bool multipart_match_all(const struct multipart_match *match) MUST_USE;

#endif
