/* SPDX-License-Identifier: Apache-2.0 */
/* Referer rules: patterns, what is refused and why, documents that are and are not valid. */
#include "oss/rules/referer.h"

#include "base/limits.h"
#include "oss/rules/globs.h"
#include "tap.h"

#define PROLOG "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
#define DOC(inside) "<RefererConfiguration>" inside "</RefererConfiguration>"
#define EMPTY(yes) "<AllowEmptyReferer>" yes "</AllowEmptyReferer>"
#define QUERY(yes) "<AllowTruncateQueryString>" yes "</AllowTruncateQueryString>"
#define PATH(yes) "<TruncatePath>" yes "</TruncatePath>"
#define R(pattern) "<Referer>" pattern "</Referer>"
#define LIST(inside) "<RefererList>" inside "</RefererList>"
#define BLACK(inside) "<RefererBlacklist>" inside "</RefererBlacklist>"

/* One pattern alone. */
static bool matches_glob(struct slice pattern, struct slice text)
{
	struct globs *globs = globs_new(&pattern, 1);
	bool matches = globs && globs_begin(globs, text);
	globs_free(globs);
	return matches;
}

static void patterns(void)
{
	static const struct {
		const char *pattern;
		const char *text;
		bool want;
	} rows[] = {
		{"", "", true},
		{"", "x", true},
		{"a", "", false},
		{"*", "", true},
		{"?", "", false},
		{"?", "a", true},
		{"http://a.test", "http://a.test", true},
		{"http://a.test", "http://a.test/page", true},
		{"http://a.test", "http://a.test.example", true}, /* OSS compares beginnings */
		{"http://a.test/", "http://a.test", false},
		{"http://a.test", "https://a.test", false},
		{"http://a.test", "HTTP://A.Test", true},
		{"http://A.Test", "http://a.test", true},
		{"a.test", "http://a.test", false},
		{"*a.test/", "https://www.a.test/", true},
		{"http://*.a.test", "http://b.a.test", true},
		{"http://*.a.test", "http://c.b.a.test/x", true},
		{"http://*.a.test", "http://a.test", false},
		{"http://*.a.test/", "http://b.a.test.evil.example/", false},
		{"http://www?.a.test", "http://www1.a.test", true},
		{"http://www?.a.test", "http://www.a.test", false},
		{"http://www?.a.test", "http://www12.a.test", false},
		{"*?*a", "a", false},
		{"*?*a", "ba", true},
		{"**a**", "xxax", true},
		{"*aab", "aaaab", true},
		{"*aab*aab", "aabaab", true},
		{"*aab*aab", "aabab", false},
		{"*ab?d", "abxababcd", true},
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		OK(matches_glob(slice_str(rows[i].pattern), slice_str(rows[i].text)) ==
				rows[i].want,
			"[%s] %s [%s]", rows[i].pattern, rows[i].want ? "fits" : "does not fit",
			rows[i].text);
}

/* Side by side no pattern leads into the next, wherever in a word of bits they meet. */
static void many_at_once(void)
{
	struct slice all[200];
	char texts[ARRAY_LEN(all)][16];
	for (size_t i = 0; i < ARRAY_LEN(all); i++) {
		(void)snprintf(texts[i], sizeof(texts[i]), "%*s%zu*z", (int)(i % 7), "", i + 1000);
		all[i] = slice_str(texts[i]);
	}
	bool right = true;
	for (size_t n = 1; n <= ARRAY_LEN(all); n++) {
		struct globs *globs = globs_new(all, n);
		for (size_t i = 0; i < ARRAY_LEN(all); i++) {
			char text[32];
			(void)snprintf(
				text, sizeof(text), "%.*s+z", (int)all[i].len - 2, all[i].ptr);
			right = right && globs_begin(globs, slice_str(text)) == (i < n) &&
				!globs_begin(globs, slice_str(text + 1)) &&
				!globs_begin(globs, slice_of(text, strlen(text) - 1));
		}
		globs_free(globs);
	}
	OK(right, "each of 1 to 200 patterns is found, and nothing else");
}

/*
 * The most that a bucket can have, and the header that takes longest, 200 times: if the time were
 * the product of the lengths this would not come to its end while anybody waits.
 */
static void worst(void)
{
	static char pattern[LIMIT_REFERER_PATTERN_BYTES];
	static char text[LIMIT_REFERER_BYTES];
	struct slice all[LIMIT_REFERER_LIST_BYTES / LIMIT_REFERER_PATTERN_BYTES];
	memset(pattern, 'a', sizeof(pattern));
	pattern[0] = '*';
	pattern[sizeof(pattern) - 2] = '?';
	pattern[sizeof(pattern) - 1] = 'b';
	memset(text, 'a', sizeof(text));
	for (size_t i = 0; i < ARRAY_LEN(all); i++)
		all[i] = slice_of(pattern, sizeof(pattern));
	struct globs *globs = globs_new(all, ARRAY_LEN(all));
	bool any = false;
	for (int i = 0; i < 200; i++)
		any = any || globs_begin(globs, slice_of(text, sizeof(text)));
	OK(!any, "twenty patterns that nearly match everywhere");
	text[sizeof(text) - 1] = 'b';
	OK(globs_begin(globs, slice_of(text, sizeof(text))), "and do, at the end");
	globs_free(globs);
}

static struct referer *parsed(const char *xml)
{
	struct referer *rules = NULL;
	SCOPED_STRBUF(reason, 1000);
	if (referer_parse(slice_str(xml), &rules, &reason) != ERR_OK)
		OK(false, "parses %s: %s", xml, reason.ptr);
	return rules;
}

static void verdicts(void)
{
	static const char list[] =
		DOC(EMPTY("false") LIST(R("http://*.a.test") R("https://b.test")));
	static const char open_list[] = DOC(EMPTY("true") LIST(R("http://a.test")));
	static const char black[] = DOC(LIST(R("*")) BLACK(R("http://evil.test") R("*.bad.test")));
	static const char black_alone[] = DOC(EMPTY("false") BLACK(R("http://evil.test")));
	static const char nothing[] = DOC(EMPTY("false") LIST());
	static const char query[] = DOC(LIST(R("*.a.test")));
	static const char no_query[] = DOC(QUERY("false") LIST(R("*.a.test")));
	static const char path[] = DOC(QUERY("true") PATH("true") LIST(R("*.a.test")));
	static const struct {
		const char *xml;
		const char *referer;
		enum referer_verdict want;
	} rows[] = {
		{list, "http://x.a.test/page", REFERER_ALLOWED},
		{list, "https://b.test", REFERER_ALLOWED},
		{list, "https://x.a.test", REFERER_NOT_LISTED},
		{list, "http://evil.test", REFERER_NOT_LISTED},
		{list, "", REFERER_EMPTY},
		{list, " \t ", REFERER_EMPTY},
		{open_list, "", REFERER_ALLOWED},
		{open_list, "http://a.test", REFERER_ALLOWED},
		{open_list, "http://b.test", REFERER_NOT_LISTED},
		{black, "http://evil.test/", REFERER_BLACKLISTED},
		{black, "https://x.bad.test", REFERER_BLACKLISTED},
		{black, "http://good.test", REFERER_ALLOWED},
		{black, "", REFERER_ALLOWED},
		{black_alone, "http://evil.test/", REFERER_BLACKLISTED},
		{black_alone, "http://good.test/", REFERER_ALLOWED},
		{black_alone, "", REFERER_ALLOWED},
		{nothing, "", REFERER_ALLOWED},
		{nothing, "http://a.test", REFERER_ALLOWED},
		{query, "http://evil.test/?x=.a.test", REFERER_NOT_LISTED},
		{query, "http://evil.test/.a.test", REFERER_ALLOWED},
		{no_query, "http://evil.test/?x=.a.test", REFERER_ALLOWED},
		{path, "http://evil.test/.a.test", REFERER_NOT_LISTED},
		{path, "http://evil.test/?x=.a.test", REFERER_NOT_LISTED},
		{path, "http://x.a.test/y?z", REFERER_ALLOWED},
		{path, "x.a.test/y", REFERER_ALLOWED},
		{path, "evil/.a.test", REFERER_NOT_LISTED},
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct referer *rules = parsed(rows[i].xml);
		OK(referer_check(rules, slice_str(rows[i].referer)) == rows[i].want, "[%s] with %s",
			rows[i].referer, rows[i].xml);
		referer_free(rules);
	}
}

static void documents(void)
{
	static const struct {
		const char *xml;
		const char *want;
	} rows[] = {
		{DOC(""), DOC(EMPTY("true") QUERY("true") PATH("false") LIST(""))},
		{"<RefererConfiguration/>",
			DOC(EMPTY("true") QUERY("true") PATH("false") LIST(""))},
		{DOC(EMPTY(" False ") LIST(R("") R(" http://a.test\n")) "<RefererBlacklist/>"),
			DOC(EMPTY("false") QUERY("true") PATH("false") LIST(R("http://a.test")))},
		{DOC(EMPTY("true") QUERY("true") PATH("true") LIST(R("a") R("b"))
				 BLACK(R("c") R("d"))),
			DOC(EMPTY("true") QUERY("true") PATH("true") LIST(R("a") R("b"))
					BLACK(R("c") R("d")))},
		{DOC(QUERY("false") LIST(R("http://a.test/&lt;&amp;"))),
			DOC(EMPTY("true") QUERY("false") PATH("false")
					LIST(R("http://a.test/&lt;&amp;")))},
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct referer *rules = parsed(rows[i].xml);
		SCOPED_STRBUF(out, 100000);
		SCOPED_STRBUF(want, 100000);
		referer_format(rules, &out);
		strbuf_addf(&want, PROLOG "%s", rows[i].want);
		IS(strbuf_slice(&out), strbuf_slice(&want), rows[i].xml);
		referer_free(rules);
	}
	SCOPED_STRBUF(out, 1000);
	referer_format_default(&out);
	IS(strbuf_slice(&out), S(PROLOG DOC(EMPTY("true") QUERY("true") PATH("false") LIST(""))),
		"what is told of a bucket without rules");
	referer_free(NULL);
}

static void fails(const char *xml, enum err want)
{
	struct referer *rules = NULL;
	SCOPED_STRBUF(reason, 1000);
	enum err e = referer_parse(slice_str(xml), &rules, &reason);
	OK(e == want && !rules && reason.len, "%s for %.100s: %s", err_info(want)->name, xml,
		reason.ptr);
}

static void refusals(void)
{
	fails("", ERR_MALFORMED_XML);
	fails("<Referer/>", ERR_MALFORMED_XML);
	fails(DOC("<Else/>"), ERR_MALFORMED_XML);
	fails(DOC(R("http://a.test")), ERR_MALFORMED_XML);
	fails(DOC(EMPTY("true") EMPTY("true")), ERR_MALFORMED_XML);
	fails(DOC(EMPTY("")), ERR_INVALID_ARGUMENT);
	fails(DOC(EMPTY("1")), ERR_INVALID_ARGUMENT);
	fails(DOC(LIST(R("a\x18"))), ERR_INVALID_ARGUMENT);
	fails(DOC(LIST(R("a\xef\xbf\xbe"))), ERR_INVALID_ARGUMENT);
	fails(DOC(QUERY("maybe")), ERR_INVALID_ARGUMENT);
	fails(DOC(QUERY("false") PATH("true")), ERR_INVALID_ARGUMENT);
	SCOPED_STRBUF(xml, 100000);
	strbuf_adds(&xml, "<RefererConfiguration><RefererList><Referer>");
	for (size_t i = 0; i < LIMIT_REFERER_PATTERN_BYTES + 1; i++)
		strbuf_addc(&xml, 'a');
	strbuf_adds(&xml, "</Referer></RefererList></RefererConfiguration>");
	fails(xml.ptr, ERR_INVALID_ARGUMENT);
	strbuf_clear(&xml);
	strbuf_adds(&xml, "<RefererConfiguration><RefererList>");
	for (size_t i = 0; i < LIMIT_REFERER_LIST_BYTES / 20 + 1; i++)
		strbuf_adds(&xml, "<Referer>http://01234567.test</Referer>");
	strbuf_adds(&xml, "</RefererList></RefererConfiguration>");
	fails(xml.ptr, ERR_INLINE_DATA_TOO_LARGE);
}

int main(void)
{
	patterns();
	many_at_once();
	worst();
	verdicts();
	documents();
	refusals();
	return tap_done();
}
