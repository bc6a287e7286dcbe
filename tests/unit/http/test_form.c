/* SPDX-License-Identifier: Apache-2.0 */
#include "http_trace.h"
#include "tap.h"

#define ROW_BYTES ((size_t)1 << 20)

struct row {
	const char *name;
	struct slice input; /* its boundary is "b" */
	struct slice want;
};

#define DISPOSITION "Content-Disposition: form-data; "
#define OPEN "--b\r\n" DISPOSITION
#define BODY "\r\n\r\n"
#define NEXT "\r\n--b\r\n" DISPOSITION
#define CLOSE "\r\n--b--"
#define BAD SLICE_LIT("BAD")

static const struct row forms[] = {
	{"fields and a file",
		SLICE_LIT(
			OPEN "name=\"key\"" BODY "user/${filename}" NEXT
			     "name=\"file\"; filename=\"a b.txt\"\r\nContent-Type: text/plain" BODY
			     "hello\r\n" CLOSE "\r\n"),
		SLICE_LIT(
			"{key:user/${filename}}{file;file=a b.txt;type=text/plain:hello\r\n}END")},
	{"nothing is left from part to part",
		SLICE_LIT(OPEN "name=\"a\"; filename=\"f\"\r\nContent-Type: t\r\n"
			       "Content-Transfer-Encoding: base64" BODY "1" NEXT "name=\"b\"" BODY
			       "2" NEXT "name=\"c\"; filename*=UTF-8''x" BODY "3" NEXT
			       "name=\"d\"; filename=\"\"" BODY "4" CLOSE),
		SLICE_LIT("{a;file=f;type=t;coding=base64:1}{b:2}{c;file*=x:3}{d;file=:4}END")},
	{"no parts", SLICE_LIT("--b--"), SLICE_LIT("END")},
	{"empty content", SLICE_LIT(OPEN "name=\"a\"" BODY CLOSE), SLICE_LIT("{a:}END")},
	{"a part without a body",
		SLICE_LIT(OPEN "name=\"a\"" BODY "--b\r\n" DISPOSITION "name=\"b\"" BODY "--b--"),
		SLICE_LIT("{a:}{b:}END")},
	{"a preamble", SLICE_LIT("pre\r\n--a\r\n--\r\n\r\n-b\r" CLOSE), SLICE_LIT("END")},
	{"a preamble that begins like a boundary",
		SLICE_LIT("--a\r\r\n--\r\n" OPEN "name=a" BODY "x" CLOSE), SLICE_LIT("{a:x}END")},
	{"a boundary must begin a line",
		SLICE_LIT("x--b--\r\n" OPEN "name=a" BODY "--c --b--" CLOSE),
		SLICE_LIT("{a:--c --b--}END")},
	{"CRLF before the first boundary", SLICE_LIT("\r\n" OPEN "name=a" BODY "x" CLOSE),
		SLICE_LIT("{a:x}END")},
	{"an epilogue",
		SLICE_LIT(OPEN "name=a" BODY "x" CLOSE "junk\r\n" OPEN "name=b" BODY "y" CLOSE),
		SLICE_LIT("{a:x}END")},
	{"white space behind a boundary",
		SLICE_LIT("--b \t \r\n" DISPOSITION "name=a" BODY "x\r\n--b\t\r\n" DISPOSITION
			  "name=b" BODY "y" CLOSE),
		SLICE_LIT("{a:x}{b:y}END")},
	{"content that nearly has a boundary",
		SLICE_LIT(OPEN "name=a" BODY
			       "\r\n-\r\n--\r\n--a\r\r\n\n--b\r\n-b\r\n--\r\n\r\n" CLOSE),
		SLICE_LIT("{a:\r\n-\r\n--\r\n--a\r\r\n\n--b\r\n-b\r\n--\r\n\r\n}END")},
	{"content that begins like a boundary", SLICE_LIT(OPEN "name=a" BODY "--c" CLOSE),
		SLICE_LIT("{a:--c}END")},
	{"content that begins with a dash", SLICE_LIT(OPEN "name=a" BODY "-" CLOSE),
		SLICE_LIT("{a:-}END")},
	{"content of CRs", SLICE_LIT(OPEN "name=a" BODY "\r\r\r\r\r\r\r\r\r" CLOSE),
		SLICE_LIT("{a:\r\r\r\r\r\r\r\r\r}END")},
	{"content of NUL and high bytes", SLICE_LIT(OPEN "name=a" BODY "\0\xff\0" CLOSE),
		SLICE_LIT("{a:\0\xff\0}END")},
	{"cut off in content", SLICE_LIT(OPEN "name=a" BODY "abc"), SLICE_LIT("{a:abcMORE")},
	{"cut off in the last boundary", SLICE_LIT(OPEN "name=a" BODY "abc\r\n--b-"),
		SLICE_LIT("{a:abcMORE")},
	{"cut off behind a boundary", SLICE_LIT(OPEN "name=a" BODY "abc\r\n--b\r\n"),
		SLICE_LIT("{a:abc}MORE")},
	{"cut off in headers", SLICE_LIT(OPEN "name=a\r\n"), SLICE_LIT("MORE")},

	{"names of headers and parameters have no case",
		SLICE_LIT("--b\r\ncONTENT-dISPOSITION:\tFORM-data ;NAME=\"A\";FileName=\"F\"\r\n"
			  "content-TYPE:T\r\nCONTENT-transfer-encoding:\t8bit \t" BODY "x" CLOSE),
		SLICE_LIT("{A;file=F;type=T;coding=8bit:x}END")},
	{"headers in any order, unknown ones skipped",
		SLICE_LIT("--b\r\nContent-Type: t\r\nX-A: \"b\r\nContent-Length: 1\r\n" DISPOSITION
			  "x=y; name=a; z=\"\"" BODY "x" CLOSE),
		SLICE_LIT("{a;type=t:x}END")},
	{"an empty type", SLICE_LIT(OPEN "name=a\r\nContent-Type:" BODY "x" CLOSE),
		SLICE_LIT("{a;type=:x}END")},
	{"an empty name", SLICE_LIT(OPEN "name=\"\"" BODY "x" CLOSE), SLICE_LIT("{:x}END")},
	{"browsers' escapes stay",
		SLICE_LIT(OPEN "name=\"a%22%0D%0A\"; filename=\"%22\"" BODY CLOSE),
		SLICE_LIT("{a%22%0D%0A;file=%22:}END")},
	{"raw UTF-8",
		SLICE_LIT(OPEN "name=\"\xe4\xbd\xa0\"; filename=\"\xc3\xa4; name=x\"" BODY CLOSE),
		SLICE_LIT("{\xe4\xbd\xa0;file=\xc3\xa4; name=x:}END")},
	{"control bytes in a file's name",
		SLICE_LIT(OPEN "name=a; filename=\"\x01\x7f\t\"" BODY CLOSE),
		SLICE_LIT("{a;file=\x01\x7f\t:}END")},
	{"backslashes stay", SLICE_LIT(OPEN "name=a; filename=\"C:\\dir\\f.txt\"" BODY CLOSE),
		SLICE_LIT("{a;file=C:\\dir\\f.txt:}END")},
	{"a backslash before the closing quote",
		SLICE_LIT(OPEN "filename=\"C:\\\"; name=a; x=\"\\\"" BODY CLOSE),
		SLICE_LIT("{a;file=C:\\:}END")},
	{"quotes behind backslashes",
		SLICE_LIT(OPEN "name=a; filename=\"\\\"a\\\" b\\\"c\"" BODY CLOSE),
		SLICE_LIT("{a;file=\\\"a\\\" b\\\"c:}END")},
	{"names without quotes", SLICE_LIT(OPEN "name=a/\xc3\xa4 ; filename=f.txt;" BODY CLOSE),
		SLICE_LIT("{a/\xc3\xa4;file=f.txt:}END")},
	{"empty parameters",
		SLICE_LIT("--b\r\nContent-Disposition: form-data;; ; name=a;\t;" BODY CLOSE),
		SLICE_LIT("{a:}END")},
	{"filename* alone", SLICE_LIT(OPEN "name=a; filename*=utf-8'en'%e4%bd%a0'" BODY CLOSE),
		SLICE_LIT("{a;file*=%e4%bd%a0':}END")},
	{"filename* of another charset",
		SLICE_LIT(OPEN "name=a; filename*=ISO-8859-1''x" BODY CLOSE),
		SLICE_LIT("{a;file*=:}END")},
	{"filename* without quotes in it", SLICE_LIT(OPEN "name=a; filename*=UTF-8" BODY CLOSE),
		SLICE_LIT("{a;file*=:}END")},
	{"filename before filename*",
		SLICE_LIT(OPEN "name=a; filename=\"f\"; filename*=UTF-8''x" BODY CLOSE),
		SLICE_LIT("{a;file=f:}END")},
	{"filename behind filename*",
		SLICE_LIT(OPEN "name=a; filename*=UTF-8''x; filename=\"f\"" BODY CLOSE),
		SLICE_LIT("{a;file=f:}END")},

	{"junk behind the first boundary", SLICE_LIT("--bx\r\n"), BAD},
	{"junk behind a boundary", SLICE_LIT(OPEN "name=a" BODY "x\r\n--bx"), SLICE_LIT("{a:xBAD")},
	{"one dash behind a boundary", SLICE_LIT(OPEN "name=a" BODY "x\r\n--b-\r\n"),
		SLICE_LIT("{a:xBAD")},
	{"dashes behind white space", SLICE_LIT(OPEN "name=a" BODY "x\r\n--b --"),
		SLICE_LIT("{a:xBAD")},
	{"LF behind a boundary", SLICE_LIT("--b\nContent"), BAD},
	{"LF behind white space", SLICE_LIT("--b \n"), BAD},
	{"CR without LF behind a boundary", SLICE_LIT("--b\rx"), BAD},
	{"two CRs behind a boundary", SLICE_LIT("--b\r\r\n"), BAD},
	{"no headers", SLICE_LIT("--b\r\n\r\nx" CLOSE), BAD},
	{"no disposition", SLICE_LIT("--b\r\nContent-Type: t" BODY "x" CLOSE), BAD},
	{"another disposition",
		SLICE_LIT("--b\r\nContent-Disposition: attachment; name=a" BODY CLOSE), BAD},
	{"a disposition that begins alike",
		SLICE_LIT("--b\r\nContent-Disposition: form-data2; name=a" BODY CLOSE), BAD},
	{"no name", SLICE_LIT(OPEN "filename=\"f\"" BODY CLOSE), BAD},
	{"no name in a bare disposition",
		SLICE_LIT("--b\r\nContent-Disposition: form-data" BODY CLOSE), BAD},
	{"two names", SLICE_LIT(OPEN "name=a; name=a" BODY CLOSE), BAD},
	{"what looks like a second name is the file's, whose quotes are escaped",
		SLICE_LIT(OPEN "name=\"a\"; filename=\"x\\\"; name=\\\"file\"" BODY CLOSE),
		SLICE_LIT("{a;file=x\\\"; name=\\\"file:}END")},
	{"two file names", SLICE_LIT(OPEN "name=a; filename=f; FILENAME=f" BODY CLOSE), BAD},
	{"two encoded file names",
		SLICE_LIT(OPEN "name=a; filename*=UTF-8''f; filename*=UTF-8''f" BODY CLOSE), BAD},
	{"two dispositions", SLICE_LIT(OPEN "name=a\r\n" DISPOSITION "name=a" BODY CLOSE), BAD},
	{"two dispositions, one without a name",
		SLICE_LIT(OPEN "name=a\r\nContent-Disposition: form-data" BODY CLOSE), BAD},
	{"two types", SLICE_LIT(OPEN "name=a\r\nContent-Type:\r\nContent-Type: t" BODY CLOSE), BAD},
	{"two codings",
		SLICE_LIT(OPEN "name=a\r\nContent-Transfer-Encoding: x\r\n"
			       "Content-Transfer-Encoding: x" BODY CLOSE),
		BAD},
	{"LF in headers", SLICE_LIT(OPEN "name=a\nX: y" BODY CLOSE), BAD},
	{"LF for the empty line", SLICE_LIT(OPEN "name=a\r\n\nx" CLOSE), BAD},
	{"LF first in headers", SLICE_LIT("--b\r\n\n"), BAD},
	{"CR in a header", SLICE_LIT(OPEN "name=\"a\rb\"" BODY CLOSE), BAD},
	{"NUL in a header", SLICE_LIT(OPEN "name=\"a\0b\"" BODY CLOSE), BAD},
	{"a folded header", SLICE_LIT(OPEN "name=a;\r\n filename=f" BODY CLOSE), BAD},
	{"a space before a header's colon",
		SLICE_LIT("--b\r\nContent-Disposition : form-data; name=a" BODY CLOSE), BAD},
	{"a header without a colon", SLICE_LIT(OPEN "name=a\r\nX" BODY CLOSE), BAD},
	{"a header without a name", SLICE_LIT(OPEN "name=a\r\n: x" BODY CLOSE), BAD},
	{"an open quote", SLICE_LIT(OPEN "name=\"a" BODY CLOSE), BAD},
	{"an open quote behind a backslash", SLICE_LIT(OPEN "name=\"a\\\"b" BODY CLOSE), BAD},
	{"a bare quote inside quotes", SLICE_LIT(OPEN "name=\"a\"b\"" BODY CLOSE), BAD},
	{"a quote inside a token", SLICE_LIT(OPEN "name=a\"b" BODY CLOSE), BAD},
	{"two tokens", SLICE_LIT(OPEN "name=a b" BODY CLOSE), BAD},
	{"no value", SLICE_LIT(OPEN "name=" BODY CLOSE), BAD},
	{"no equals sign", SLICE_LIT(OPEN "name" BODY CLOSE), BAD},
	{"a space before the equals sign", SLICE_LIT(OPEN "name =a" BODY CLOSE), BAD},
	{"no parameter name", SLICE_LIT(OPEN "=a" BODY CLOSE), BAD},
	{"no semicolon", SLICE_LIT("--b\r\nContent-Disposition: form-data name=a" BODY CLOSE), BAD},
	{"a control byte in a token", SLICE_LIT(OPEN "name=a\x01" BODY CLOSE), BAD},
};

