/* SPDX-License-Identifier: Apache-2.0 */
/* Lines of a configuration file: sections, options, comments, and what is none of these. */
#include "cli/ini.h"

#include "base/limits.h"
#include "base/strbuf.h"
#include "tap.h"

/* What the file says, one thing in `<>`, and `!` with the number of the first bad line. */
static void says(struct slice text, const char *want)
{
	struct ini ini = {.rest = text};
	SCOPED_STRBUF(got, KIB(16));
	enum ini_kind kind;
	while ((kind = ini_next(&ini)) != INI_END && kind != INI_BAD) {
		strbuf_addf(&got, kind == INI_SECTION ? "<[%.*s]>" : "<%.*s",
			SLICE_FMT(kind == INI_SECTION ? ini.section : ini.name));
		if (kind == INI_OPTION)
			strbuf_addf(&got, "=%.*s>", SLICE_FMT(ini.value));
	}
	if (kind == INI_BAD)
		strbuf_addf(&got, "!%d", ini.line);
	IS(strbuf_slice(&got), slice_str(want), want);
}

static void lines(void)
{
	static const char *const rows[][2] = {{"", ""}, {"\n \n\t\n", ""},
		{"[a]\nb = c\n", "<[a]><b=c>"}, {"[a]\nb=c", "<[a]><b=c>"},
		{"\xef\xbb\xbf[a]\r\nb = c d \r\n\r\n", "<[a]><b=c d>"},
		{"[a] b\nc =", "<[a]><c=>"},
		{"; [x]\n  # y = z\n[a]\n\t; c\nb : c=d\n  # e\n", "<[a]><b=c=d>"},
		{"[a]\nb = c:d;e ; f\ng = ; h\n", "<[a]><b=c:d;e><g=>"},
		{"  [a]\nb = #c", "<[a]><b=#c>"}, {"= x", "<=x>"}, {"[]", "<[]>"},
		{"[a]\nb = c\n  d = e\n", "<[a]><b=c>!3"}, {"[a]\nb = c\n [d]\n", "<[a]><b=c>!3"},
		{"[a\nb = c", "!1"}, {"[a ;]\n", "!1"}, {"\n\nb\n", "!3"}, {"b ; = c", "!1"},
		{"[a]\n\xef\xbb\xbf[b]", "<[a]>!2"}};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		says(slice_str(rows[i][0]), rows[i][1]);
	says(S("[a]\nb = c\0d\n"), "<[a]>!2");
	says(S("[a]\nb = c\r \n"), "<[a]>!2");
}

/* Wherever a line ends, it is one. */
static void lengths(void)
{
	for (size_t len = 150; len < 5000; len += len < 300 ? 1 : 997) {
		SCOPED_STRBUF(text, KIB(16));
		SCOPED_STRBUF(want, KIB(16));
		strbuf_adds(&text, "; a comment");
		for (size_t i = 0; i < len; i++)
			strbuf_adds(&text, i % 2 ? " " : "=");
		strbuf_adds(&text, "\nname = ");
		strbuf_adds(&want, "<name=");
		for (size_t i = 0; i < len; i++) {
			strbuf_adds(&text, i % 3 ? "v" : "  =");
			strbuf_adds(&want, i % 3 ? "v" : i == 0 ? "=" : "  =");
		}
		strbuf_addc(&want, '>');
		says(strbuf_slice(&text), want.ptr);
	}
}

int main(void)
{
	lines();
	lengths();
	return tap_done();
}
