/* SPDX-License-Identifier: Apache-2.0 */
#include "oss/text/xml_controls.h"

#include "oss/text/xml.h"
#include "tap.h"

static const struct {
	struct slice document;
	struct slice want; /* the text of the element; ptr is NULL: the document is refused */
} rows[] = {
	{SLICE_LIT("<a>plain</a>"), SLICE_LIT("plain")},
	{SLICE_LIT("<a>&#x0C;|&#xb;|&#12;|&#x00000B;</a>"), SLICE_LIT("\f|\v|\f|\v")},
	{SLICE_LIT("<a>&#x1;&#2;&#x1F;&#31;</a>"), SLICE_LIT("\x01\x02\x1f\x1f")},
	{SLICE_LIT("<a>&#x9;&#10;&#13;&#x41;&#xE9;</a>"), SLICE_LIT("\t\n\rA\xc3\xa9")},
	{SLICE_LIT("<a>&#xFFFE;&#65535;\xef\xbf\xbe\xef\xbf\xbf</a>"),
		SLICE_LIT("\xef\xbf\xbe\xef\xbf\xbf\xef\xbf\xbe\xef\xbf\xbf")},
	/* As they are. */
	{SLICE_LIT("<a>\x01|\x02\x03\x04\x05\x06\a\b|\v\f|\x0e\x0f\x10\x1f|\x7f</a>"),
		SLICE_LIT("\x01|\x02\x03\x04\x05\x06\a\b|\v\f|\x0e\x0f\x10\x1f|\x7f")},
	{SLICE_LIT("<a><![CDATA[\f&#x0C;]]>&#x0C;<![CDATA[]]]]>\f&#12;</a>"),
		SLICE_LIT("\f&#x0C;\f]]\f\f")},
	{SLICE_LIT("<a>&amp;#x0C;</a>"), SLICE_LIT("&#x0C;")},
	{SLICE_LIT("<a><![CDATA[&#x0C;]]></a>"), SLICE_LIT("&#x0C;")},
	/* What stands for them, in a document of its own. */
	{SLICE_LIT("<a>\xef\xb7\x90\xef\xb7\x9c\xef\xb7\xaf\xef\xb7\xb0\xef\xb7\x8f</a>"),
		SLICE_LIT("\xef\xb7\x90\xef\xb7\x9c\xef\xb7\xaf\xef\xb7\xb0\xef\xb7\x8f")},
	{SLICE_LIT("<a>&#xFDD0;&#64988;&#xFDEF;&#xFDF0;&#xFDCF;</a>"),
		SLICE_LIT("\xef\xb7\x90\xef\xb7\x9c\xef\xb7\xaf\xef\xb7\xb0\xef\xb7\x8f")},
	{SLICE_LIT("<a>\xf4\x8f\xbf\xbf</a>"), SLICE_LIT("\xf4\x8f\xbf\xbf")},
	{SLICE_LIT("<a>&#x10FFFF;</a>"), SLICE_LIT("\xf4\x8f\xbf\xbf")},
	{SLICE_LIT("<a>&#1114111;\xef\xb7\x90\f</a>"), SLICE_LIT("\xf4\x8f\xbf\xbf\xef\xb7\x90\f")},
	{SLICE_LIT("<a>\xf4\x8f\xbf\xbf\xef\xb7\x9c\f</a>"),
		SLICE_LIT("\xf4\x8f\xbf\xbf\xef\xb7\x9c\f")},
	{SLICE_LIT("<a>\xf4\x8f\xbf\xbf\f</a>"), SLICE_LIT("\xf4\x8f\xbf\xbf\f")},
	{SLICE_LIT("<a>\xef\xb7\x9c\xf4\x8f\xbf\xbe&#1;</a>"),
		SLICE_LIT("\xef\xb7\x9c\xf4\x8f\xbf\xbe\x01")},
	{SLICE_LIT("<a>\0</a>"), {NULL, 0}},
	{SLICE_LIT("<a>&#0;</a>"), {NULL, 0}},
	{SLICE_LIT("<a>&#x;</a>"), {NULL, 0}},
	{SLICE_LIT("<a>&#xC</a>"), {NULL, 0}},
	{SLICE_LIT("<a>&#xG;</a>"), {NULL, 0}},
	{SLICE_LIT("<a>&#-1;</a>"), {NULL, 0}},
	{SLICE_LIT("<a>&#x1000000000000000C;</a>"), {NULL, 0}},
	{SLICE_LIT("<a>&#x110000;</a>"), {NULL, 0}},
	{SLICE_LIT("<a>\x01</\x02></a>"), {NULL, 0}},
	{SLICE_LIT("<a>\x01\xff</a>"), {NULL, 0}},
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
		enum err e = xml_read(rows[i].document, elements, 1, &text, &reason);
		OK((e == ERR_OK) == (rows[i].want.ptr != NULL), "row %zu: %s", i, reason.ptr);
		if (e == ERR_OK)
			IS(strbuf_slice(&text), rows[i].want, "is what was meant");
	}
	/* Every beginning of the longest things, in a block of its own. */
	static const struct slice whole =
		SLICE_LIT("&#x0000000C;\f\xf4\x8f\xbf\xbf\xef\xb7\x9c\xef\xbf\xbe&#x10FFFF;");
	for (size_t len = 0; len <= whole.len; len++) {
		SCOPED_STRBUF(piece, 1000);
		SCOPED_STRBUF(hidden, 1000);
		SCOPED_STRBUF(shown, 1000);
		strbuf_add(&piece, whole.ptr, len);
		bool any = xml_controls_hide(strbuf_slice(&piece), &hidden);
		OK(any == (len >= 12) && (any || hidden.len == 0), "the first %zu bytes", len);
		xml_controls_show(any ? strbuf_slice(&hidden) : strbuf_slice(&piece), &shown);
		OK(len < 12 ? slice_eq(strbuf_slice(&shown), slice_head(whole, len))
			    : shown.ptr[0] == '\f',
			"come back");
	}
	return tap_done();
}