/* The form means `want` when it comes at once, byte by byte, and cut in two anywhere. */
static void check(const char *name, struct slice boundary, struct slice input, struct slice want)
{
	SCOPED_STRBUF(got, ROW_BYTES);
	trace_form(boundary, input, CUT_NOT, &got);
	IS(strbuf_slice(&got), want, name);
	size_t differing = 0;
	for (size_t at = 0; at <= input.len; at++) {
		SCOPED_STRBUF(halves, ROW_BYTES);
		trace_form(boundary, input, at > 0 ? CUT_AT(at) : CUT_EVERY(1), &halves);
		differing += !slice_eq(strbuf_slice(&halves), want);
		SCOPED_STRBUF(more, ROW_BYTES);
		trace_form(boundary, input, (struct cut){at, 3, 0}, &more);
		differing += !slice_eq(strbuf_slice(&more), want);
	}
	OK(differing == 0, "%s, at every split", name);
}

static void add_many(struct strbuf *sb, size_t count)
{
	while (count-- > 0)
		strbuf_addc(sb, 'x');
}

static void ends_as(const char *name, const struct strbuf *form, struct slice boundary,
	struct slice start, struct slice end)
{
	const struct cut cuts[] = {CUT_NOT, CUT_EVERY(1), CUT_EVERY(1000)};
	for (size_t i = 0; i < ARRAY_LEN(cuts); i++) {
		SCOPED_STRBUF(got, ROW_BYTES);
		trace_form(boundary, strbuf_slice(form), cuts[i], &got);
		OK(slice_starts(strbuf_slice(&got), start) && slice_ends(strbuf_slice(&got), end),
			"%s, cut in way %zu", name, i);
	}
}

