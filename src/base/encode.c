/* SPDX-License-Identifier: Apache-2.0 */
#include "base/encode.h"

static const char base64_alphabet[] =
	"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

void base64_encode(struct strbuf *out, struct slice bytes)
{
	char *to = strbuf_extend(out, (bytes.len + 2) / 3 * 4);
	if (!to)
		return;
	const unsigned char *p = (const unsigned char *)bytes.ptr;
	size_t left = bytes.len;
	for (; left >= 3; left -= 3, p += 3) {
		*to++ = base64_alphabet[p[0] >> 2];
		*to++ = base64_alphabet[(p[0] & 3) << 4 | p[1] >> 4];
		*to++ = base64_alphabet[(p[1] & 15) << 2 | p[2] >> 6];
		*to++ = base64_alphabet[p[2] & 63];
	}
	if (left == 0)
		return;
	unsigned second = left == 2 ? p[1] : 0;
	*to++ = base64_alphabet[p[0] >> 2];
	*to++ = base64_alphabet[(p[0] & 3u) << 4 | second >> 4];
	*to++ = left == 2 ? base64_alphabet[(second & 15) << 2] : '=';
	*to++ = '=';
}

/* The six bits of a base64 character, or -1. */
static int base64_value(char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (ascii_digit(c))
		return c - '0' + 52;
	if (c == '+')
		return 62;
	return c == '/' ? 63 : -1;
}

/* Decodes into `to`, which has room for text.len / 4 * 3 bytes. */
static bool base64_decode_into(char *to, struct slice text, size_t padding)
{
	size_t digits = text.len - padding;
	unsigned bits = 0;
	unsigned have = 0;
	for (size_t i = 0; i < digits; i++) {
		int value = base64_value(text.ptr[i]);
		if (value < 0)
			return false;
		bits = (bits << 6 | (unsigned)value) & 0xffffff;
		have += 6;
		if (have >= 8) {
			have -= 8;
			*to++ = (char)(bits >> have & 0xff);
		}
	}
	return (bits & ((1u << have) - 1)) == 0;
}

bool base64_decode(struct strbuf *out, struct slice text)
{
	if (text.len % 4 != 0)
		return false;
	size_t padding = 0;
	while (padding < 2 && padding < text.len && text.ptr[text.len - 1 - padding] == '=')
		padding++;
	size_t before = out->len;
	char *to = strbuf_extend(out, text.len / 4 * 3 - padding);
	if (!to)
		return false;
	if (base64_decode_into(to, text, padding))
		return true;
	strbuf_truncate(out, before);
	return false;
}

static void hex_encode(struct strbuf *out, struct slice bytes, const char *digits)
{
	char *to = strbuf_extend(out, bytes.len * 2);
	if (!to)
		return;
	for (size_t i = 0; i < bytes.len; i++) {
		unsigned char c = (unsigned char)bytes.ptr[i];
		*to++ = digits[c >> 4];
		*to++ = digits[c & 15];
	}
}

void hex_encode_lower(struct strbuf *out, struct slice bytes)
{
	hex_encode(out, bytes, "0123456789abcdef");
}

void hex_encode_upper(struct strbuf *out, struct slice bytes)
{
	hex_encode(out, bytes, "0123456789ABCDEF");
}

/* The four bits of a hexadecimal digit, or -1. */
static int hex_value(char c)
{
	if (ascii_digit(c))
		return c - '0';
	c = ascii_lower(c);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

bool hex_decode(struct slice text, void *ret, size_t len)
{
	if (text.len != len * 2)
		return false;
	unsigned char *to = ret;
	for (size_t i = 0; i < len; i++) {
		int high = hex_value(text.ptr[2 * i]);
		int low = hex_value(text.ptr[2 * i + 1]);
		if (high < 0 || low < 0)
			return false;
		to[i] = (unsigned char)(high << 4 | low);
	}
	return true;
}

static bool unreserved(char c)
{
	char lower = ascii_lower(c);
	return (lower >= 'a' && lower <= 'z') || ascii_digit(c) || c == '-' || c == '.' ||
	       c == '_' || c == '~';
}

static void percent_encode_keeping(struct strbuf *out, struct slice bytes, char keep)
{
	size_t from = 0;
	for (size_t i = 0; i < bytes.len; i++) {
		if (unreserved(bytes.ptr[i]) || bytes.ptr[i] == keep)
			continue;
		strbuf_add(out, bytes.ptr + from, i - from);
		strbuf_addc(out, '%');
		hex_encode_upper(out, slice_of(bytes.ptr + i, 1));
		from = i + 1;
	}
	strbuf_add_slice(out, slice_from(bytes, from));
}

void percent_encode(struct strbuf *out, struct slice bytes)
{
	percent_encode_keeping(out, bytes, '~');
}

void percent_encode_path(struct strbuf *out, struct slice bytes)
{
	percent_encode_keeping(out, bytes, '/');
}

bool percent_decode(struct strbuf *out, struct slice text)
{
	size_t before = out->len;
	while (text.len) {
		size_t plain = slice_find(text, '%');
		strbuf_add(out, text.ptr, plain);
		text = slice_from(text, plain);
		if (text.len == 0)
			break;
		char byte;
		if (text.len < 3 || !hex_decode(slice_of(text.ptr + 1, 2), &byte, 1)) {
			strbuf_truncate(out, before);
			return false;
		}
		strbuf_addc(out, byte);
		text = slice_from(text, 3);
	}
	return !strbuf_broken(out);
}

/* Length of the well-formed UTF-8 sequence at the front of `s`, which is not empty; 0 if none. */
static size_t utf8_sequence(struct slice s)
{
	const unsigned char *p = (const unsigned char *)s.ptr;
	if (p[0] < 0x80)
		return 1;
	size_t len = p[0] >= 0xc2 && p[0] <= 0xdf ? 2 : (p[0] & 0xf0) == 0xe0 ? 3 : 4;
	if (p[0] < 0xc2 || p[0] > 0xf4 || s.len < len)
		return 0;
	for (size_t i = 1; i < len; i++)
		if ((p[i] & 0xc0) != 0x80)
			return 0;
	/* Overlong forms, surrogates, and what lies past U+10FFFF. */
	if ((p[0] == 0xe0 && p[1] < 0xa0) || (p[0] == 0xed && p[1] > 0x9f) ||
		(p[0] == 0xf0 && p[1] < 0x90) || (p[0] == 0xf4 && p[1] > 0x8f))
		return 0;
	return len;
}

bool utf8_valid(struct slice s)
{
	while (s.len) {
		size_t len = utf8_sequence(s);
		if (len == 0)
			return false;
		s = slice_from(s, len);
	}
	return true;
}
