/* SPDX-License-Identifier: Apache-2.0 */
#include "http_trace.h"
#include "tap.h"

#define ROW_BYTES ((size_t)1 << 20)

struct row {
	const char *name;
	struct slice input;
	struct slice want;
};

#define BAD SLICE_LIT("|BAD")

static const struct row rows[] = {
	{"one chunk", SLICE_LIT("5\r\nhello\r\n0\r\n\r\nGET /"), SLICE_LIT("hello|DONE left 5")},
	{"no content", SLICE_LIT("0\r\n\r\n"), SLICE_LIT("|DONE left 0")},
	{"several chunks, digits of both cases",
		SLICE_LIT("a\r\n0123456789\r\nB\r\n0123456789a\r\n01\r\nz\r\n000\r\n\r\n"),
		SLICE_LIT("01234567890123456789az|DONE left 0")},
	{"content may look like framing", SLICE_LIT("9\r\n0\r\n\r\n\r\n\r\n\r\n0\r\n\r\n"),
		SLICE_LIT("0\r\n\r\n\r\n\r\n|DONE left 0")},
	{"extensions",
		SLICE_LIT("1;a\r\nx\r\n1;a=b;c=\"d;\xff\"\r\ny\r\n1 \t; z\r\nz\r\n0;e\r\n\r\n"),
		SLICE_LIT("xyz|DONE left 0")},
	{"trailers", SLICE_LIT("1\r\nx\r\n0\r\nX-A: b\tc\r\nY:\r\nZ:\xff\r\n\r\n\r\n"),
		SLICE_LIT("x|DONE left 2")},
	{"sixteen digits", SLICE_LIT("0000000000000001\r\nx\r\n0000000000000000\r\n\r\n"),
		SLICE_LIT("x|DONE left 0")},
	{"the largest size", SLICE_LIT("7FFFFFFFFFFFFFFF\r\nx"), SLICE_LIT("x|MORE")},
	{"digits are counted for each chunk",
		SLICE_LIT("0000000001\r\nx\r\n0000000001\r\ny\r\n0000000000\r\n\r\n"),
		SLICE_LIT("xy|DONE left 0")},
	{"sizes do not add up from chunk to chunk",
		SLICE_LIT("10\r\n0123456789abcdef\r\n1\r\nx\r\n0\r\n\r\n"),
		SLICE_LIT("0123456789abcdefx|DONE left 0")},
	{"cut off in content", SLICE_LIT("5\r\nhel"), SLICE_LIT("hel|MORE")},
	{"cut off in the end", SLICE_LIT("0\r\n\r"), SLICE_LIT("|MORE")},

	{"no digits", SLICE_LIT("\r\n"), BAD},
	{"an extension without a size", SLICE_LIT(";a\r\n"), BAD},
	{"a space before the size", SLICE_LIT(" 1\r\nx"), BAD},
	{"a sign", SLICE_LIT("+1\r\nx"), BAD},
	{"a minus", SLICE_LIT("-1\r\nx"), BAD},
	{"0x", SLICE_LIT("0x1\r\nx"), BAD},
	{"a letter behind the size", SLICE_LIT("1g\r\nx"), BAD},
	{"g for a size", SLICE_LIT("g\r\nx"), BAD},
	{"` and @ are no digits", SLICE_LIT("1`\r\nx"), BAD},
	{"a size above the largest", SLICE_LIT("8000000000000000\r\nx"), BAD},
	{"a size that would wrap", SLICE_LIT("FFFFFFFFFFFFFFFF\r\nx"), BAD},
	{"seventeen digits", SLICE_LIT("00000000000000001\r\nx"), BAD},
	{"seventeen digits that overflow", SLICE_LIT("10000000000000001\r\nx"), BAD},
	{"seventeen digits in a later chunk", SLICE_LIT("1\r\nx\r\n00000000000000000\r\n"),
		SLICE_LIT("x|BAD")},
	{"LF behind the size", SLICE_LIT("1\nx\r\n0\r\n\r\n"), BAD},
	{"CR without LF behind the size", SLICE_LIT("1\rx\r\n"), BAD},
	{"a space behind the size alone", SLICE_LIT("1 \r\nx"), BAD},
	{"a space between digits", SLICE_LIT("1 0\r\nx"), BAD},
	{"LF behind a space", SLICE_LIT("1 \nx"), BAD},
	{"LF in an extension", SLICE_LIT("1;a\nx"), BAD},
	{"CR in an extension", SLICE_LIT("1;a\rb\r\nx"), BAD},
	{"NUL in an extension", SLICE_LIT("1;\0\r\nx"), BAD},
	{"0x7f in an extension", SLICE_LIT("1;\x7f\r\nx"), BAD},
	{"content longer than its size", SLICE_LIT("1\r\nxy\r\n0\r\n\r\n"), SLICE_LIT("x|BAD")},
	{"LF behind content", SLICE_LIT("1\r\nx\n0\r\n\r\n"), SLICE_LIT("x|BAD")},
	{"CR without LF behind content", SLICE_LIT("1\r\nx\r0\r\n\r\n"), SLICE_LIT("x|BAD")},
	{"LF for the last line", SLICE_LIT("0\r\n\n"), BAD},
	{"CR without LF for the last line", SLICE_LIT("0\r\n\rx"), BAD},
	{"a trailer that begins with a space", SLICE_LIT("0\r\n x: y\r\n\r\n"), BAD},
	{"a trailer without a name", SLICE_LIT("0\r\n: y\r\n\r\n"), BAD},
	{"a trailer without a colon", SLICE_LIT("0\r\nx\r\n\r\n"), BAD},
	{"a space before a trailer's colon", SLICE_LIT("0\r\nx : y\r\n\r\n"), BAD},
	{"LF behind a trailer", SLICE_LIT("0\r\nx: y\n\r\n"), BAD},
	{"CR in a trailer", SLICE_LIT("0\r\nx: y\rz\r\n\r\n"), BAD},
	{"NUL in a trailer", SLICE_LIT("0\r\nx: \0\r\n\r\n"), BAD},
	{"folding of a trailer", SLICE_LIT("0\r\nx: y\r\n z\r\n\r\n"), BAD},
};

