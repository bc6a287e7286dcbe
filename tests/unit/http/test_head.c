/* SPDX-License-Identifier: Apache-2.0 */
#include "http_trace.h"
#include "tap.h"

#define ROW_BYTES ((size_t)1 << 20)

/* The head means `want` when it comes at once, byte by byte, and cut in two anywhere. */
static void check(const char *name, struct slice input, struct slice want)
{
	SCOPED_STRBUF(got, ROW_BYTES);
	trace_head(input, CUT_NOT, &got);
	IS(strbuf_slice(&got), want, name);
	size_t differing = 0;
	for (size_t at = 0; at <= input.len; at++) {
		SCOPED_STRBUF(again, ROW_BYTES);
		trace_head(input, at > 0 ? CUT_AT(at) : CUT_EVERY(1), &again);
		differing += !slice_eq(strbuf_slice(&again), want);
	}
	OK(differing == 0, "%s, at every split", name);
}

struct row {
	const char *name;
	struct slice input;
	struct slice want;
};

#define HOST "Host: a\r\n"
#define END HOST "\r\n"
#define BAD SLICE_LIT("BAD")

static const struct row accepted[] = {
	{"a plain GET",
		SLICE_LIT("GET /a%20b?x=1&y HTTP/1.1\r\nHost: b.localhost:9000\r\n\r\nrest"),
		SLICE_LIT("GET(0) /a%20b?x=1&y 1.1 @b.localhost:9000 keep\nHost=b.localhost:9000")},
	{"a body with a length",
		SLICE_LIT("POST / HTTP/1.1\r\nContent-Length: 9223372036854775807\r\n" END),
		SLICE_LIT("POST(3) /? 1.1 @a keep length=9223372036854775807\n"
			  "Content-Length=9223372036854775807\nHost=a")},
	{"a body of length 0", SLICE_LIT("PUT / HTTP/1.1\r\nContent-Length: 0\r\n" END),
		SLICE_LIT("PUT(2) /? 1.1 @a keep length=0\nContent-Length=0\nHost=a")},
	{"a chunked body, whatever the case",
		SLICE_LIT("PUT / HTTP/1.1\r\ntransfer-ENCODING:Chunked\r\n" END),
		SLICE_LIT("PUT(2) /? 1.1 @a keep chunked\ntransfer-ENCODING=Chunked\nHost=a")},
	{"length and chunks: the chunks count",
		SLICE_LIT("PUT / HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: "
			  "chunked\r\n" END),
		SLICE_LIT("PUT(2) /? 1.1 @a keep chunked, not length\n"
			  "Content-Length=1\nTransfer-Encoding=chunked\nHost=a")},
	{"chunks and length",
		SLICE_LIT("PUT / HTTP/1.1\r\nTransfer-Encoding: chunked\r\nContent-Length: "
			  "0\r\n" END),
		SLICE_LIT("PUT(2) /? 1.1 @a keep chunked, not length\n"
			  "Transfer-Encoding=chunked\nContent-Length=0\nHost=a")},
	{"other methods", SLICE_LIT("M-SEARCH / HTTP/1.1\r\n" END),
		SLICE_LIT("M-SEARCH(6) /? 1.1 @a keep\nHost=a")},
	{"methods have case", SLICE_LIT("get / HTTP/1.1\r\n" END),
		SLICE_LIT("get(6) /? 1.1 @a keep\nHost=a")},
	{"HEAD", SLICE_LIT("HEAD / HTTP/1.1\r\n" END), SLICE_LIT("HEAD(1) /? 1.1 @a keep\nHost=a")},
	{"DELETE", SLICE_LIT("DELETE /k? HTTP/1.1\r\n" END),
		SLICE_LIT("DELETE(4) /k? 1.1 @a keep\nHost=a")},
	{"OPTIONS *", SLICE_LIT("OPTIONS * HTTP/1.1\r\n" END),
		SLICE_LIT("OPTIONS(5) *? 1.1 @a keep\nHost=a")},
	{"an absolute target", SLICE_LIT("GET http://B:80/p?q=/ HTTP/1.1\r\n" END),
		SLICE_LIT("GET(0) /p?q=/ 1.1 @B:80 keep\nHost=a")},
	{"an absolute target without a path", SLICE_LIT("GET HTTPS://b HTTP/1.1\r\n" END),
		SLICE_LIT("GET(0) /? 1.1 @b keep\nHost=a")},
	{"a target of raw UTF-8 and odd characters",
		SLICE_LIT("GET /\xc3\xa4\"<>\\^`{|}?? HTTP/1.1\r\n" END),
		SLICE_LIT("GET(0) /\xc3\xa4\"<>\\^`{|}?? 1.1 @a keep\nHost=a")},
	{"an IPv6 host", SLICE_LIT("GET / HTTP/1.1\r\nHost: [::1]:9000\r\n\r\n"),
		SLICE_LIT("GET(0) /? 1.1 @[::1]:9000 keep\nHost=[::1]:9000")},
	{"an IPv6 host without a port", SLICE_LIT("GET / HTTP/1.1\r\nHost: [fe80::1]\r\n\r\n"),
		SLICE_LIT("GET(0) /? 1.1 @[fe80::1] keep\nHost=[fe80::1]")},
	{"the highest port", SLICE_LIT("GET / HTTP/1.1\r\nHost: a-b_c.d~:65535\r\n\r\n"),
		SLICE_LIT("GET(0) /? 1.1 @a-b_c.d~:65535 keep\nHost=a-b_c.d~:65535")},
	{"values are trimmed and may be empty",
		SLICE_LIT("GET / HTTP/1.1\r\nX: \t a\tb \t\r\nY:\r\nZ: \r\n\x21: \xff\r\n" END),
		SLICE_LIT("GET(0) /? 1.1 @a keep\nX=a\tb\nY=\nZ=\n!=\xff\nHost=a")},
	{"a long value with a tab", SLICE_LIT("GET / HTTP/1.1\r\nX: 0123456\t89abcdef\r\n" END),
		SLICE_LIT("GET(0) /? 1.1 @a keep\nX=0123456\t89abcdef\nHost=a")},
	{"close", SLICE_LIT("GET / HTTP/1.1\r\nConnection: Close\r\n" END),
		SLICE_LIT("GET(0) /? 1.1 @a close\nConnection=Close\nHost=a")},
	{"close in a list wins over keep-alive",
		SLICE_LIT("GET / HTTP/1.1\r\nConnection: x ,\tclose,\r\nConnection: "
			  "keep-alive\r\n" END),
		SLICE_LIT("GET(0) /? 1.1 @a close\nConnection=x ,\tclose,\nConnection=keep-alive\n"
			  "Host=a")},
	{"disclosed is not close", SLICE_LIT("GET / HTTP/1.1\r\nConnection: closed\r\n" END),
		SLICE_LIT("GET(0) /? 1.1 @a keep\nConnection=closed\nHost=a")},
	{"HTTP/1.0 closes, and needs no host", SLICE_LIT("GET / HTTP/1.0\r\n\r\n"),
		SLICE_LIT("GET(0) /? 1.0 @ close")},
	{"HTTP/1.0 that keeps alive", SLICE_LIT("GET / HTTP/1.0\r\nconnection: Keep-Alive\r\n\r\n"),
		SLICE_LIT("GET(0) /? 1.0 @ keep\nconnection=Keep-Alive")},
	{"Expect", SLICE_LIT("PUT / HTTP/1.1\r\nExpect: 100-Continue\r\nContent-Length: 1\r\n" END),
		SLICE_LIT("PUT(2) /? 1.1 @a keep expect length=1\nExpect=100-Continue\n"
			  "Content-Length=1\nHost=a")},
	{"Expect with chunks",
		SLICE_LIT("PUT / HTTP/1.1\r\nExpect: 100-continue\r\nTransfer-Encoding: "
			  "chunked\r\n" END),
		SLICE_LIT("PUT(2) /? 1.1 @a keep expect chunked\nExpect=100-continue\n"
			  "Transfer-Encoding=chunked\nHost=a")},
	{"Expect without a body is nothing to wait for",
		SLICE_LIT("PUT / HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 0\r\n" END),
		SLICE_LIT("PUT(2) /? 1.1 @a keep length=0\nExpect=100-continue\nContent-Length=0\n"
			  "Host=a")},
	{"Expect of HTTP/1.0 is ignored",
		SLICE_LIT("PUT / HTTP/1.0\r\nExpect: 100-continue\r\nContent-Length: 1\r\n\r\n"),
		SLICE_LIT("PUT(2) /? 1.0 @ close length=1\nExpect=100-continue\nContent-Length=1")},
	{"empty lines before it", SLICE_LIT("\r\n\r\nGET / HTTP/1.1\r\n" END),
		SLICE_LIT("GET(0) /? 1.1 @a keep\nHost=a")},
	{"nothing but empty lines", SLICE_LIT("\r\n\r\n\r"), SLICE_LIT("MORE")},
	{"no end", SLICE_LIT("GET / HTTP/1.1\r\nHost: a\r\n"), SLICE_LIT("MORE")},
	{"no end of a line", SLICE_LIT("GET / HTTP/1.1"), SLICE_LIT("MORE")},
};