static void long_names(void)
{
	for (size_t extra = 0; extra < 2; extra++) {
		SCOPED_STRBUF(name, ROW_BYTES);
		strbuf_adds(&name, OPEN "name=\"");
		add_many(&name, LIMIT_FIELD_NAME_BYTES + extra);
		strbuf_adds(&name, "\"" BODY "y" CLOSE);
		ends_as("the longest name and one byte more", &name, S("b"),
			extra ? S("NAME") : S("{xxx"), extra ? S("NAME TOO LONG") : S("x:y}END"));
	}
}

/* The second part is checked too: the room is for one part, not for all. */
static void long_headers(void)
{
	static const char around[] = DISPOSITION "name=a\r\nX: " BODY;
	for (size_t extra = 0; extra < 2; extra++) {
		SCOPED_STRBUF(form, ROW_BYTES);
		for (int part = 0; part < 2; part++) {
			strbuf_adds(&form, "\r\n" OPEN "name=a\r\nX: ");
			add_many(&form, LIMIT_PART_HEADERS_BYTES - (sizeof around - 1) +
						(part == 1 ? extra : 0));
			strbuf_adds(&form, BODY "y");
		}
		strbuf_adds(&form, CLOSE);
		ends_as("the longest headers and one byte more", &form, S("b"), S("{a:y}"),
			extra ? S("HEADERS TOO LONG") : S("{a:y}END"));
	}
}

