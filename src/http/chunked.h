/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The chunked transfer coding of a request body (RFC 9112 section 7.1), taken apart as it arrives
 * in pieces of any size. The content is passed on as slices of the input; chunk extensions and
 * trailers are checked for form and discarded.
 *
 * Stricter than the grammar: a size has at most 16 digits and is at most INT64_MAX, and a line ends
 * with CRLF and nothing else. A line with a chunk size takes at most LIMIT_CHUNK_LINE_BYTES, all
 * trailers together LIMIT_TRAILER_BYTES.
 */
#ifndef HTTP_CHUNKED_H
#define HTTP_CHUNKED_H

#include <stdint.h>

#include "base/slice.h"

enum chunked_result {
	CHUNKED_MORE, /* the whole input was consumed and the body has not ended */
	CHUNKED_DATA, /* *ret_data is content: a slice of the input, never empty */
	CHUNKED_DONE, /* the body has ended; the rest of *in follows it. Stays so */
	CHUNKED_BAD,  /* 400; nothing after it can be trusted. Stays so */
};

enum chunked_state {
	CHUNKED_AT_SIZE,       /* digits of a chunk's size; at least one must come */
	CHUNKED_AT_SIZE_SPACE, /* white space between size and extension */
	CHUNKED_AT_EXTENSION,  /* skipping to the end of the line */
	CHUNKED_AT_SIZE_LF,    /* LF of that line */
	CHUNKED_AT_DATA,       /* `left` bytes of content */
	CHUNKED_AT_DATA_CR,    /* the CRLF behind content */
	CHUNKED_AT_DATA_LF,
	CHUNKED_AT_TRAILER,       /* first byte of a trailer, or of the empty line that ends all */
	CHUNKED_AT_TRAILER_NAME,  /* up to its colon */
	CHUNKED_AT_TRAILER_VALUE, /* up to its CR */
	CHUNKED_AT_TRAILER_LF,
	CHUNKED_AT_LAST_LF, /* LF of the empty line */
	CHUNKED_AT_END,
	CHUNKED_AT_ERROR,
};

struct chunked {
	enum chunked_state state;
	uint32_t count; /* bytes of the line, or of the trailers, so far */
	uint64_t left;  /* the chunk size as it is read, then what has not come of it yet */
};

void chunked_init(struct chunked *c);

/*
 * Consumes from the front of *in up to the next event and returns it. Call until it says
 * CHUNKED_MORE, then with the next piece of input.
 */
enum chunked_result chunked_feed(
	struct chunked *c, struct slice *in, struct slice *ret_data) MUST_USE;

#endif
