/* SPDX-License-Identifier: Apache-2.0 */
#include "http/conditional.h"
#include "tap.h"

/* The object: tag "AB12", changed on Sun, 06 Nov 1994 08:49:37 GMT. */
#define MODIFIED_S 784111777
#define SAME "Sun, 06 Nov 1994 08:49:37 GMT"
#define BEFORE "Sun, 06 Nov 1994 08:49:36 GMT"
#define AFTER "Sun, 06 Nov 1994 08:49:38 GMT"

#define PROCEED CONDITIONAL_PROCEED, NULL
#define UNMODIFIED(name) CONDITIONAL_NOT_MODIFIED, "If-" name
#define FAILED(name) CONDITIONAL_FAILED, "If-" name

static const struct {
	const char *headers;
	enum conditional_result read;
	const char *read_name;
	enum conditional_result write;
	const char *write_name;
} rows[] = {
	{"", PROCEED, PROCEED},
	{"If-Match: \"AB12\"\r\n", PROCEED, PROCEED},
	{"If-Match: \"ab12\"\r\n", PROCEED, PROCEED},
	{"If-Match: AB12\r\n", PROCEED, PROCEED},
	{"If-Match: *\r\n", PROCEED, PROCEED},
	{"If-Match: \"x\" ,\t\"AB12\"\r\n", PROCEED, PROCEED},
	{"If-Match: \"AB1\"\r\n", FAILED("Match"), FAILED("Match")},
	{"If-Match: \"AB123\"\r\n", FAILED("Match"), FAILED("Match")},
	{"If-Match: W/\"AB12\"\r\n", FAILED("Match"), FAILED("Match")},
	{"If-Match: \"*\"\r\n", FAILED("Match"), FAILED("Match")},
	{"If-Match: \r\n", FAILED("Match"), FAILED("Match")},
	{"If-Match: \"AB12\r\n", FAILED("Match"), FAILED("Match")},

	{"If-None-Match: \"AB12\"\r\n", UNMODIFIED("None-Match"), FAILED("None-Match")},
	{"If-None-Match: ab12\r\n", UNMODIFIED("None-Match"), FAILED("None-Match")},
	{"If-None-Match: W/\"AB12\"\r\n", UNMODIFIED("None-Match"), FAILED("None-Match")},
	{"If-None-Match: *\r\n", UNMODIFIED("None-Match"), FAILED("None-Match")},
	{"If-None-Match: \"x\", \"AB12\"\r\n", UNMODIFIED("None-Match"), FAILED("None-Match")},
	{"If-None-Match: \"x\", \"y\"\r\n", PROCEED, PROCEED},
	{"If-None-Match: \r\n", PROCEED, PROCEED},

	{"If-Modified-Since: " SAME "\r\n", UNMODIFIED("Modified-Since"), PROCEED},
	{"If-Modified-Since: " AFTER "\r\n", UNMODIFIED("Modified-Since"), PROCEED},
	{"If-Modified-Since: " BEFORE "\r\n", PROCEED, PROCEED},
	{"If-Modified-Since: yesterday\r\n", PROCEED, PROCEED},
	{"If-Unmodified-Since: " SAME "\r\n", PROCEED, PROCEED},
	{"If-Unmodified-Since: " AFTER "\r\n", PROCEED, PROCEED},
	{"If-Unmodified-Since: " BEFORE "\r\n", FAILED("Unmodified-Since"),
		FAILED("Unmodified-Since")},
	{"If-Unmodified-Since: yesterday\r\n", PROCEED, PROCEED},

	/* A tag that is asked for outranks the date of the same sense. */
	{"If-Match: \"AB12\"\r\nIf-Unmodified-Since: " BEFORE "\r\n", PROCEED, PROCEED},
	{"If-None-Match: \"x\"\r\nIf-Modified-Since: " SAME "\r\n", PROCEED, PROCEED},
	/* First whether the object is the right one, then whether it is new. */
	{"If-None-Match: \"AB12\"\r\nIf-Match: \"x\"\r\n", FAILED("Match"), FAILED("Match")},
	{"If-Match: \"AB12\"\r\nIf-None-Match: \"AB12\"\r\n", UNMODIFIED("None-Match"),
		FAILED("None-Match")},
	{"If-Modified-Since: " SAME "\r\nIf-Unmodified-Since: " SAME "\r\n",
		UNMODIFIED("Modified-Since"), PROCEED},
	{"If-Modified-Since: " SAME "\r\nIf-Unmodified-Since: " BEFORE "\r\n",
		FAILED("Unmodified-Since"), FAILED("Unmodified-Since")},
};

static void check(const struct conditional *c, const char *headers, bool is_read,
	enum conditional_result want, const char *want_name)
{
	const char *name = "unset";
	enum conditional_result got = conditional_check(c, S("AB12"), MODIFIED_S, is_read, &name);
	OK(got == want && slice_eq(slice_str(name), slice_str(want_name)) &&
			(name == NULL) == (want_name == NULL),
		"%s [%.*s]", is_read ? "read" : "write", (int)strcspn(headers, "\r"), headers);
}

/* The head lives until the next call. */
static void parse(const char *headers, struct request_head *ret)
{
	static char text[1024];
	size_t size;
	(void)snprintf(text, sizeof text, "GET / HTTP/1.1\r\nHost: a\r\n%s\r\n", headers);
	if (request_head_parse(slice_str(text), 0, ret, &size) != HEAD_DONE)
		OK(false, "a head with %s", headers);
}

static void ranges(void)
{
	static const struct {
		struct slice value;
		bool part;
	} cases[] = {
		{{NULL, 0}, true},
		{SLICE_LIT("\"AB12\""), true},
		{SLICE_LIT("\"ab12\""), true},
		{SLICE_LIT("AB12"), true},
		{SLICE_LIT("W/\"AB12\""), false},
		{SLICE_LIT("\"AB13\""), false},
		{SLICE_LIT("\"AB12\", \"AB13\""), false},
		{SLICE_LIT("\"AB12\","), false},
		{SLICE_LIT("*"), false},
		{SLICE_LIT("\t*"), false},
		{SLICE_LIT("\"*\""), false},
		{SLICE_LIT(""), false},
		{SLICE_LIT("yesterday"), false},
		{SLICE_LIT(SAME), false},
		{SLICE_LIT("Sunday, 06-Nov-94 08:49:37 GMT"), false},
		{SLICE_LIT(BEFORE), false},
		{SLICE_LIT(AFTER), false},
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		OK(conditional_if_range(cases[i].value, S("AB12")) == cases[i].part,
			"If-Range: %.*s", SLICE_FMT(cases[i].value));
}

int main(void)
{
	ranges();
	static struct request_head head;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		parse(rows[i].headers, &head);
		struct conditional c = conditional_from_head(&head, S(""));
		check(&c, rows[i].headers, true, rows[i].read, rows[i].read_name);
		check(&c, rows[i].headers, false, rows[i].write, rows[i].write_name);
	}
	parse("x-oss-copy-source-if-match: \"x\"\r\nIf-Match: \"AB12\"\r\n", &head);
	struct conditional copy = conditional_from_head(&head, S("x-oss-copy-source-"));
	check(&copy, "the source of a copy", true, CONDITIONAL_FAILED, "If-Match");
	OK(!copy.if_none_match.ptr && !copy.if_modified_since.ptr && !copy.if_unmodified_since.ptr,
		"the others are absent");
	return tap_done();
}
