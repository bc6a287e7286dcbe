/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Runs the streaming machines of src/http/ over an input cut into pieces, and writes down what they
 * report as text, so that two ways of cutting can be compared. Each piece is a heap block of its
 * own, freed before the next, so that AddressSanitizer sees what reads outside or too late.
 */
#ifndef TESTS_HTTP_TRACE_H
#define TESTS_HTTP_TRACE_H

#include <assert.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/slice.h"
#include "base/strbuf.h"
#include "http/chunked.h"
#include "http/form.h"
#include "http/head.h"

#define TRACE_BYTES ((size_t)64 << 20)

/* How to cut: pieces of `first`, then `then` bytes each; with `seed` of pseudo-random lengths. */
struct cut {
	size_t first;
	size_t then;
	uint64_t seed;
};

#define CUT_NOT ((struct cut){SIZE_MAX, SIZE_MAX, 0})
#define CUT_AT(n) ((struct cut){(n), SIZE_MAX, 0})
#define CUT_EVERY(n) ((struct cut){(n), (n), 0})
#define CUT_BY(seed) ((struct cut){0, 0, (seed) | 1})

/* A pseudo-random number (xorshift64). `state` must not start as 0. */
static inline uint64_t trace_random(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state;
}

/* The length of the next piece. Mostly short ones when they are random. */
static inline size_t cut_next(struct cut *cut, size_t left)
{
	size_t len = cut->first;
	if (cut->seed) {
		uint64_t r = trace_random(&cut->seed);
		len = (size_t)(r >> 8) % ((r & 7) == 0 ? 1000 : 12);
	} else {
		cut->first = cut->then;
	}
	return len < left ? len : left;
}

static inline struct slice trace_block(struct slice bytes)
{
	char *copy = malloc(bytes.len > 0 ? bytes.len : 1);
	assert(copy);
	if (bytes.len > 0)
		memcpy(copy, bytes.ptr, bytes.len);
	return slice_of(copy, bytes.len);
}

static inline void trace_block_free(struct slice block)
{
	void *memory;
	memcpy(&memory, &block.ptr, sizeof memory);
	free(memory);
}

static inline bool trace_inside(struct slice part, const void *whole, size_t len)
{
	const char *from = whole;
	return part.len == 0 || (part.ptr >= from && part.ptr + part.len <= from + len);
}

/* ---- Chunked: the content, then DONE and what is left, MORE or BAD -------------------------- */

/* Feeds one piece; false when the machine has come to an end. */
static inline bool trace_chunked_piece(
	struct chunked *c, struct slice piece, struct strbuf *out, size_t *ret_left)
{
	struct slice in = piece, data;
	for (;;) {
		enum chunked_result result = chunked_feed(c, &in, &data);
		if (result == CHUNKED_MORE) {
			assert(in.len == 0);
			return true;
		}
		if (result == CHUNKED_DATA) {
			assert(data.len > 0 && trace_inside(data, piece.ptr, piece.len));
			strbuf_add_slice(out, data);
			continue;
		}
		/* The end stays the end. */
		struct slice again = in;
		assert(chunked_feed(c, &again, &data) == result && again.len == in.len);
		*ret_left = in.len;
		strbuf_adds(out, result == CHUNKED_DONE ? "|DONE" : "|BAD");
		return false;
	}
}

static inline void trace_chunked(struct slice input, struct cut cut, struct strbuf *out)
{
	struct chunked c;
	chunked_init(&c);
	while (input.len > 0) {
		struct slice piece = trace_block(slice_head(input, cut_next(&cut, input.len)));
		input = slice_from(input, piece.len);
		size_t left;
		bool more = trace_chunked_piece(&c, piece, out, &left);
		trace_block_free(piece);
		if (!more) {
			if (c.state == CHUNKED_AT_END)
				strbuf_addf(out, " left %zu", left + input.len);
			return;
		}
	}
	strbuf_adds(out, "|MORE");
}

/* ---- Forms: {name;filename;type;encoding}content} for each part, then how it ended ---------- */

static inline void trace_part(
	const struct form *f, const struct form_part *part, struct strbuf *out)
{
	assert(trace_inside(part->name, f->headers, sizeof f->headers));
	assert(trace_inside(part->filename, f->headers, sizeof f->headers));
	strbuf_addc(out, '{');
	strbuf_add_slice(out, part->name);
	if (part->has_filename) {
		strbuf_adds(out, part->filename_is_encoded ? ";file*=" : ";file=");
		strbuf_add_slice(out, part->filename);
	}
	if (part->content_type.ptr) {
		strbuf_adds(out, ";type=");
		strbuf_add_slice(out, part->content_type);
	}
	if (part->content_transfer_encoding.ptr) {
		strbuf_adds(out, ";coding=");
		strbuf_add_slice(out, part->content_transfer_encoding);
	}
	strbuf_addc(out, ':');
}

