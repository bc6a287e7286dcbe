/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The head of an HTTP/1.1 request (RFC 9112): request line and headers, and what they say about the
 * body. The parser is strict: a message that two parsers could read differently is refused.
 */
#ifndef HTTP_HEAD_H
#define HTTP_HEAD_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
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

/*
 * All slices point into the text that was parsed; only the target of an absolute-form without a
 * path ("http://a") is the constant "/".
 */
struct request_head {
	enum http_method method;
	struct slice method_text;
	struct slice
		target;     /* as sent, "/a%20b?x=1" or "*"; without an absolute-form's authority */
	struct slice path;  /* what is before `?` */
	struct slice query; /* what follows it, empty if there is none */
	struct slice host;  /* as sent, with port; empty only if HTTP/1.0 sent none */
	int minor;          /* HTTP/1.minor: 0 or 1 */
	bool keep_alive;
	bool expect_continue; /* the client waits for 100 before it sends the body, which it has */
	enum http_body body;
	/*
	 * There is a Content-Length besides `chunked`, which is ignored. Two parsers could disagree
	 * about where such a message ends, so a server that accepts it must close the connection
	 * after the answer.
	 */
	bool both_lengths;
	uint64_t content_length; /* at most INT64_MAX; 0 unless `body` is HTTP_BODY_LENGTH */
	const char *fault;       /* what is wrong, in English, if the result is an error */
	size_t header_count;
	struct http_header headers[LIMIT_HEADERS];
};

enum head_result {
	HEAD_MORE,     /* incomplete: call again with more bytes after the same ones */
	HEAD_DONE,     /* *ret is filled; *ret_size bytes were the head */
	HEAD_BAD,      /* 400: malformed or ambiguous */
	HEAD_TOO_LONG, /* 431: more bytes, headers or target than base/limits.h allows */
	HEAD_VERSION,  /* 505: well-formed, but neither HTTP/1.0 nor HTTP/1.1 */
};

/*
 * Parses the head at the front of `text`, which begins where the request begins (CRLFs before the
 * request line have been skipped by request_head_skip()). Keeps no state between calls: *ret_size
 * is also where the search for the end may start next time, so a head that arrives byte by byte
 * costs linear time; pass `from` = 0 first, then the *ret_size of the HEAD_MORE before. *ret is
 * undefined unless the result is HEAD_DONE, except for `fault` after an error. Input that is
 * malformed from its first byte (a TLS hello) and a bare LF are refused before the end has arrived.
 *
 * Refused, besides what the grammar forbids: line folding; bare CR or LF; control bytes; several
 * Host, Content-Length or Transfer-Encoding headers; a Content-Length with leading zeros, sign or
 * list; a Transfer-Encoding that is not `chunked` or comes with HTTP/1.0; an Expect that is not
 * 100-continue; a Host that is empty or is not a name, an address or a bracketed IPv6 address with
 * an optional port; a target that is not `/...`, an http(s) URL without user information, or `*`
 * with OPTIONS; `#` in a target. Bytes of 0x80 and above are allowed in targets and values.
 */
enum head_result request_head_parse(
	struct slice text, size_t from, struct request_head *ret, size_t *ret_size) MUST_USE;

/* How many bytes of empty lines to skip before a request line (RFC 9112 section 2.2). */
size_t request_head_skip(struct slice text);
/*
 * Whether nothing of a request is there yet behind what was skipped: no byte, or the CR of one more
 * empty line whose LF may follow.
 */
bool request_head_awaited(struct slice text);

/*
 * The value of the header `name` (ASCII case ignored), the first if it is repeated; ptr is NULL
 * if it is absent.
 */
struct slice request_head_get(const struct request_head *head, struct slice name);

enum head_join {
	HEAD_JOIN_OK,
	HEAD_JOIN_CONFLICT, /* *ret_conflict: the name that has two values */
	HEAD_JOIN_NO_MEMORY,
};

/*
 * Sets *ret to a head in which each name occurs once: `head` itself if that is so already, else a
 * copy in `arena`. Equal lines of a header for which `is_single` holds become one; the lines of
 * other headers are joined with commas in their order (RFC 9110 section 5.3).
 */
enum head_join request_head_join(const struct request_head *head,
	bool (*is_single)(struct slice name), struct arena *arena, const struct request_head **ret,
	struct slice *ret_conflict) MUST_USE;

#endif
