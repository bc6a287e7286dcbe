/* SPDX-License-Identifier: Apache-2.0 */
#include "http/form.h"

#include <assert.h>

#include "http/form_internal.h"

/* The CRLF of the first boundary, and of one right behind a part's headers, came before it. */
static void assume_line_end(struct form *f)
{
	f->matched = 2;
	f->assumed = 2;
}

static enum form_result fail(struct form *f, enum form_result error)
{
	f->state = FORM_AT_ERROR;
	f->error = error;
	return error;
}

/* Goes on with a delimiter that began in an earlier piece, as far as the input does. */
static bool still_matches(struct form *f, struct slice *in)
{
	size_t left = f->delimiter_len - f->matched;
	struct slice next = slice_head(*in, left);
	if (memcmp(next.ptr, f->delimiter + f->matched, next.len) != 0)
		return false;
	f->matched += next.len;
	*in = slice_from(*in, next.len);
	return true;
}

/* What was held over is content after all. */
static struct slice release_held(struct form *f)
{
	struct slice held = slice_of(f->delimiter + f->assumed, f->matched - f->assumed);
	f->matched = 0;
	f->assumed = 0;
	return held;
}

/*
 * Takes content, or preamble, up to a delimiter or the end of the input. What it returns may be
 * empty; then the state or the input has moved on.
 */
static struct slice take_content(struct form *f, struct slice *in)
{
	struct slice data = {NULL, 0};
	if (f->matched == 0) {
		size_t len = form_find_delimiter(f, *in, &f->matched);
		data = slice_head(*in, len);
		*in = slice_from(*in, len + f->matched);
	} else if (!still_matches(f, in)) {
		return release_held(f);
	}
	if (f->matched == f->delimiter_len) {
		f->matched = 0;
		f->state = FORM_AT_LINE;
	}
	return data;
}

/* The line of a delimiter is complete. Says whether that ended a part. */
static bool end_part(struct form *f, enum form_state next)
{
	bool ended = f->in_part;
	f->in_part = false;
	f->state = next;
	f->headers_len = 0;
	f->line_start = 0;
	return ended;
}

/* A byte behind a delimiter. FORM_MORE: go on. */
static enum form_result feed_line(struct form *f, char byte)
{
	bool first = f->state == FORM_AT_LINE;
	bool space = first || f->state == FORM_AT_LINE_SPACE;
	if (first && byte == '-') {
		f->state = FORM_AT_LINE_DASH;
	} else if (f->state == FORM_AT_LINE_DASH && byte == '-') {
		if (end_part(f, FORM_AT_END))
			return FORM_PART_END;
	} else if (space && (byte == ' ' || byte == '\t')) {
		f->state = FORM_AT_LINE_SPACE;
	} else if (space && byte == '\r') {
		f->state = FORM_AT_LINE_LF;
	} else if (f->state == FORM_AT_LINE_LF && byte == '\n') {
		if (end_part(f, FORM_AT_HEADERS))
			return FORM_PART_END;
	} else {
		return fail(f, FORM_BAD);
	}
	return FORM_MORE;
}

/* The empty line that ends the headers is in the buffer. */
static enum form_result begin_part(struct form *f, struct form_part *ret)
{
	enum form_result result = form_parse_part(slice_of(f->headers, f->line_start), ret);
	if (result != FORM_PART)
		return fail(f, result);
	f->state = FORM_AT_CONTENT;
	f->in_part = true;
	assume_line_end(f);
	return FORM_PART;
}

/* Copies up to one line of a part's headers. FORM_MORE: go on. */
static enum form_result feed_headers(struct form *f, struct slice *in, struct form_part *ret)
{
	size_t len = slice_find(*in, '\n');
	bool whole = len < in->len;
	len += whole;
	if (len > sizeof f->headers - f->headers_len)
		return fail(f, FORM_HEADERS_TOO_LONG);
	memcpy(f->headers + f->headers_len, in->ptr, len);
	f->headers_len += len;
	*in = slice_from(*in, len);
	if (!whole)
		return FORM_MORE;

	size_t line_len = f->headers_len - f->line_start;
	if (line_len < 2 || f->headers[f->headers_len - 2] != '\r')
		return fail(f, FORM_BAD);
	if (line_len == 2)
		return begin_part(f, ret);
	f->line_start = f->headers_len;
	return FORM_MORE;
}

void form_init(struct form *f, struct slice boundary)
{
	assert(boundary.len >= 1 && boundary.len <= LIMIT_BOUNDARY_BYTES);
	f->state = FORM_AT_PREAMBLE;
	f->error = FORM_BAD;
	f->in_part = false;
	f->headers_len = 0;
	f->line_start = 0;
	memcpy(f->delimiter, "\r\n--", 4);
	memcpy(f->delimiter + 4, boundary.ptr, boundary.len);
	f->delimiter_len = boundary.len + 4;
	memset(f->in_tail, false, sizeof f->in_tail);
	for (size_t i = 1; i < f->delimiter_len; i++)
		f->in_tail[(unsigned char)f->delimiter[i]] = true;
	assume_line_end(f);
}

/* One step through the machine, with input. FORM_MORE: go on. */
static enum form_result step(struct form *f, struct slice *in, struct form_event *ret)
{
	char byte;
	switch (f->state) {
	case FORM_AT_PREAMBLE:
		(void)take_content(f, in);
		return FORM_MORE;
	case FORM_AT_CONTENT:
		ret->data = take_content(f, in);
		return ret->data.len > 0 ? FORM_DATA : FORM_MORE;
	case FORM_AT_LINE:
	case FORM_AT_LINE_DASH:
	case FORM_AT_LINE_SPACE:
	case FORM_AT_LINE_LF:
		byte = in->ptr[0];
		*in = slice_from(*in, 1);
		return feed_line(f, byte);
	case FORM_AT_HEADERS:
		return feed_headers(f, in, &ret->part);
	case FORM_AT_END:
	case FORM_AT_ERROR:
		break;
	}
	return FORM_MORE;
}

enum form_result form_feed(struct form *f, struct slice *in, struct form_event *ret)
{
	for (;;) {
		if (f->state == FORM_AT_ERROR)
			return f->error;
		if (f->state == FORM_AT_END) {
			*in = slice_from(*in, in->len);
			return FORM_END;
		}
		if (in->len == 0)
			return FORM_MORE;
		enum form_result result = step(f, in, ret);
		if (result != FORM_MORE)
			return result;
	}
}
