/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The head of an HTTP/1.1 request (RFC 9112): request line and headers, and what they say about
 * the body. The parser is strict: where two readers could disagree about a message it is refused.
 */
#ifndef HTTP_HEAD_H
#define HTTP_HEAD_H

#include <stdbool.h>
#include <stdint.h>

#include "base/limits.h"
#include "base/slice.h"

enum http_method {
	HTTP_GET,
	HTTP_HEAD,
	HTTP_PUT,
	HTTP_POST,
	HTTP_DELETE,
	HTTP_OPTIONS,
	HTTP_OTHER, /* any other token; `method_text` has it */
};

enum http_body {
	HTTP_BODY_NONE,
	HTTP_BODY_LENGTH, /* content_length bytes; 0 is possible */
	HTTP_BODY_CHUNKED,
};

struct http_header {
	struct slice name;  /* as sent */
	struct slice value; /* without surrounding white space */
};

/* All slices point into the text that was parsed. */
struct request_head {
	enum http_method method;
	struct slice method_text;
	struct slice
		target; /* as sent: "/a%20b?x=1" (an absolute-form's authority is moved to host) */
	struct slice path;  /* what is before `?` */
	struct slice query; /* what is behind it, empty if there is none */
	struct slice host;  /* as sent, with port */
	int minor;          /* HTTP/1.minor: 0 or 1 */
	bool keep_alive;
	bool expect_continue;
	enum http_body body;
	uint64_t content_length;
	size_t header_count;
	struct http_header headers[LIMIT_HEADERS];
};

enum head_result {
	HEAD_MORE,     /* no end yet: call again with more bytes behind the same ones */
	HEAD_DONE,     /* *ret is filled; *ret_size bytes were the head */
	HEAD_BAD,      /* 400: malformed or ambiguous */
	HEAD_TOO_LONG, /* 431, or 414 for the target: answer 400-class and close */
	HEAD_VERSION,  /* 505: not HTTP/1.x */
};

/*
 * Parses the head at the front of `text`, which begins where the request begins (CRLFs before the
 * request line have been skipped by request_head_skip()). Keeps no state between calls: *ret_size
 * is also where the search for the end may start next time, so a head that arrives byte by byte
 * costs linear time; pass `from` = 0 first, then the *ret_size of the HEAD_MORE before.
 */
enum head_result request_head_parse(
	struct slice text, size_t from, struct request_head *ret, size_t *ret_size) MUST_USE;

/* How many bytes of empty lines to skip before a request line (RFC 9112 section 2.2). */
size_t request_head_skip(struct slice text);

/*
 * The value of the header `name` (ASCII case ignored), the first if it is repeated; ptr is NULL
 * if it is absent.
 */
struct slice request_head_get(const struct request_head *head, struct slice name);

/* How many headers have that name. */
size_t request_head_count(const struct request_head *head, struct slice name);

#endif
