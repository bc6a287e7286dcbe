/* SPDX-License-Identifier: Apache-2.0 */
#include "oss/xml_control.h"

/* U+FDD0 + c in UTF-8 is these two bytes and 0x90 + c. */
#define STAND_IN "\xef\xb7"
#define STAND_IN_LAST 0x90

enum {
	REFERENCE_MAX = 8, /* bytes of the longest that counts: "&#x001f;" */
};

/*
 * The control character that a reference at the front of `text` means; its length is put into
 * *ret. 0 if there is none. Tab, line feed and carriage return are XML's own.
 */
static unsigned control_at(struct slice text, size_t *ret)
{
	size_t end = slice_find(slice_head(text, REFERENCE_MAX), ';');
	if (end >= REFERENCE_MAX || end >= text.len || !slice_starts(text, S("&#")))
		return 0;
	unsigned base = text.ptr[2] == 'x' ? 16 : 10;
	unsigned value = 0;
	for (size_t i = base == 16 ? 3 : 2; i < end; i++) {
		char c = text.ptr[i];
		unsigned digit = 16;
		if (c >= '0' && c <= '9')
			digit = (unsigned)(c - '0');
		else if ((c | 0x20) >= 'a' && (c | 0x20) <= 'f')
			digit = (unsigned)((c | 0x20) - 'a' + 10);
		if (digit >= base)
			return 0;
		value = value * base + digit;
	}
	*ret = end + 1;
	return value < 0x20 && value != '\t' && value != '\n' && value != '\r' ? value : 0;
}

bool xml_control_hide(struct slice document, struct strbuf *out)
{
	size_t before = out->len;
	bool found = false;
	if (slice_find_slice(document, S("<![CDATA[")) < document.len ||
		slice_find_slice(document, S(STAND_IN)) < document.len)
		return false;
	while (document.len) {
		size_t plain = slice_find(document, '&');
		size_t length = 1;
		strbuf_add_slice(out, slice_head(document, plain));
		document = slice_from(document, plain);
		if (document.len == 0)
			break;
		unsigned control = control_at(document, &length);
		if (control) {
			strbuf_adds(out, STAND_IN);
			strbuf_addc(out, (char)(STAND_IN_LAST + control));
			found = true;
		} else {
			length = 1;
			strbuf_addc(out, '&');
		}
		document = slice_from(document, length);
	}
	if (!found || strbuf_broken(out)) {
		strbuf_truncate(out, before);
		return false;
	}
	return true;
}

void xml_control_show(struct slice text, struct strbuf *out)
{
	while (text.len) {
		size_t plain = slice_find_slice(text, S(STAND_IN));
		strbuf_add_slice(out, slice_head(text, plain));
		text = slice_from(text, plain);
		if (text.len < 3)
			break;
		unsigned last = (unsigned char)text.ptr[2];
		if (last >= STAND_IN_LAST && last < STAND_IN_LAST + 0x20)
			strbuf_addc(out, (char)(last - STAND_IN_LAST));
		else
			strbuf_add_slice(out, slice_head(text, 3));
		text = slice_from(text, 3);
	}
}
