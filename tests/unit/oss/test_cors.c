/* SPDX-License-Identifier: Apache-2.0 */
/* CORS: documents that are and are not valid, which rule is used, and the headers (spec: CORS). */
#include "oss/rules/cors.h"

#include "base/limits.h"
#include "tap.h"

#define OPEN "<CORSConfiguration>"
#define CLOSE "</CORSConfiguration>"
#define RULE(inside) "<CORSRule>" inside "</CORSRule>"
#define ORIGIN(o) "<AllowedOrigin>" o "</AllowedOrigin>"
#define METHOD(m) "<AllowedMethod>" m "</AllowedMethod>"
#define HEADER(h) "<AllowedHeader>" h "</AllowedHeader>"
#define EXPOSE(h) "<ExposeHeader>" h "</ExposeHeader>"
#define MAX_AGE(s) "<MaxAgeSeconds>" s "</MaxAgeSeconds>"
#define VARY(v) "<ResponseVary>" v "</ResponseVary>"

static struct cors *parsed(const char *xml)
{
	struct cors *cors = NULL;
	SCOPED_STRBUF(reason, 1000);
	if (cors_parse(slice_str(xml), &cors, &reason) != ERR_OK)
		OK(false, "parses %s: %s", xml, reason.ptr);
	return cors;
}