static const struct row refused[] = {
	{"a TLS hello at once", SLICE_LIT("\x16\x03\x01"), BAD},
	{"a bare LF, before the end", SLICE_LIT("GET / HTTP/1.1\nHos"), BAD},
	{"a bare LF behind a header", SLICE_LIT("GET / HTTP/1.1\r\nHost: a\n\r\n"), BAD},
	{"a bare LF at the end", SLICE_LIT("GET / HTTP/1.1\r\nHost: a\r\n\n"), BAD},
	{"two bare LF", SLICE_LIT("GET / HTTP/1.1\r\nHost: a\n\n"), BAD},
	{"a bare CR in a value", SLICE_LIT("GET / HTTP/1.1\r\nX: a\rb\r\n" END), BAD},
	{"a bare CR in a name", SLICE_LIT("GET / HTTP/1.1\r\nX\rY: a\r\n" END), BAD},
	{"a bare CR in the request line", SLICE_LIT("GET /\r HTTP/1.1\r\n" END), BAD},
	{"CR CR LF", SLICE_LIT("GET / HTTP/1.1\r\nX: a\r\r\n" END), BAD},
	{"folding with a space", SLICE_LIT("GET / HTTP/1.1\r\nX: a\r\n b\r\n" END), BAD},
	{"folding with a tab", SLICE_LIT("GET / HTTP/1.1\r\nX: a\r\n\tb: c\r\n" END), BAD},
	{"white space before the first header", SLICE_LIT("GET / HTTP/1.1\r\n " END), BAD},
	{"NUL in a value", SLICE_LIT("GET / HTTP/1.1\r\nX: a\0b\r\n" END), BAD},
	{"NUL in a longer value", SLICE_LIT("GET / HTTP/1.1\r\nX: 0123456789\0b\r\n" END), BAD},
	{"0x1f in a value",
		SLICE_LIT("GET / HTTP/1.1\r\nX: \xff\xff\x1f\xff\xff\xff\xff\xff\r\n" END), BAD},
	{"0x7f in a value", SLICE_LIT("GET / HTTP/1.1\r\nX: \x7f\r\n" END), BAD},
	{"0x7f in a longer value", SLICE_LIT("GET / HTTP/1.1\r\nX: 0123456\x7f 9\r\n" END), BAD},
	{"NUL in a name", SLICE_LIT("GET / HTTP/1.1\r\nX\0: a\r\n" END), BAD},
	{"a space before the colon", SLICE_LIT("GET / HTTP/1.1\r\nX : a\r\n" END), BAD},
	{"an empty name", SLICE_LIT("GET / HTTP/1.1\r\n: a\r\n" END), BAD},
	{"a line without a colon", SLICE_LIT("GET / HTTP/1.1\r\nX\r\n" END), BAD},
	{"a name with a byte above 0x7f", SLICE_LIT("GET / HTTP/1.1\r\nX\xc3\xa4: a\r\n" END), BAD},
	{"a name with a bracket", SLICE_LIT("GET / HTTP/1.1\r\nX(Y): a\r\n" END), BAD},

	{"two lengths, though equal",
		SLICE_LIT("PUT / HTTP/1.1\r\nContent-Length: 1\r\ncontent-length: 1\r\n" END), BAD},
	{"a list of lengths", SLICE_LIT("PUT / HTTP/1.1\r\nContent-Length: 1,1\r\n" END), BAD},
	{"an empty length", SLICE_LIT("PUT / HTTP/1.1\r\nContent-Length:\r\n" END), BAD},
	{"a length with a sign", SLICE_LIT("PUT / HTTP/1.1\r\nContent-Length: +1\r\n" END), BAD},
	{"a negative length", SLICE_LIT("PUT / HTTP/1.1\r\nContent-Length: -1\r\n" END), BAD},
	{"a length with a space", SLICE_LIT("PUT / HTTP/1.1\r\nContent-Length: 1 2\r\n" END), BAD},
	{"a length in hexadecimal", SLICE_LIT("PUT / HTTP/1.1\r\nContent-Length: 0x1\r\n" END),
		BAD},
	{"a length with a leading zero", SLICE_LIT("PUT / HTTP/1.1\r\nContent-Length: 010\r\n" END),
		BAD},
	{"a length of 2^63",
		SLICE_LIT("PUT / HTTP/1.1\r\nContent-Length: 9223372036854775808\r\n" END), BAD},
	{"a length of 2^64",
		SLICE_LIT("PUT / HTTP/1.1\r\nContent-Length: 18446744073709551616\r\n" END), BAD},
	{"an overlong length",
		SLICE_LIT("PUT / HTTP/1.1\r\nContent-Length: 000000000000000000000001\r\n" END),
		BAD},
	{"chunks beside two lengths",
		SLICE_LIT("PUT / HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n"
			  "Content-Length: 1\r\n" END),
		BAD},
	{"chunks beside what is no length",
		SLICE_LIT("PUT / HTTP/1.1\r\nTransfer-Encoding: chunked\r\nContent-Length: "
			  "x\r\n" END),
		BAD},
	{"another coding beside a length",
		SLICE_LIT("PUT / HTTP/1.1\r\nTransfer-Encoding: gzip\r\nContent-Length: 1\r\n" END),
		BAD},
	{"chunks and length with HTTP/1.0",
		SLICE_LIT("PUT / HTTP/1.0\r\nTransfer-Encoding: chunked\r\nContent-Length: "
			  "1\r\n" END),
		BAD},
	{"another coding", SLICE_LIT("PUT / HTTP/1.1\r\nTransfer-Encoding: gzip\r\n" END), BAD},
	{"two codings", SLICE_LIT("PUT / HTTP/1.1\r\nTransfer-Encoding: gzip, chunked\r\n" END),
		BAD},
	{"chunked twice",
		SLICE_LIT("PUT / HTTP/1.1\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: "
			  "chunked\r\n" END),
		BAD},
	{"chunked with a parameter",
		SLICE_LIT("PUT / HTTP/1.1\r\nTransfer-Encoding: chunked;a=b\r\n" END), BAD},
	{"identity", SLICE_LIT("PUT / HTTP/1.1\r\nTransfer-Encoding: identity\r\n" END), BAD},
	{"an empty coding", SLICE_LIT("PUT / HTTP/1.1\r\nTransfer-Encoding:\r\n" END), BAD},
	{"chunks with HTTP/1.0", SLICE_LIT("PUT / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n" END),
		BAD},
	{"another expectation", SLICE_LIT("PUT / HTTP/1.1\r\nExpect: tea\r\n" END), BAD},

	{"no host", SLICE_LIT("GET / HTTP/1.1\r\nX: a\r\n\r\n"), BAD},
	{"no host, though the target has one", SLICE_LIT("GET http://a/ HTTP/1.1\r\n\r\n"), BAD},
	{"two hosts", SLICE_LIT("GET / HTTP/1.1\r\nHost: a\r\nhost: a\r\n\r\n"), BAD},
	{"two hosts with HTTP/1.0", SLICE_LIT("GET / HTTP/1.0\r\nHost: a\r\nhost: a\r\n\r\n"), BAD},
	{"an empty host", SLICE_LIT("GET / HTTP/1.1\r\nHost:\r\n\r\n"), BAD},
	{"a host with a space", SLICE_LIT("GET / HTTP/1.1\r\nHost: a b\r\n\r\n"), BAD},
	{"a host with a slash", SLICE_LIT("GET / HTTP/1.1\r\nHost: a/b\r\n\r\n"), BAD},
	{"a host with a comma", SLICE_LIT("GET / HTTP/1.1\r\nHost: a,b\r\n\r\n"), BAD},
	{"a host with a user", SLICE_LIT("GET / HTTP/1.1\r\nHost: u@b\r\n\r\n"), BAD},
	{"a host with a percent sign", SLICE_LIT("GET / HTTP/1.1\r\nHost: a%2e\r\n\r\n"), BAD},
	{"a host of raw UTF-8", SLICE_LIT("GET / HTTP/1.1\r\nHost: \xc3\xa4\r\n\r\n"), BAD},
	{"a host that is only a port", SLICE_LIT("GET / HTTP/1.1\r\nHost: :80\r\n\r\n"), BAD},
	{"an empty port", SLICE_LIT("GET / HTTP/1.1\r\nHost: a:\r\n\r\n"), BAD},
	{"a port too high", SLICE_LIT("GET / HTTP/1.1\r\nHost: a:65536\r\n\r\n"), BAD},
	{"a port too long", SLICE_LIT("GET / HTTP/1.1\r\nHost: a:000080\r\n\r\n"), BAD},
	{"a port that is no number", SLICE_LIT("GET / HTTP/1.1\r\nHost: a:b\r\n\r\n"), BAD},
	{"an open bracket", SLICE_LIT("GET / HTTP/1.1\r\nHost: [::1\r\n\r\n"), BAD},
	{"empty brackets", SLICE_LIT("GET / HTTP/1.1\r\nHost: []\r\n\r\n"), BAD},
	{"letters in brackets", SLICE_LIT("GET / HTTP/1.1\r\nHost: [fe80::1%eth]\r\n\r\n"), BAD},
	{"junk behind brackets", SLICE_LIT("GET / HTTP/1.1\r\nHost: [::1]x\r\n\r\n"), BAD},

	{"a target without a slash", SLICE_LIT("GET a HTTP/1.1\r\n" END), BAD},
	{"an empty target", SLICE_LIT("GET  HTTP/1.1\r\n" END), BAD},
	{"* with GET", SLICE_LIT("GET * HTTP/1.1\r\n" END), BAD},
	{"more than *", SLICE_LIT("OPTIONS *a HTTP/1.1\r\n" END), BAD},
	{"the authority form", SLICE_LIT("CONNECT a:443 HTTP/1.1\r\n" END), BAD},
	{"another scheme", SLICE_LIT("GET ftp://a/ HTTP/1.1\r\n" END), BAD},
	{"a URL without a host", SLICE_LIT("GET http:///x HTTP/1.1\r\n" END), BAD},
	{"a URL with a user", SLICE_LIT("GET http://u@a/ HTTP/1.1\r\n" END), BAD},
	{"a URL with a query for a path", SLICE_LIT("GET http://a?x HTTP/1.1\r\n" END), BAD},
	{"a fragment", SLICE_LIT("GET /a#b HTTP/1.1\r\n" END), BAD},
	{"a tab in the target", SLICE_LIT("GET /a\tb HTTP/1.1\r\n" END), BAD},
	{"NUL in the target", SLICE_LIT("GET /0123456789\0 HTTP/1.1\r\n" END), BAD},
	{"0x7f in the target", SLICE_LIT("GET /\x7f HTTP/1.1\r\n" END), BAD},
	{"0x7f in a longer target",
		SLICE_LIT("GET /0123\x7f"
			  "456789 HTTP/1.1\r\n" END),
		BAD},
	{"a space in the target", SLICE_LIT("GET /a b HTTP/1.1\r\n" END), BAD},
	{"two spaces before the version", SLICE_LIT("GET /  HTTP/1.1\r\n" END), BAD},
	{"a space behind the version", SLICE_LIT("GET / HTTP/1.1 \r\n" END), BAD},
	{"a CR before the method", SLICE_LIT("\rGET / HTTP/1.1\r\n" END), BAD},
	{"two CRs before the method", SLICE_LIT("\r\r\nGET / HTTP/1.1\r\n" END), BAD},
	{"an empty line and a CR before the method", SLICE_LIT("\r\n\rGET / HTTP/1.1\r\n" END),
		BAD},
	{"an LF before the method", SLICE_LIT("\nGET / HTTP/1.1\r\n" END), BAD},
	{"a space before the method", SLICE_LIT(" GET / HTTP/1.1\r\n" END), BAD},
	{"no version", SLICE_LIT("GET /\r\n\r\n"), BAD},
	{"no target", SLICE_LIT("GET HTTP/1.1\r\n\r\n"), BAD},
	{"only a method", SLICE_LIT("GET\r\n\r\n"), BAD},
	{"a method with a colon", SLICE_LIT("G:T / HTTP/1.1\r\n" END), BAD},
	{"http in lower case", SLICE_LIT("GET / http/1.1\r\n" END), BAD},
	{"a version with two digits", SLICE_LIT("GET / HTTP/1.10\r\n" END), BAD},
	{"a version without a point", SLICE_LIT("GET / HTTP/1,1\r\n" END), BAD},
	{"a version of letters", SLICE_LIT("GET / HTTP/1.x\r\n" END), BAD},
	{"HTTP/1.2", SLICE_LIT("GET / HTTP/1.2\r\n" END), SLICE_LIT("VERSION")},
	{"HTTP/0.9", SLICE_LIT("GET / HTTP/0.9\r\n" END), SLICE_LIT("VERSION")},
	{"HTTP/2.0", SLICE_LIT("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), SLICE_LIT("VERSION")},
};

/* A head of GET, headers "X: ..." and Host that is `size` bytes long. */
static void add_head(struct strbuf *sb, size_t size)
{
	strbuf_adds(sb, "GET / HTTP/1.1\r\nHost: a\r\nX: ");
	size_t end = sb->len;
	for (size_t i = end; i < size - 4; i++)
		strbuf_addc(sb, 'x');
	strbuf_adds(sb, "\r\n\r\n");
}

static void parse_is(
	const char *name, const struct strbuf *text, enum head_result want, struct cut cut)
{
	static struct request_head head;
	size_t have = 0, size = 0;
	enum head_result result = HEAD_MORE;
	while (result == HEAD_MORE && have < text->len) {
		have += cut_next(&cut, text->len - have);
		result = request_head_parse(slice_of(text->ptr, have), size, &head, &size);
	}
	IS_INT(result, want, name);
}

static void limits(void)
{
	SCOPED_STRBUF(longest, ROW_BYTES);
	add_head(&longest, LIMIT_HEAD_BYTES);
	parse_is("the longest head", &longest, HEAD_DONE, CUT_NOT);
	parse_is("the longest head, in pieces", &longest, HEAD_DONE, CUT_EVERY(7));
	SCOPED_STRBUF(longer, ROW_BYTES);
	add_head(&longer, LIMIT_HEAD_BYTES + 1);
	parse_is("one byte more", &longer, HEAD_TOO_LONG, CUT_NOT);
	parse_is("one byte more, in pieces", &longer, HEAD_TOO_LONG, CUT_EVERY(7));
	strbuf_truncate(&longer, LIMIT_HEAD_BYTES);
	parse_is("no end where it must be", &longer, HEAD_TOO_LONG, CUT_NOT);
	strbuf_truncate(&longer, LIMIT_HEAD_BYTES - 1);
	parse_is("no end one byte earlier", &longer, HEAD_MORE, CUT_NOT);

	for (size_t extra = 0; extra < 2; extra++) {
		SCOPED_STRBUF(lines, ROW_BYTES);
		strbuf_adds(&lines, "GET / HTTP/1.1\r\nHost: a\r\n");
		for (size_t i = 1; i < LIMIT_HEADERS + extra; i++)
			strbuf_adds(&lines, "X: y\r\n");
		strbuf_adds(&lines, "\r\n");
		parse_is("the number of headers", &lines, extra ? HEAD_TOO_LONG : HEAD_DONE,
			CUT_NOT);

		SCOPED_STRBUF(target, ROW_BYTES);
		strbuf_adds(&target, "GET /");
		for (size_t i = 1; i < LIMIT_TARGET_BYTES + extra; i++)
			strbuf_addc(&target, 'x');
		strbuf_adds(&target, " HTTP/1.1\r\n" END);
		parse_is("the length of the target", &target, extra ? HEAD_TOO_LONG : HEAD_DONE,
			CUT_NOT);
	}
}

static bool is_single(struct slice name)
{
	return slice_eq_nocase(slice_head(name, 1), S("s"));
}

static void joined(const char *lines, enum head_join want, const char *names_and_values)
{
	static struct request_head head;
	const struct request_head *ret;
	struct slice conflict = S("");
	struct arena arena;
	size_t size;
	SCOPED_STRBUF(text, KIB(1));
	SCOPED_STRBUF(got, KIB(1));
	arena_init(&arena, NULL, 0, KIB(64));
	strbuf_addf(&text, "GET / HTTP/1.0\r\n%s\r\n", lines);
	OK(request_head_parse(strbuf_slice(&text), 0, &head, &size) == HEAD_DONE, "a head");
	IS_INT(request_head_join(&head, is_single, &arena, &ret, &conflict), want, lines);
	for (size_t i = 0; want == HEAD_JOIN_OK && i < ret->header_count; i++)
		strbuf_addf(&got, "%.*s=%.*s;", SLICE_FMT(ret->headers[i].name),
			SLICE_FMT(ret->headers[i].value));
	if (want == HEAD_JOIN_CONFLICT)
		strbuf_add_slice(&got, conflict);
	IS(strbuf_slice(&got), slice_str(names_and_values), "what it says");
	arena_reset(&arena);
}

static void joining(void)
{
	joined("", HEAD_JOIN_OK, "");
	joined("a: 1\r\nsa: 2\r\n", HEAD_JOIN_OK, "a=1;sa=2;");
	joined("a: 1\r\nb: 2\r\nA: 3\r\na:\r\n", HEAD_JOIN_OK, "a=1,3,;b=2;");
	joined("sa: 1\r\nb: 2\r\nSA: 1\r\nsa: 1\r\n", HEAD_JOIN_OK, "sa=1;b=2;");
	joined("sa: 1\r\nSa: 2\r\n", HEAD_JOIN_CONFLICT, "Sa");
	joined("sa: a,b\r\nsa: a\r\n", HEAD_JOIN_CONFLICT, "sa");
	joined("sa:\r\nsa: a\r\n", HEAD_JOIN_CONFLICT, "sa");
}

static void lookups(void)
{
	static struct request_head head;
	size_t size;
	enum head_result result = request_head_parse(
		S("GET / HTTP/1.1\r\nHost: a\r\nX-A: 1\r\nx-a: 2\r\nY:\r\n\r\n"), 0, &head, &size);
	IS_INT(result, HEAD_DONE, "a head to look things up in");
	IS(request_head_get(&head, S("x-A")), S("1"), "the first of two");
	OK(request_head_get(&head, S("Y")).len == 0, "an empty one");
	OK(request_head_get(&head, S("Z")).ptr == NULL, "an absent one is not");
	IS_INT(request_head_skip(S("\r\n\r\n\rGET")), 4, "skips empty lines");
	IS_INT(request_head_skip(S("\nGET")), 0, "skips no bare LF");
	IS_INT(request_head_skip(S("")), 0, "skips nothing of nothing");
	OK(request_head_awaited(S("")) && request_head_awaited(S("\r")) &&
			!request_head_awaited(S("\rG")) && !request_head_awaited(S("G")),
		"a CR may yet become an empty line");
}

/* Nothing of one head is left in the next that uses the same structure. */
static void reuse(void)
{
	static struct request_head head;
	size_t size;
	enum head_result first =
		request_head_parse(S("PUT http://b/p?q HTTP/1.1\r\nHost: a\r\nContent-Length: 7\r\n"
				     "Transfer-Encoding: chunked\r\nExpect: 100-continue\r\n\r\n"),
			0, &head, &size);
	OK(first == HEAD_DONE && head.expect_continue, "a first head");
	enum head_result second = request_head_parse(S("GET /x HTTP/1.0\r\n\r\n"), 0, &head, &size);
	SCOPED_STRBUF(got, ROW_BYTES);
	trace_head_fields(&head, &got);
	OK(second == HEAD_DONE && head.content_length == 0 && !head.both_lengths,
		"a second in its place");
	IS(strbuf_slice(&got), S("GET(0) /x? 1.0 @ close"), "has nothing of the first");
}

/* What is wrong is said. */
static void faults(void)
{
	static const struct {
		const char *text;
		const char *fault;
	} cases[] = {
		{"\x16\x03\x01", "begin with a method"},
		{"GET / HTTP/1.1\nHost: a\r\n\r\n", "CR and LF"},
		{"GET /\r\n" END, "request line"},
		{"GET x HTTP/1.1\r\n" END, "target"},
		{"GET / HTTP/3.0\r\n" END, "version"},
		{"GET / HTTP/1.1\r\n\r\n", "no Host"},
		{"GET / HTTP/1.1\r\nHost: a,b\r\n\r\n", "Host"},
		{"GET / HTTP/1.1\r\nnonsense\r\n" END, "header line"},
		{"PUT / HTTP/1.1\r\nContent-Length: x\r\n" END, "Content-Length"},
		{"PUT / HTTP/1.1\r\nTransfer-Encoding: gzip\r\n" END, "Transfer-Encoding"},
		{"PUT / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n" END, "HTTP/1.0"},
		{"PUT / HTTP/1.1\r\nExpect: tea\r\n" END, "Expect"},
	};
	static struct request_head head;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		size_t size;
		enum head_result result =
			request_head_parse(slice_str(cases[i].text), 0, &head, &size);
		OK(result != HEAD_DONE && result != HEAD_MORE && strstr(head.fault, cases[i].fault),
			"%s", head.fault);
	}
}

int main(void)
{
	for (size_t i = 0; i < ARRAY_LEN(accepted); i++)
		check(accepted[i].name, accepted[i].input, accepted[i].want);
	for (size_t i = 0; i < ARRAY_LEN(refused); i++)
		check(refused[i].name, refused[i].input, refused[i].want);
	limits();
	joining();
	lookups();
	reuse();
	faults();
	return tap_done();
}
