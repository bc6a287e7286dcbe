/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What postern reads in HTTP requests, for tests/e2e/wire/differential.test.js: messages come on
 * standard input, each behind its length (4 bytes, little-endian), and each gets a line of JSON.
 * Texts are hexadecimal.
 */
#include <stdio.h>

#include "base/encode.h"
#include "base/strbuf.h"
#include "http/chunked.h"
#include "http/head.h"

enum {
	MESSAGE_MAX = 1 << 20,
};

static void add_hex(struct strbuf *out, const char *name, struct slice text)
{
	strbuf_addf(out, ",\"%s\":\"", name);
	hex_encode_lower(out, text);
	strbuf_addc(out, '"');
}

static const char *add_chunks(struct slice in, struct strbuf *body)
{
	struct chunked c;
	struct slice data;
	chunked_init(&c);
	for (;;) {
		switch (chunked_feed(&c, &in, &data)) {
		case CHUNKED_DATA:
			strbuf_add_slice(body, data);
			break;
		case CHUNKED_MORE:
			return "more";
		case CHUNKED_DONE:
			return "done";
		case CHUNKED_BAD:
			return "bad";
		}
	}
}

static const char *add_body(const struct request_head *head, struct slice rest, struct strbuf *body)
{
	if (head->body == HTTP_BODY_CHUNKED)
		return add_chunks(rest, body);
	uint64_t size = head->body == HTTP_BODY_LENGTH ? head->content_length : 0;
	strbuf_add_slice(body, slice_head(rest, size < rest.len ? (size_t)size : rest.len));
	return size <= rest.len ? "done" : "more";
}

static void add_message(struct strbuf *out, struct slice text)
{
	static const char *const results[] = {[HEAD_MORE] = "more",
		[HEAD_DONE] = "done",
		[HEAD_BAD] = "bad",
		[HEAD_TOO_LONG] = "long",
		[HEAD_VERSION] = "version"};
	struct request_head head;
	size_t size;
	SCOPED_STRBUF(body, MESSAGE_MAX);
	text = slice_from(text, request_head_skip(text));
	enum head_result result = request_head_parse(text, 0, &head, &size);
	const char *said = results[result];
	if (result == HEAD_DONE)
		said = add_body(&head, slice_from(text, size), &body);
	strbuf_addf(out, "{\"result\":\"%s\",\"fault\":\"", said);
	strbuf_adds(
		out, result != HEAD_DONE && result != HEAD_MORE && head.fault ? head.fault : "");
	strbuf_addc(out, '"');
	if (result == HEAD_DONE) {
		add_hex(out, "method", head.method_text);
		add_hex(out, "target", head.target);
		add_hex(out, "body", strbuf_slice(&body));
		strbuf_addf(out, ",\"minor\":%d,\"both\":%s,\"headers\":[", head.minor,
			head.both_lengths ? "true" : "false");
		for (size_t i = 0; i < head.header_count; i++) {
			strbuf_adds(out, i ? ",\"" : "\"");
			hex_encode_lower(out, head.headers[i].name);
			strbuf_adds(out, "\",\"");
			hex_encode_lower(out, head.headers[i].value);
			strbuf_addc(out, '"');
		}
		strbuf_addc(out, ']');
	}
	strbuf_adds(out, "}\n");
}

int main(void)
{
	unsigned char size[4];
	while (fread(size, 1, sizeof(size), stdin) == sizeof(size)) {
		size_t len = size[0] | (size_t)size[1] << 8 | (size_t)size[2] << 16;
		/* A block of its own, so that a sanitizer sees what is read behind it. */
		SCOPED_FREE char *bytes = malloc(len ? len : 1);
		SCOPED_STRBUF(line, 8 * (size_t)MESSAGE_MAX);
		if (!bytes || fread(bytes, 1, len, stdin) != len)
			return 1;
		add_message(&line, slice_of(bytes, len));
		if (strbuf_broken(&line) || fwrite(line.ptr, 1, line.len, stdout) != line.len)
			return 1;
	}
	return fflush(stdout) == 0 ? 0 : 1;
}