static void long_boundaries(void)
{
	SCOPED_STRBUF(boundary, ROW_BYTES);
	add_many(&boundary, LIMIT_BOUNDARY_BYTES);
	SCOPED_STRBUF(form, ROW_BYTES);
	strbuf_addf(&form, "--%s\r\n" DISPOSITION "name=a" BODY "\r\n--", boundary.ptr);
	add_many(&form, LIMIT_BOUNDARY_BYTES - 1);
	strbuf_addf(&form, "y\r\n--%s--", boundary.ptr);
	SCOPED_STRBUF(want, ROW_BYTES);
	strbuf_adds(&want, "{a:\r\n--");
	add_many(&want, LIMIT_BOUNDARY_BYTES - 1);
	strbuf_adds(&want, "y}END");
	check("the longest boundary", strbuf_slice(&boundary), strbuf_slice(&form),
		strbuf_slice(&want));
}

/* Pieces of text from which content is made that comes as near to a boundary as can be. */
static const char *const fragments[] = {"\r", "\n", "\r\n", "-", "--", "\r\n--", "\r\n--a",
	"\r\n--ab", "\r\n--aba", "\r\n--abab", "a", "b", "ab", "\r\n-", "xyzxyzxyzxyzxyz"};

/* Appends content for a boundary "ababa"; none of the real one may be in it. */
static void add_content(struct strbuf *form, struct strbuf *want, uint64_t *random)
{
	SCOPED_STRBUF(content, ROW_BYTES);
	for (uint64_t n = trace_random(random) % 30; n > 0; n--)
		strbuf_adds(&content, fragments[trace_random(random) % ARRAY_LEN(fragments)]);
	SCOPED_STRBUF(behind_line, ROW_BYTES);
	strbuf_addf(&behind_line, "\r\n%s\r\n--", content.ptr);
	size_t found = slice_find_slice(strbuf_slice(&behind_line), S("\r\n--ababa"));
	if (found < behind_line.len)
		strbuf_clear(&content);
	strbuf_add_slice(form, strbuf_slice(&content));
	strbuf_add_slice(want, strbuf_slice(&content));
}