static inline const char *trace_form_end(enum form_result result)
{
	switch (result) {
	case FORM_END:
		return "END";
	case FORM_BAD:
		return "BAD";
	case FORM_HEADERS_TOO_LONG:
		return "HEADERS TOO LONG";
	case FORM_NAME_TOO_LONG:
		return "NAME TOO LONG";
	case FORM_MORE:
	case FORM_PART:
	case FORM_DATA:
	case FORM_PART_END:
		break;
	}
	return "?";
}

/* Feeds one piece; false when the machine has come to an end. */
static inline bool trace_form_piece(struct form *f, struct slice piece, struct strbuf *out)
{
	struct slice in = piece;
	struct form_event event;
	for (;;) {
		enum form_result result = form_feed(f, &in, &event);
		if (result == FORM_MORE) {
			assert(in.len == 0);
			return true;
		} else if (result == FORM_PART) {
			trace_part(f, &event.part, out);
		} else if (result == FORM_DATA) {
			assert(event.data.len > 0);
			assert(trace_inside(event.data, piece.ptr, piece.len) ||
				trace_inside(event.data, f->delimiter, sizeof f->delimiter));
			strbuf_add_slice(out, event.data);
		} else if (result == FORM_PART_END) {
			strbuf_addc(out, '}');
		} else {
			struct slice again = S("x");
			assert(form_feed(f, &again, &event) == result);
			strbuf_adds(out, trace_form_end(result));
			return false;
		}
	}
}

static inline void trace_form(
	struct slice boundary, struct slice input, struct cut cut, struct strbuf *out)
{
	struct form *f = malloc(sizeof *f);
	assert(f);
	form_init(f, boundary);
	bool more = true;
	while (more && input.len > 0) {
		struct slice piece = trace_block(slice_head(input, cut_next(&cut, input.len)));
		input = slice_from(input, piece.len);
		more = trace_form_piece(f, piece, out);
		trace_block_free(piece);
	}
	if (more)
		strbuf_adds(out, "MORE");
	free(f);
}

/* ---- Request heads --------------------------------------------------------------------------- */

static inline void trace_head_fields(const struct request_head *h, struct strbuf *out)
{
	strbuf_add_slice(out, h->method_text);
	strbuf_addf(out, "(%d) ", (int)h->method);
	strbuf_add_slice(out, h->path);
	strbuf_addc(out, '?');
	strbuf_add_slice(out, h->query);
	strbuf_addf(out, " 1.%d @", h->minor);
	strbuf_add_slice(out, h->host);
	strbuf_adds(out, h->keep_alive ? " keep" : " close");
	strbuf_adds(out, h->expect_continue ? " expect" : "");
	if (h->body == HTTP_BODY_CHUNKED)
		strbuf_adds(out, h->both_lengths ? " chunked, not length" : " chunked");
	if (h->body == HTTP_BODY_LENGTH)
		strbuf_addf(out, " length=%" PRIu64, h->content_length);
	for (size_t i = 0; i < h->header_count; i++) {
		strbuf_addc(out, '\n');
		strbuf_add_slice(out, h->headers[i].name);
		strbuf_addc(out, '=');
		strbuf_add_slice(out, h->headers[i].value);
	}
}

static inline void trace_head_result(enum head_result result, struct strbuf *out)
{
	static const char *const names[] = {
		[HEAD_MORE] = "MORE",
		[HEAD_DONE] = "DONE",
		[HEAD_BAD] = "BAD",
		[HEAD_TOO_LONG] = "TOO LONG",
		[HEAD_VERSION] = "VERSION",
	};
	strbuf_adds(out, names[result]);
}

/*
 * The text grows by a piece at a time, as in a connection's buffer; each time in a new block. Empty
 * lines before it are skipped as they come.
 */
static inline void trace_head(struct slice input, struct cut cut, struct strbuf *out)
{
	struct request_head *head = malloc(sizeof *head);
	assert(head);
	size_t have = 0, size = 0;
	enum head_result result = HEAD_MORE;
	while (result == HEAD_MORE && have < input.len) {
		have += cut_next(&cut, input.len - have);
		struct slice text = trace_block(slice_head(input, have));
		size_t skip = request_head_skip(text);
		input = slice_from(input, skip);
		have -= skip;
		struct slice rest = slice_from(text, skip);
		if (!request_head_awaited(rest)) {
			result = request_head_parse(rest, size, head, &size);
			assert(result != HEAD_MORE || size == have);
		}
		if (result == HEAD_DONE) {
			assert(size == slice_find_slice(input, S("\r\n\r\n")) + 4);
			trace_head_fields(head, out);
		}
		trace_block_free(text);
	}
	if (result != HEAD_DONE)
		trace_head_result(result, out);
	free(head);
}

#endif
