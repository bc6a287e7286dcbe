/* SPDX-License-Identifier: Apache-2.0 */
#include "oss/text/xml_controls.h"

#include "base/encode.h"

/*
 * The stand-ins are U+FDD0 to U+FDEF, which Unicode keeps for use inside a program: of a control
 * character c U+FDD0 + c, and of U+FFFE and U+FFFF those of the line feed and the tab, which need
 * none. A stand-in that a document holds itself gets U+10FFFF, the mark, in front; and so
 * does the mark itself. So no text can be mistaken for another.
 */
static const struct slice mark = SLICE_LIT("\xf4\x8f\xbf\xbf");
static const struct slice stand_in = SLICE_LIT("\xef\xb7"); /* and a byte from STAND_IN_FIRST on */

enum {
	MARK = 0x10ffff,
	STAND_IN_FIRST = 0x90,
	STAND_IN_BYTES = 3,
	CONTROLS = 0x20, /* those below this */
	FFFE = '\n',
	FFFF = '\t',
	REFERENCE_BYTES = 12,
};

static void add_stand_in(struct strbuf *out, unsigned c)
{
	strbuf_add_slice(out, stand_in);
	strbuf_addc(out, (char)(STAND_IN_FIRST + c));
}

/* Whether `text` begins with a stand-in; *ret is what it stands for. */
static bool is_stand_in(struct slice text, unsigned *ret)
{
	if (text.len < STAND_IN_BYTES || !slice_starts(text, stand_in))
		return false;
	unsigned last = (unsigned char)text.ptr[STAND_IN_BYTES - 1];
	*ret = last - STAND_IN_FIRST;
	return last >= STAND_IN_FIRST && last < STAND_IN_FIRST + CONTROLS;
}

/* The value of a digit of base 10 or 16; `base` if it is none. */
static unsigned digit_of(char c, unsigned base)
{
	char lower = ascii_lower(c);
	if (ascii_digit(c))
		return (unsigned)(c - '0');
	return base == 16 && lower >= 'a' && lower <= 'f' ? (unsigned)(lower - 'a' + 10) : base;
}

/* The character that is meant by `&#12;` or `&#xC;` at the front of `text`; 0 if by none. */
static unsigned reference(struct slice text, size_t *ret_len)
{
	size_t at = 2;
	unsigned value = 0;
	if (!slice_starts(text, S("&#")))
		return 0;
	unsigned base = text.len > at && text.ptr[at] == 'x' ? 16 : 10;
	at += base == 16;
	size_t first = at;
	for (; at < text.len && at < REFERENCE_BYTES && digit_of(text.ptr[at], base) < base; at++)
		value = value * base + digit_of(text.ptr[at], base);
	if (at == first || at == text.len || text.ptr[at] != ';')
		return 0;
	*ret_len = at + 1;
	return value;
}

static bool is_control(unsigned c)
{
	return c && c < CONTROLS && c != '\t' && c != '\n' && c != '\r';
}

/* What is written for a character or reference at the front of `text`; its length is *ret_len. */
static bool hide_one(struct slice text, bool references, size_t *ret_len, struct strbuf *out)
{
	unsigned c = (unsigned char)text.ptr[0], stands_for;
	*ret_len = 1;
	if (c == '&' && references)
		c = reference(text, ret_len);
	else if (is_stand_in(text, &stands_for)) {
		*ret_len = STAND_IN_BYTES;
		strbuf_add_slice(out, mark);
		strbuf_add_slice(out, slice_head(text, STAND_IN_BYTES));
		return true;
	} else if (slice_starts(text, S("\xef\xbf\xbe")) || slice_starts(text, S("\xef\xbf\xbf"))) {
		c = text.ptr[2] == '\xbe' ? 0xfffe : 0xffff;
		*ret_len = 3;
	} else if (slice_starts(text, mark)) {
		c = MARK;
		*ret_len = mark.len;
	}
	if (c == 0xfffe || c == 0xffff) {
		add_stand_in(out, c == 0xfffe ? FFFE : FFFF);
	} else if (c == MARK) {
		strbuf_add_slice(out, mark);
		strbuf_add_slice(out, mark);
	} else if (is_control(c)) {
		add_stand_in(out, c);
	} else if (c >= 0xfdd0 && c < 0xfdd0 + CONTROLS) {
		strbuf_add_slice(out, mark);
		add_stand_in(out, c - 0xfdd0);
	} else {
		return false;
	}
	return true;
}

/* Whether the byte can begin something that is replaced. */
static bool is_plain(char c)
{
	unsigned char byte = (unsigned char)c;
	return c != '&' && c != '<' && c != ']' && byte != 0xef && byte != 0xf4 &&
	       !is_control(byte);
}

bool xml_controls_hide(struct slice document, struct strbuf *out)
{
	size_t before = out->len;
	bool replaced = false;
	bool references = true; /* not in a CDATA section, where nothing is one */
	while (document.len) {
		size_t plain = 0, len;
		while (plain < document.len && is_plain(document.ptr[plain]))
			plain++;
		strbuf_add_slice(out, slice_head(document, plain));
		document = slice_from(document, plain);
		if (document.len == 0)
			break;
		if (slice_starts(document, references ? S("<![CDATA[") : S("]]>")))
			references = !references;
		if (hide_one(document, references, &len, out))
			replaced = true;
		else
			strbuf_add(out, document.ptr, len);
		document = slice_from(document, len);
	}
	if (!replaced)
		strbuf_truncate(out, before);
	return replaced;
}

static void show_one(unsigned stands_for, struct strbuf *out)
{
	if (stands_for == FFFE)
		strbuf_adds(out, "\xef\xbf\xbe");
	else if (stands_for == FFFF)
		strbuf_adds(out, "\xef\xbf\xbf");
	else
		strbuf_addc(out, (char)stands_for);
}

void xml_controls_show(struct slice text, struct strbuf *out)
{
	while (text.len) {
		unsigned c;
		if (slice_starts(text, mark) && is_stand_in(slice_from(text, mark.len), &c)) {
			text = slice_from(text, mark.len);
			strbuf_add_slice(out, slice_head(text, STAND_IN_BYTES));
			text = slice_from(text, STAND_IN_BYTES);
		} else if (slice_starts(text, mark) &&
			   slice_starts(slice_from(text, mark.len), mark)) {
			strbuf_add_slice(out, mark);
			text = slice_from(text, 2 * mark.len);
		} else if (is_stand_in(text, &c)) {
			show_one(c, out);
			text = slice_from(text, STAND_IN_BYTES);
		} else {
			strbuf_addc(out, text.ptr[0]);
			text = slice_from(text, 1);
		}
	}
}