static void generated(void)
{
	uint64_t random = 19700101;
	size_t wrong = 0;
	for (int round = 0; round < 3000; round++) {
		SCOPED_STRBUF(form, ROW_BYTES);
		SCOPED_STRBUF(want, ROW_BYTES);
		for (uint64_t parts = trace_random(&random) % 4; parts > 0; parts--) {
			strbuf_adds(&form, "\r\n--ababa\r\n" DISPOSITION "name=\"n\"" BODY);
			strbuf_adds(&want, "{n:");
			add_content(&form, &want, &random);
			strbuf_adds(&want, "}");
		}
		strbuf_adds(&form, "\r\n--ababa--");
		strbuf_adds(&want, "END");
		SCOPED_STRBUF(whole, ROW_BYTES);
		SCOPED_STRBUF(pieces, ROW_BYTES);
		trace_form(S("ababa"), strbuf_slice(&form), CUT_NOT, &whole);
		trace_form(S("ababa"), strbuf_slice(&form), CUT_BY(random), &pieces);
		wrong += !slice_eq(strbuf_slice(&whole), strbuf_slice(&want)) ||
			 !slice_eq(strbuf_slice(&pieces), strbuf_slice(&want));
	}
	IS_INT(wrong, 0, "3000 forms of difficult content");
}

