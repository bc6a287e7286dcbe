/* SPDX-License-Identifier: Apache-2.0 */
#include "oss/xml_controls.h"

#include "base/encode.h"

/*
 * A control character c becomes U+10FFFF and U+E100 + c. U+10FFFF itself, which is nobody's
 * character, becomes the pair with c = 0, so that no text can be mistaken for a pair.
 */
static const struct slice mark = SLICE_LIT("\xf4\x8f\xbf\xbf");
static const unsigned char second[] = {0xee, 0x84, 0x80}; /* U+E100 */

enum {
	MARK = 0x10ffff,
	CONTROLS = 0x20, /* those below this */
	REFERENCE_BYTES = 12,
};

static void add_pair(struct strbuf *out, unsigned c)
{
	strbuf_add_slice(out, mark);
	strbuf_add(out, second, sizeof(second) - 1);
	strbuf_addc(out, (char)(second[2] | c));
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

/* Those that XML can hold are the reader's to resolve. */
static bool must_hide(unsigned c)
{
	return (c && c < CONTROLS && c != '\t' && c != '\n' && c != '\r') || c == MARK;
}

bool xml_controls_found(struct slice document)
{
	for (size_t i = 0; i < document.len; i++)
		if (must_hide((unsigned char)document.ptr[i]))
			return true;
	return slice_find_slice(document, S("&#")) < document.len ||
	       slice_find_slice(document, mark) < document.len;
}

void xml_controls_hide(struct slice document, struct strbuf *out)
{
	if (slice_find_slice(document, S("<![CDATA[")) < document.len) {
		strbuf_add_slice(out, document);
		return;
	}
	while (document.len) {
		size_t len = 1;
		unsigned c = (unsigned char)document.ptr[0];
		if (!must_hide(c))
			c = reference(document, &len);
		bool is_mark = slice_starts(document, mark);
		if (is_mark || must_hide(c))
			add_pair(out, is_mark || c == MARK ? 0 : c);
		else
			strbuf_add(out, document.ptr, len);
		document = slice_from(document, is_mark ? mark.len : len);
	}
}

void xml_controls_show(struct slice text, struct strbuf *out)
{
	struct slice pair = slice_of(second, sizeof(second) - 1);
	while (text.len) {
		struct slice rest = slice_from(text, mark.len);
		if (!slice_starts(text, mark) || !slice_starts(rest, pair) ||
			rest.len < sizeof(second) ||
			(unsigned char)rest.ptr[2] >= second[2] + CONTROLS) {
			strbuf_addc(out, text.ptr[0]);
			text = slice_from(text, 1);
			continue;
		}
		unsigned c = (unsigned char)rest.ptr[2] - second[2];
		if (c)
			strbuf_addc(out, (char)c);
		else
			strbuf_add_slice(out, mark);
		text = slice_from(text, mark.len + sizeof(second));
	}
}
