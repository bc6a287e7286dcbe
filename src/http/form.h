/* SPDX-License-Identifier: Apache-2.0 */
/*
 * multipart/form-data (RFC 7578, RFC 2046 section 5.1), taken apart as it arrives in pieces of any
 * size. Content is passed on as slices of the input, at the speed of memchr; only the headers of
 * the current part are kept, in a fixed array.
 *
 * Accepted: a preamble and an epilogue, which are skipped; spaces and tabs behind a boundary; a
 * first boundary without CRLF before it. Refused: lines in part headers that do not end with CRLF,
 * folding, NUL, a part without `Content-Disposition: form-data` and a name, and the same header or
 * parameter twice, where two readers would differ.
 *
 * Quoted values are raw: %22, %0D%0A (browsers' escapes) and backslashes stay. So that clients
 * which write \" for a quote are understood, a quote behind a backslash ends the value only if
 * `;` or the end of the line follows.
 */
#ifndef HTTP_FORM_H
#define HTTP_FORM_H

#include <stdbool.h>

#include "base/limits.h"
#include "base/slice.h"

enum form_result {
	FORM_MORE,     /* the whole input was consumed and the form has not ended */
	FORM_PART,     /* a part begins: ret->part is filled */
	FORM_DATA,     /* ret->data is content of the part, never empty */
	FORM_PART_END, /* the part is complete, its closing boundary well-formed */
	FORM_END,      /* the final boundary was seen. Stays so; later input is consumed unread */
	FORM_BAD,      /* malformed. This and the two below stay so */
	FORM_HEADERS_TOO_LONG, /* the part's headers exceed LIMIT_PART_HEADERS_BYTES */
	FORM_NAME_TOO_LONG,    /* the field's name exceeds LIMIT_FIELD_NAME_BYTES */
};

struct form_part {
	struct slice name;
	bool has_filename;        /* there is a filename or filename* parameter */
	bool filename_is_encoded; /* only filename* was there: `filename` is percent-encoded UTF-8,
				     or empty if its charset was another */
	struct slice filename;
	struct slice content_type;              /* ptr is NULL if there is none */
	struct slice content_transfer_encoding; /* ptr is NULL if there is none */
};

struct form_event {
	struct form_part part; /* FORM_PART; its slices live until FORM_PART_END is returned */
	/*
	 * FORM_DATA; lives until the next call. A slice of the input, except for a few bytes held
	 * over from the piece before because they could have begun a boundary.
	 */
	struct slice data;
};

enum form_state {
	FORM_AT_PREAMBLE,  /* before the first delimiter */
	FORM_AT_CONTENT,   /* in a part, behind its headers */
	FORM_AT_LINE,      /* right behind a delimiter: `-`, white space or CR */
	FORM_AT_LINE_DASH, /* behind a delimiter and `-`: another one */
	FORM_AT_LINE_SPACE,
	FORM_AT_LINE_LF,
	FORM_AT_HEADERS,
	FORM_AT_END,
	FORM_AT_ERROR, /* `error` is returned */
};

struct form {
	enum form_state state;
	enum form_result error;
	bool in_part;
	size_t matched; /* bytes at the end of the input so far that could begin a boundary */
	size_t assumed; /* how many of them are a CRLF that belongs to what came before */
	size_t delimiter_len;
	size_t headers_len;
	size_t line_start;                        /* in `headers` */
	char delimiter[LIMIT_BOUNDARY_BYTES + 4]; /* CR LF - - boundary */
	bool in_tail[256];                        /* the bytes of `delimiter` behind its CR */
	char headers[LIMIT_PART_HEADERS_BYTES];
};

/* `boundary` is 1..LIMIT_BOUNDARY_BYTES long, without CR, as form_boundary_parse() gives it. */
void form_init(struct form *f, struct slice boundary);

/*
 * Consumes from the front of *in up to the next event and returns it. Call until it says
 * FORM_MORE, then with the next piece of input. If the body ends before FORM_END the form was cut
 * off, which is malformed.
 */
enum form_result form_feed(struct form *f, struct slice *in, struct form_event *ret) MUST_USE;

enum form_boundary {
	FORM_BOUNDARY_FOUND,
	FORM_BOUNDARY_OTHER_TYPE, /* the media type is not multipart/form-data, or there is none */
	FORM_BOUNDARY_MISSING,    /* it is, but without one usable boundary */
};

/*
 * Takes the boundary out of the value of a request's Content-Type. *ret_boundary is a slice of
 * `content_type`. It may be quoted or not, and holds visible ASCII without `"` and `\`; quoted it
 * may also hold spaces, but not at its end.
 */
enum form_boundary form_boundary_parse(
	struct slice content_type, struct slice *ret_boundary) MUST_USE;

#endif