/* Content without a possible beginning of a boundary is passed on whole, not copied. */
static void not_copied(void)
{
	static struct form form;
	struct form_event event;
	struct slice head = S(OPEN "name=a" BODY);
	struct slice piece = S("some content\r\nand more of it\r");
	form_init(&form, S("b"));
	enum form_result part = form_feed(&form, &head, &event);
	OK(part == FORM_PART && head.len == 0, "a part begins");
	const char *from = piece.ptr;
	enum form_result data = form_feed(&form, &piece, &event);
	OK(data == FORM_DATA && event.data.ptr == from, "content is a slice of the input");
	IS(event.data, S("some content\r\nand more of it"), "all but what could begin a boundary");
	IS_INT(form_feed(&form, &piece, &event), FORM_MORE, "and then more is wanted");
}

static const struct {
	const char *name;
	struct slice type;
	enum form_boundary result;
	struct slice boundary;
} boundaries[] = {
	{"a token", SLICE_LIT("multipart/form-data; boundary=----WebKitFormBoundaryx"),
		FORM_BOUNDARY_FOUND, SLICE_LIT("----WebKitFormBoundaryx")},
	{"quoted", SLICE_LIT("multipart/form-data; boundary=\"a b'()+_,-./:=?\""),
		FORM_BOUNDARY_FOUND, SLICE_LIT("a b'()+_,-./:=?")},
	{"odd characters without quotes", SLICE_LIT("multipart/form-data;boundary==__(1)?="),
		FORM_BOUNDARY_FOUND, SLICE_LIT("=__(1)?=")},
	{"no case, other parameters, spaces",
		SLICE_LIT("Multipart/Form-DATA ; charset=utf-8 ;BOUNDARY=x ; y=z;"),
		FORM_BOUNDARY_FOUND, SLICE_LIT("x")},
	{"another type", SLICE_LIT("application/x-www-form-urlencoded; boundary=x"),
		FORM_BOUNDARY_OTHER_TYPE, SLICE_LIT("")},
	{"another multipart", SLICE_LIT("multipart/form-data2; boundary=x"),
		FORM_BOUNDARY_OTHER_TYPE, SLICE_LIT("")},
	{"two types", SLICE_LIT("multipart/form-data, multipart/form-data; boundary=x"),
		FORM_BOUNDARY_OTHER_TYPE, SLICE_LIT("")},
	{"no type", SLICE_LIT(""), FORM_BOUNDARY_OTHER_TYPE, SLICE_LIT("")},
	{"no semicolon", SLICE_LIT("multipart/form-data boundary=x"), FORM_BOUNDARY_OTHER_TYPE,
		SLICE_LIT("")},
	{"none", SLICE_LIT("multipart/form-data"), FORM_BOUNDARY_MISSING, SLICE_LIT("")},
	{"none among others", SLICE_LIT("multipart/form-data; charset=x"), FORM_BOUNDARY_MISSING,
		SLICE_LIT("")},
	{"empty", SLICE_LIT("multipart/form-data; boundary="), FORM_BOUNDARY_MISSING,
		SLICE_LIT("")},
	{"empty in quotes", SLICE_LIT("multipart/form-data; boundary=\"\""), FORM_BOUNDARY_MISSING,
		SLICE_LIT("")},
	{"two", SLICE_LIT("multipart/form-data; boundary=x; boundary=x"), FORM_BOUNDARY_MISSING,
		SLICE_LIT("")},
	{"an open quote", SLICE_LIT("multipart/form-data; boundary=\"x"), FORM_BOUNDARY_MISSING,
		SLICE_LIT("")},
	{"a space at the end", SLICE_LIT("multipart/form-data; boundary=\"x \""),
		FORM_BOUNDARY_MISSING, SLICE_LIT("")},
	{"a backslash", SLICE_LIT("multipart/form-data; boundary=\"x\\y\""), FORM_BOUNDARY_MISSING,
		SLICE_LIT("")},
	{"a quote behind a backslash", SLICE_LIT("multipart/form-data; boundary=\"x\\\"y\""),
		FORM_BOUNDARY_MISSING, SLICE_LIT("")},
	{"a tab", SLICE_LIT("multipart/form-data; boundary=\"x\ty\""), FORM_BOUNDARY_MISSING,
		SLICE_LIT("")},
	{"a byte above 0x7f", SLICE_LIT("multipart/form-data; boundary=\xc3\xa4"),
		FORM_BOUNDARY_MISSING, SLICE_LIT("")},
	{"junk behind it", SLICE_LIT("multipart/form-data; boundary=x y"), FORM_BOUNDARY_MISSING,
		SLICE_LIT("")},
};