static void round_trips(void)
{
	static const char *const documents[] = {
		OPEN RULE(ORIGIN("https://app.example.com") METHOD("POST")) VARY("false") CLOSE,
		OPEN RULE(ORIGIN("*") METHOD("PUT") METHOD("GET") METHOD("DELETE") METHOD("HEAD")
				METHOD("POST") HEADER("*") EXPOSE("ETag") EXPOSE("x-oss-request-id")
					MAX_AGE("600")) RULE(ORIGIN("https://*.example.com")
				ORIGIN("http://localhost:*") METHOD("GET") HEADER("x-oss-*")
					HEADER("range") MAX_AGE("0")) VARY("true") CLOSE,
		OPEN RULE(ORIGIN("*") METHOD("GET") MAX_AGE("999999999")) VARY("false") CLOSE,
	};
	for (size_t i = 0; i < ARRAY_LEN(documents); i++) {
		struct cors *cors = parsed(documents[i]);
		SCOPED_STRBUF(out, 100000);
		SCOPED_STRBUF(want, 100000);
		cors_format(cors, &out);
		strbuf_addf(&want, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n%s", documents[i]);
		IS(strbuf_slice(&out), strbuf_slice(&want), "the same document comes out");
		cors_free(cors);
	}
	struct cors *cors = parsed("\n" OPEN "\n <CORSRule>\n " ORIGIN("\n * ") METHOD(" GET\n")
			METHOD("GET") "</CORSRule>\n" VARY("True") CLOSE "\n");
	SCOPED_STRBUF(out, 100000);
	cors_format(cors, &out);
	IS(slice_from(strbuf_slice(&out), sizeof("<?xml version=\"1.0\" encoding=\"UTF-8\"?>")),
		S(OPEN RULE(ORIGIN("*") METHOD("GET")) VARY("true") CLOSE),
		"white space around values, and a method said twice, do not count");
	cors_free(cors);
	cors = parsed(OPEN RULE(
		ORIGIN("http://A.test") METHOD("GET") HEADER("X-Oss-*") EXPOSE("ETag")) CLOSE);
	strbuf_clear(&out);
	cors_format(cors, &out);
	IS(slice_from(strbuf_slice(&out), sizeof("<?xml version=\"1.0\" encoding=\"UTF-8\"?>")),
		S(OPEN RULE(ORIGIN("http://A.test") METHOD("GET") HEADER("x-oss-*") EXPOSE("ETag"))
				VARY("false") CLOSE),
		"allowed headers in lower case, and always whether there is a Vary");
	cors_free(cors);
	cors_free(NULL);
}

static void names_the_fault(void)
{
	static const struct {
		const char *xml;
		const char *element;
	} rows[] = {
		{OPEN RULE(ORIGIN("nonsense") METHOD("GET")) CLOSE, "AllowedOrigin"},
		{OPEN RULE(ORIGIN("*") METHOD("PATCH")) CLOSE, "AllowedMethod"},
		{OPEN RULE(ORIGIN("*") METHOD("GET") HEADER("a*b*")) CLOSE, "AllowedHeader"},
		{OPEN RULE(ORIGIN("*") METHOD("GET") EXPOSE("*")) CLOSE, "ExposeHeader"},
		{OPEN RULE(ORIGIN("*") METHOD("GET") MAX_AGE("-1")) CLOSE, "MaxAgeSeconds"},
		{OPEN RULE(ORIGIN("*") METHOD("GET")) VARY("maybe") CLOSE, "ResponseVary"},
		{OPEN RULE(ORIGIN("*")) CLOSE, ""},
		{OPEN, ""},
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct cors *cors = NULL;
		const char *element = "nothing was said";
		SCOPED_STRBUF(reason, 1000);
		OK(cors_check(slice_str(rows[i].xml), &cors, &reason, &element, NULL) != ERR_OK,
			"refuses %s", rows[i].xml);
		IS(slice_str(element ? element : ""), slice_str(rows[i].element), "and says what");
	}
}

static void origins(void)
{
	static const char *const good[] = {"*", "https://app.example.com", "http://localhost:*",
		"https://*.example.com", "http://127.0.0.1:8888", "http://[::1]:8888",
		"chrome-extension://abcdef", "http://*.com", "https://a*", "http*://example.com",
		"http://example.com:1", "http://example.com:65535", "capacitor://localhost",
		"http://example.com:80", "ionic://localhost:*", "http://[::ffff:102:304]",
		"http://[::102:304]", "http://1.2.3.4", "http://0x7f.example", "http://a.example."};
	static const char *const bad[] = {"", "https://*", "https://*:8080", "https://*.example.*",
		"**", "example.com", "*.example.com", "https://", "://example.com",
		"https://example.com/", "https://example.com/a",
		"https://example.com:", "https://example.com:0", "https://example.com:65536",
		"https://example.com:8*", "https://example.com:80:80", "https://a b",
		"https://a&amp;b", "https://a\xc3\xa9", "https://a&#9;b", "https://u@example.com",
		"https://:80", "null", "http://example.com:080", "https://example.com:00443",
		"http://[::0:1]:80", "http://[0:0:0:0:0:0:0:1]", "http://[::1", "http://[::1]x",
		"http://[::g]", "http://[::ffff:1.2.3.4]", "http://[::1.2.3.4]", "http://0x7f",
		"http://0x7f.0.0.0x1", "http://1.2.3.4.", "http://0x", "http://127.1",
		"http://0127.0.0.1", "http://2130706433", "http://a%b", "http://a[b", "1http://a",
		"ht_tp://a", "http://a|b"};
	for (size_t i = 0; i < ARRAY_LEN(good) + ARRAY_LEN(bad); i++) {
		bool valid = i < ARRAY_LEN(good);
		const char *origin = valid ? good[i] : bad[i - ARRAY_LEN(good)];
		SCOPED_STRBUF(xml, 1000);
		SCOPED_STRBUF(reason, 1000);
		struct cors *cors = NULL;
		strbuf_addf(&xml, OPEN RULE(ORIGIN("%s") METHOD("GET")) CLOSE, origin);
		enum err e = cors_parse(strbuf_slice(&xml), &cors, &reason);
		OK(e == (valid ? ERR_OK : ERR_CORS_BAD_ORIGIN) && valid == (reason.len == 0) &&
				valid == (cors != NULL),
			"%s origin \"%s\" %s", valid ? "takes" : "refuses", origin, reason.ptr);
		cors_free(cors);
	}
}

static void refusals(void)
{
#define BASE ORIGIN("*") METHOD("GET")
	static const struct {
		const char *xml;
		enum err err;
	} rows[] = {
		{"", ERR_MALFORMED_XML},
		{"not xml", ERR_MALFORMED_XML},
		{OPEN, ERR_MALFORMED_XML},
		{OPEN CLOSE, ERR_MALFORMED_XML},
		{"<CORSRule></CORSRule>", ERR_MALFORMED_XML},
		{OPEN RULE("") CLOSE, ERR_MALFORMED_XML},
		{OPEN RULE(ORIGIN("*")) CLOSE, ERR_MALFORMED_XML},
		{OPEN RULE(METHOD("GET")) CLOSE, ERR_MALFORMED_XML},
		{OPEN RULE(BASE) RULE(METHOD("GET")) CLOSE, ERR_MALFORMED_XML},
		{OPEN RULE(BASE "<Other/>") CLOSE, ERR_MALFORMED_XML},
		{OPEN RULE(BASE MAX_AGE("1") MAX_AGE("1")) CLOSE, ERR_MALFORMED_XML},
		{OPEN RULE(BASE) VARY("true") VARY("true") CLOSE, ERR_MALFORMED_XML},
		{OPEN VARY("true") CLOSE, ERR_MALFORMED_XML},
		{OPEN RULE(BASE VARY("true")) CLOSE, ERR_MALFORMED_XML},
		{"<!DOCTYPE CORSConfiguration>" OPEN RULE(BASE) CLOSE, ERR_MALFORMED_XML},
		{OPEN RULE(BASE) VARY("yes") CLOSE, ERR_INVALID_ARGUMENT},
		{OPEN RULE(BASE METHOD("OPTIONS")) CLOSE, ERR_INVALID_ARGUMENT},
		{OPEN RULE(BASE METHOD("get")) CLOSE, ERR_INVALID_ARGUMENT},
		{OPEN RULE(BASE METHOD("*")) CLOSE, ERR_INVALID_ARGUMENT},
		{OPEN RULE(BASE METHOD("")) CLOSE, ERR_INVALID_ARGUMENT},
		{OPEN RULE(BASE HEADER("")) CLOSE, ERR_INVALID_ARGUMENT},
		{OPEN RULE(BASE HEADER("*a*")) CLOSE, ERR_INVALID_ARGUMENT},
		{OPEN RULE(BASE HEADER("a&lt;")) CLOSE, ERR_INVALID_ARGUMENT},
		{OPEN RULE(BASE HEADER("a>")) CLOSE, ERR_INVALID_ARGUMENT},
		{OPEN RULE(BASE HEADER("a&amp;")) CLOSE, ERR_INVALID_ARGUMENT},
		{OPEN RULE(BASE HEADER("a'")) CLOSE, ERR_INVALID_ARGUMENT},
		{OPEN RULE(BASE HEADER("a\"")) CLOSE, ERR_INVALID_ARGUMENT},
		{OPEN RULE(BASE HEADER("a&#13;&#10;b")) CLOSE, ERR_INVALID_ARGUMENT},
		{OPEN RULE(BASE EXPOSE("*")) CLOSE, ERR_CORS_BAD_EXPOSE_HEADER},
		{OPEN RULE(BASE EXPOSE("")) CLOSE, ERR_CORS_BAD_EXPOSE_HEADER},
		{OPEN RULE(BASE EXPOSE("a*")) CLOSE, ERR_CORS_BAD_EXPOSE_HEADER},
		{OPEN RULE(BASE EXPOSE("a'")) CLOSE, ERR_CORS_BAD_EXPOSE_HEADER},
		{OPEN RULE(BASE EXPOSE("a&#13;&#10;Set-Cookie:b")) CLOSE,
			ERR_CORS_BAD_EXPOSE_HEADER},
		{OPEN RULE(BASE MAX_AGE("")) CLOSE, ERR_INVALID_ARGUMENT},
		{OPEN RULE(BASE MAX_AGE("-1")) CLOSE, ERR_INVALID_ARGUMENT},
		{OPEN RULE(BASE MAX_AGE("1.5")) CLOSE, ERR_INVALID_ARGUMENT},
		{OPEN RULE(BASE MAX_AGE("1000000000")) CLOSE, ERR_INVALID_ARGUMENT},
		{OPEN RULE(BASE MAX_AGE("99999999999999999999999")) CLOSE, ERR_INVALID_ARGUMENT},
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct cors *cors = NULL;
		SCOPED_STRBUF(reason, 1000);
		OK(cors_parse(slice_str(rows[i].xml), &cors, &reason) == rows[i].err &&
				cors == NULL && reason.len > 0,
			"refuses %s: %s", rows[i].xml, reason.ptr);
	}
}

static void limits(void)
{
	SCOPED_STRBUF(xml, 100000);
	SCOPED_STRBUF(reason, 1000);
	struct cors *cors = NULL;
	for (int i = 0; i < 20; i++)
		strbuf_adds(&xml, i ? RULE(BASE) : OPEN RULE(BASE));
	size_t twenty = xml.len;
	strbuf_adds(&xml, CLOSE);
	OK(cors_parse(strbuf_slice(&xml), &cors, &reason) == ERR_OK && cors_rule_count(cors) == 20,
		"20 rules");
	cors_free(cors);
	cors = NULL;
	strbuf_truncate(&xml, twenty);
	strbuf_adds(&xml, RULE(BASE) CLOSE);
	OK(cors_parse(strbuf_slice(&xml), &cors, &reason) == ERR_CORS_RULE_LIMIT && reason.len,
		"but not 21");
	strbuf_clear(&xml);
	strbuf_clear(&reason);
	/* As much as 16 KiB can hold: 520 origins. */
	strbuf_adds(&xml, OPEN "<CORSRule>" METHOD("GET"));
	while (xml.len + sizeof(ORIGIN("*") "</CORSRule>" CLOSE) <= LIMIT_CORS_BODY_BYTES)
		strbuf_adds(&xml, ORIGIN("*"));
	strbuf_adds(&xml, "</CORSRule>" CLOSE);
	size_t len = xml.len;
	while (xml.len < LIMIT_CORS_BODY_BYTES)
		strbuf_addc(&xml, '\n');
	IS_INT(cors_parse(strbuf_slice(&xml), &cors, &reason), ERR_OK, "16 KiB");
	OK(len + 40 > LIMIT_CORS_BODY_BYTES, "full of rules");
	cors_free(cors);
	/* What is kept of that is longer, and is read again. */
	SCOPED_STRBUF(kept, LIMIT_SETTING_BYTES);
	cors = NULL;
	OK(cors_parse(strbuf_slice(&xml), &cors, &reason) == ERR_OK, "once more");
	cors_format(cors, &kept);
	cors_free(cors);
	cors = NULL;
	OK(kept.len > LIMIT_CORS_BODY_BYTES &&
			cors_parse(strbuf_slice(&kept), &cors, &reason) == ERR_OK,
		"from what is kept");
	cors_free(cors);
	while (xml.len <= 2 * LIMIT_CORS_BODY_BYTES)
		strbuf_addc(&xml, '\n');
	IS_INT(cors_parse(strbuf_slice(&xml), &cors, &reason), ERR_INVALID_ARGUMENT,
		"but there is an end to it");
}

/* The answer of a preflight, or the name of the error. */
static void preflight_is(const struct cors *cors, const char *origin, const char *method,
	const char *headers, const char *want)
{
	const struct cors_request request = {
		slice_str(origin), slice_str(method), slice_str(headers)};
	SCOPED_STRBUF(out, 10000);
	enum err e = cors_preflight(cors, &request, &out);
	if (e != ERR_OK)
		strbuf_adds(&out, err_info(e)->name);
	IS(strbuf_slice(&out), slice_str(want), "preflight");
}

static void actual_is(
	const struct cors *cors, const char *origin, const char *method, const char *want)
{
	SCOPED_STRBUF(out, 10000);
	cors_actual(cors, slice_str(origin), slice_str(method), &out);
	IS(strbuf_slice(&out), slice_str(want), "actual request");
}

#define ALLOW(origin, methods)                        \
	"Access-Control-Allow-Origin: " origin "\r\n" \
	"Access-Control-Allow-Methods: " methods "\r\n"

static void wildcards(void)
{
	static const struct {
		const char *pattern, *origin;
		bool match;
	} rows[] = {
		{"https://*.example.com", "https://a.example.com", true},
		{"https://*.example.com", "https://a.b.example.com", true},
		{"https://*.example.com", "https://.example.com", true},
		{"https://*.example.com", "https://example.com", false},
		{"https://*.example.com", "http://a.example.com", false},
		{"https://*.example.com", "https://a.example.com.evil.test", false},
		{"https://*.example.com", "https://a.example.com:8443", false},
		{"https://A.example.com", "https://a.EXAMPLE.com", true},
		{"http://localhost:*", "http://localhost:8888", true},
		{"http://localhost:*", "http://localhost", false},
		{"https://aba*aba", "https://aba", false},
		{"https://aba*aba", "https://ababa", false},
		{"https://aba*aba", "https://abaaba", true},
		{"https://a.example.com", "https://a.example.com", true},
		{"https://a.example.com", "https://a.example.co", false},
		{"https://a.example.com", "https://a.example.com.", false},
		{"*", "https://a.example.com", true},
		{"*", "null", true},
		{"*", "a\r\nSet-Cookie: b", false},
		{"*", "a b", false},
		{"https://a.example.com:443", "https://a.example.com", true},
		{"http://a.example.com:80", "http://A.example.com", true},
		{"http://a.example.com:443", "http://a.example.com", false},
		{"https://a.example.com:80", "https://a.example.com", false},
		{"https://a.example.com", "https://a.example.com:443", true},
		{"https://*.example.com:443", "https://a.example.com", true},
		{"http://a.*:80", "http://a.test", true},
		{"http://a.*:80", "http://a.test:8080", false},
		{"http://a.*:80", "http://a.test:80", true},
		{"http://a.test", "http://a.test:8080", false},
		{"capacitor://localhost", "capacitor://localhost", true},
		{"capacitor://localhost", "ionic://localhost", false},
		{"capacitor://localhost:80", "capacitor://localhost", false},
		{"http://[::1]:80", "http://[::1]", true},
		{"http://[::1]", "http://[::1]:8080", false},
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		SCOPED_STRBUF(xml, 1000);
		strbuf_addf(&xml, OPEN RULE(ORIGIN("%s") METHOD("GET")) CLOSE, rows[i].pattern);
		struct cors *cors = parsed(xml.ptr);
		SCOPED_STRBUF(out, 1000);
		cors_actual(cors, slice_str(rows[i].origin), S("GET"), &out);
		OK((out.len > 0) == rows[i].match, "%s %s %s", rows[i].pattern,
			rows[i].match ? "matches" : "does not match", rows[i].origin);
		cors_free(cors);
	}
}

static void rule_choice(void)
{
	struct cors *cors = parsed(OPEN RULE(ORIGIN("https://a.test") METHOD("GET") MAX_AGE(
		"1")) RULE(ORIGIN("https://a.test") METHOD("PUT") METHOD("POST") HEADER("x-oss-*")
			HEADER("Content-MD5") EXPOSE("ETag") EXPOSE("x-oss-request-id")
				MAX_AGE("2")) RULE(ORIGIN("*") METHOD("POST") HEADER("*")) CLOSE);
	const char *second = ALLOW("https://a.test",
		"PUT, POST") "Access-Control-Expose-Headers: ETag, x-oss-request-id\r\n"
			     "Access-Control-Max-Age: 2\r\n";
	SCOPED_STRBUF(with_headers, 1000);
	actual_is(cors, "https://a.test", "GET",
		ALLOW("https://a.test", "GET") "Access-Control-Max-Age: 1\r\n");
	actual_is(cors, "https://a.test", "POST", second);
	actual_is(cors, "https://b.test", "POST", ALLOW("*", "POST"));
	actual_is(cors, "https://b.test", "GET", "");
	actual_is(cors, "https://a.test", "HEAD", "");
	actual_is(cors, "https://a.test", "post", "");
	actual_is(cors, "", "POST", "");
	preflight_is(cors, "https://a.test", "POST", "", second);
	strbuf_addf(&with_headers, "%sAccess-Control-Allow-Headers: X-Oss-Meta-A, content-md5\r\n",
		second);
	preflight_is(
		cors, "https://a.test", "POST", " X-Oss-Meta-A,, content-md5 ,", with_headers.ptr);
	preflight_is(cors, "https://a.test", "PUT", "content-type,x-oss-meta-a", "CORS_NO_MATCH");
	preflight_is(cors, "https://a.test", "POST", "content-type",
		ALLOW("*", "POST") "Access-Control-Allow-Headers: content-type\r\n");
	preflight_is(cors, "https://b.test", "POST", "a b", "CORS_NO_MATCH");
	preflight_is(cors, "https://b.test", "POST", "a\r\nb", "CORS_NO_MATCH");
	preflight_is(cors, "https://b.test", "GET", "", "CORS_NO_MATCH");
	preflight_is(cors, "", "GET", "", "CORS_ORIGIN_MISSING");
	preflight_is(cors, "https://a.test", "", "", "CORS_METHOD_MISSING");
	preflight_is(NULL, "", "GET", "", "CORS_ORIGIN_MISSING");
	preflight_is(NULL, "https://a.test", "GET", "", "CORS_NOT_ENABLED");
	actual_is(NULL, "https://a.test", "GET", "");
	cors_free(cors);
}

static void vary(void)
{
	struct cors *cors =
		parsed(OPEN RULE(ORIGIN("https://a.test") METHOD("GET")) VARY("true") CLOSE);
	actual_is(cors, "https://a.test", "GET", "Vary: Origin\r\n" ALLOW("https://a.test", "GET"));
	actual_is(cors, "https://b.test", "GET", "Vary: Origin\r\n");
	actual_is(cors, "", "GET", "Vary: Origin\r\n");
	preflight_is(cors, "https://a.test", "GET", "",
		"Vary: Origin\r\n" ALLOW("https://a.test", "GET"));
	preflight_is(cors, "https://b.test", "GET", "", "Vary: Origin\r\nCORS_NO_MATCH");
	cors_free(cors);
}

static void requested_header_count(void)
{
	struct cors *cors = parsed(OPEN RULE(BASE HEADER("*")) CLOSE);
	SCOPED_STRBUF(names, 1000);
	for (int i = 0; i < 100; i++)
		strbuf_adds(&names, i ? ",a" : "a");
	struct cors_request request = {S("https://a.test"), S("GET"), strbuf_slice(&names)};
	OK(cors_rule_explain(cors, 0, &request, NULL) == CORS_MATCHES, "100 requested headers");
	strbuf_adds(&names, ",a");
	request.headers = strbuf_slice(&names);
	OK(cors_rule_explain(cors, 0, &request, NULL) == CORS_BAD_HEADER, "but not more");
	cors_free(cors);
}

static void explains(void)
{
	struct cors *cors =
		parsed(OPEN RULE(ORIGIN("https://a.test") METHOD("GET") HEADER("x-*")) CLOSE);
	struct cors_request request = {S("https://a.test"), S("GET"), S("x-a, y-b, z-c")};
	struct slice header = S("untouched");
	IS_INT(cors_rule_explain(cors, 0, &request, &header), CORS_BAD_HEADER, "a header");
	IS(header, S("y-b"), "namely");
	request.method = S("PUT");
	header = S("untouched");
	IS_INT(cors_rule_explain(cors, 0, &request, &header), CORS_BAD_METHOD, "the method");
	IS(header, S("untouched"), "no header then");
	request.origin = S("https://b.test");
	IS_INT(cors_rule_explain(cors, 0, &request, &header), CORS_BAD_ORIGIN, "the origin");
	cors_free(cors);
}

int main(void)
{
	round_trips();
	names_the_fault();
	origins();
	refusals();
	limits();
	wildcards();
	rule_choice();
	vary();
	requested_header_count();
	explains();
	return tap_done();
}