static void check(const struct row *row)
{
	SCOPED_STRBUF(got, ROW_BYTES);
	trace_chunked(row->input, CUT_NOT, &got);
	IS(strbuf_slice(&got), row->want, row->name);
	size_t differing = 0;
	for (size_t at = 0; at <= row->input.len; at++) {
		SCOPED_STRBUF(again, ROW_BYTES);
		trace_chunked(row->input, at > 0 ? CUT_AT(at) : CUT_EVERY(1), &again);
		differing += !slice_eq(strbuf_slice(&again), row->want);
		SCOPED_STRBUF(thirds, ROW_BYTES);
		trace_chunked(row->input, (struct cut){at, 2, 0}, &thirds);
		differing += !slice_eq(strbuf_slice(&thirds), row->want);
	}
	OK(differing == 0, "%s, at every split", row->name);
}

static void add_many(struct strbuf *sb, char c, size_t count)
{
	while (count-- > 0)
		strbuf_addc(sb, c);
}

/* `prefix`, then as many `x` as make a text of `size` bytes with `suffix`. */
static void limit_is(
	const char *name, const char *prefix, const char *suffix, size_t size, struct slice want)
{
	SCOPED_STRBUF(text, ROW_BYTES);
	strbuf_adds(&text, prefix);
	add_many(&text, 'x', size - strlen(prefix) - strlen(suffix));
	strbuf_adds(&text, suffix);
	SCOPED_STRBUF(whole, ROW_BYTES);
	SCOPED_STRBUF(bytewise, ROW_BYTES);
	trace_chunked(strbuf_slice(&text), CUT_NOT, &whole);
	trace_chunked(strbuf_slice(&text), CUT_EVERY(1), &bytewise);
	IS(strbuf_slice(&whole), want, name);
	IS(strbuf_slice(&bytewise), want, name);
}