static void boundary_parsing(void)
{
	for (size_t i = 0; i < ARRAY_LEN(boundaries); i++) {
		struct slice boundary = S("");
		IS_INT(form_boundary_parse(boundaries[i].type, &boundary), boundaries[i].result,
			boundaries[i].name);
		IS(boundary, boundaries[i].boundary, boundaries[i].name);
	}
	for (size_t extra = 0; extra < 2; extra++) {
		SCOPED_STRBUF(type, ROW_BYTES);
		strbuf_adds(&type, "multipart/form-data; boundary=");
		add_many(&type, LIMIT_BOUNDARY_BYTES + extra);
		struct slice boundary;
		IS_INT(form_boundary_parse(strbuf_slice(&type), &boundary),
			extra ? FORM_BOUNDARY_MISSING : FORM_BOUNDARY_FOUND,
			"the longest boundary and one byte more");
	}
}

int main(void)
{
	for (size_t i = 0; i < ARRAY_LEN(forms); i++)
		check(forms[i].name, S("b"), forms[i].input, forms[i].want);
	check("a boundary with spaces", S("a b"),
		S("--a b\r\n" DISPOSITION "name=a" BODY "\r\n--a\r\n--a b --"), S("{a:\r\n--aBAD"));
	long_names();
	long_headers();
	long_boundaries();
	generated();
	not_copied();
	boundary_parsing();
	return tap_done();
}
