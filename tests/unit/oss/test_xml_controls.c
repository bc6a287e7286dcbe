/* SPDX-License-Identifier: Apache-2.0 */
#include "oss/xml_controls.h"

#include "oss/xml.h"
#include "tap.h"

static const struct {
	const char *document;
	struct slice want; /* the text of the element; ptr is NULL: the document is refused */
} rows[] = {
	{"<a>plain</a>", SLICE_LIT("plain")},
	{"<a>&#x0C;|&#xb;|&#12;|&#x00000B;</a>", SLICE_LIT("\f|\v|\f|\v")},
	{"<a>&#x1;&#2;&#x1F;&#31;</a>", SLICE_LIT("\x01\x02\x1f\x1f")},
	{"<a>&#x9;&#10;&#13;&#x41;&#xE9;</a>", SLICE_LIT("\t\n\rA\xc3\xa9")},
	{"<a>&amp;#x0C;</a>", SLICE_LIT("&#x0C;")},
	{"<a><![CDATA[&#x0C;]]></a>", SLICE_LIT("&#x0C;")},
	{"<a>\xf4\x8f\xbf\xbf</a>", SLICE_LIT("\xf4\x8f\xbf\xbf")},
	{"<a>&#x10FFFF;</a>", SLICE_LIT("\xf4\x8f\xbf\xbf")},
	{"<a>&#1114111;\xee\x84\x8c</a>", SLICE_LIT("\xf4\x8f\xbf\xbf\xee\x84\x8c")},
	{"<a>\xf4\x8f\xbf\xbf\xee\x84\x8c</a>", SLICE_LIT("\xf4\x8f\xbf\xbf\xee\x84\x8c")},
	{"<a>\xf4\x8f\xbf\xbf\xee\x84\x80</a>", SLICE_LIT("\xf4\x8f\xbf\xbf\xee\x84\x80")},
	{"<a>\xee\x84\x8c\xf4\x8f\xbf\xbe</a>", SLICE_LIT("\xee\x84\x8c\xf4\x8f\xbf\xbe")},
	{"<a>&#0;</a>", {NULL, 0}},
	{"<a>&#x;</a>", {NULL, 0}},
	{"<a>&#xC</a>", {NULL, 0}},
	{"<a>&#xG;</a>", {NULL, 0}},
	{"<a>&#-1;</a>", {NULL, 0}},
	{"<a>&#x1000000000000000C;</a>", {NULL, 0}},
	{"<a>&#x110000;</a>", {NULL, 0}},
	{"<a>&#xFFFE;</a>", {NULL, 0}},
	{"<a>\f</a>", SLICE_LIT("\f")},
	{"<a>\x01&#1;\x1f</a>", SLICE_LIT("\x01\x01\x1f")},
	{"<\x01/>", {NULL, 0}},
};

static enum err take(void *ctx, struct slice text, struct strbuf *reason UNUSED)
{
	strbuf_add_slice(ctx, text);
	return ERR_OK;
}

int main(void)
{
	static const struct xml_element elements[] = {{.path = "/a", .text = take}};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		SCOPED_STRBUF(text, 1000);
		SCOPED_STRBUF(reason, 500);
		enum err e = xml_read(slice_str(rows[i].document), elements, 1, &text, &reason);
		OK((e == ERR_OK) == (rows[i].want.ptr != NULL), "%zu %s", i, rows[i].document);
		if (e == ERR_OK)
			IS(strbuf_slice(&text), rows[i].want, "is what was meant");
	}
	/* Every beginning of the longest things, in a block of its own. */
	static const struct slice whole =
		SLICE_LIT("&#x0000000C;\xf4\x8f\xbf\xbf\xee\x84\x8c&#x10FFFF;");
	for (size_t len = 0; len <= whole.len; len++) {
		SCOPED_STRBUF(piece, 1000);
		SCOPED_STRBUF(hidden, 1000);
		SCOPED_STRBUF(shown, 1000);
		strbuf_add(&piece, whole.ptr, len);
		xml_controls_hide(strbuf_slice(&piece), &hidden);
		xml_controls_show(strbuf_slice(&hidden), &shown);
		OK(len < 12 ? slice_eq(strbuf_slice(&shown), slice_head(whole, len))
			    : shown.ptr[0] == '\f',
			"the first %zu bytes", len);
	}
	return tap_done();
}