static void limits(void)
{
	limit_is("the longest line", "0;", "\r\n", LIMIT_CHUNK_LINE_BYTES, S("|MORE"));
	limit_is("one byte more", "0;", "\r\n", LIMIT_CHUNK_LINE_BYTES + 1, S("|BAD"));
	limit_is("the longest trailers", "0\r\na: ", "\r\n\r\n", LIMIT_TRAILER_BYTES + 3,
		S("|DONE left 0"));
	limit_is("one byte more", "0\r\na: ", "\r\n\r\n", LIMIT_TRAILER_BYTES + 4, S("|BAD"));
	limit_is("several trailers count together", "0\r\na: 1\r\nb: 2\r\nc: ", "\r\n\r\n",
		LIMIT_TRAILER_BYTES + 4, S("|BAD"));

	/* Also where a trailer ends just where a chunk's line would be too long. */
	SCOPED_STRBUF(short_trailers, ROW_BYTES);
	strbuf_adds(&short_trailers, "0\r\n");
	for (int i = 0; i < 1000; i++)
		strbuf_adds(&short_trailers, "a:\r\n");
	strbuf_adds(&short_trailers, "\r\n");
	SCOPED_STRBUF(ended, ROW_BYTES);
	trace_chunked(strbuf_slice(&short_trailers), CUT_NOT, &ended);
	IS(strbuf_slice(&ended), S("|DONE left 0"), "a thousand trailers");

	/* A limit is for one line: many lines that keep it are no offence. */
	SCOPED_STRBUF(text, ROW_BYTES);
	SCOPED_STRBUF(want, ROW_BYTES);
	for (int i = 0; i < 10; i++) {
		strbuf_adds(&text, "1;");
		add_many(&text, 'e', LIMIT_CHUNK_LINE_BYTES - 100);
		strbuf_adds(&text, "\r\nx\r\n");
		strbuf_addc(&want, 'x');
	}
	strbuf_adds(&text, "0\r\n");
	strbuf_adds(&want, "|MORE");
	SCOPED_STRBUF(got, ROW_BYTES);
	trace_chunked(strbuf_slice(&text), CUT_NOT, &got);
	IS(strbuf_slice(&got), strbuf_slice(&want), "ten long lines");
}

/* Any content in chunks of any size comes out as it went in. */
static void round_trips(void)
{
	uint64_t random = 20240229;
	size_t wrong = 0;
	for (int round = 0; round < 200; round++) {
		SCOPED_STRBUF(coded, ROW_BYTES);
		SCOPED_STRBUF(plain, ROW_BYTES);
		for (uint64_t chunks = trace_random(&random) % 20; chunks > 0; chunks--) {
			size_t len = (size_t)(trace_random(&random) % 40) + 1;
			strbuf_addf(&coded, "%zx\r\n", len);
			for (size_t i = 0; i < len; i++) {
				char c = "\r\n0;:x"[trace_random(&random) % 6];
				strbuf_addc(&coded, c);
				strbuf_addc(&plain, c);
			}
			strbuf_adds(&coded, "\r\n");
		}
		strbuf_adds(&coded, "0\r\n\r\n");
		strbuf_adds(&plain, "|DONE left 0");
		SCOPED_STRBUF(got, ROW_BYTES);
		trace_chunked(strbuf_slice(&coded), CUT_BY(random), &got);
		wrong += !slice_eq(strbuf_slice(&got), strbuf_slice(&plain));
	}
	IS_INT(wrong, 0, "200 round trips");
}

int main(void)
{
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		check(&rows[i]);
	limits();
	round_trips();
	return tap_done();
}
