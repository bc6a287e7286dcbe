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
	for (; left >= 3; left -= 3, p += 3, to += 4) {
		unsigned bits = (unsigned)p[0] << 16 | (unsigned)p[1] << 8 | p[2];
		to[0] = base64_alphabet[bits >> 18];
		to[1] = base64_alphabet[bits >> 12 & 63];
		to[2] = base64_alphabet[bits >> 6 & 63];
		to[3] = base64_alphabet[bits & 63];
	}
	if (left == 0)
		return;
	unsigned second = left == 2 ? p[1] : 0;
	*to++ = base64_alphabet[p[0] >> 2];
	*to++ = base64_alphabet[(p[0] & 3u) << 4 | second >> 4];
	*to++ = left == 2 ? base64_alphabet[(second & 15) << 2] : '=';
	*to++ = '=';
}

/* The six bits of a base64 character, plus one; 0 for any other. */
/* clang-format off */
static const unsigned char base64_values[256] = {
	['A'] = 1, ['B'] = 2, ['C'] = 3, ['D'] = 4, ['E'] = 5, ['F'] = 6, ['G'] = 7, ['H'] = 8,
	['I'] = 9, ['J'] = 10, ['K'] = 11, ['L'] = 12, ['M'] = 13, ['N'] = 14, ['O'] = 15, ['P'] = 16,
	['Q'] = 17, ['R'] = 18, ['S'] = 19, ['T'] = 20, ['U'] = 21, ['V'] = 22, ['W'] = 23, ['X'] = 24,
	['Y'] = 25, ['Z'] = 26, ['a'] = 27, ['b'] = 28, ['c'] = 29, ['d'] = 30, ['e'] = 31, ['f'] = 32,
	['g'] = 33, ['h'] = 34, ['i'] = 35, ['j'] = 36, ['k'] = 37, ['l'] = 38, ['m'] = 39, ['n'] = 40,
	['o'] = 41, ['p'] = 42, ['q'] = 43, ['r'] = 44, ['s'] = 45, ['t'] = 46, ['u'] = 47, ['v'] = 48,
	['w'] = 49, ['x'] = 50, ['y'] = 51, ['z'] = 52, ['0'] = 53, ['1'] = 54, ['2'] = 55, ['3'] = 56,
	['4'] = 57, ['5'] = 58, ['6'] = 59, ['7'] = 60, ['8'] = 61, ['9'] = 62, ['+'] = 63, ['/'] = 64,
};
/* clang-format on */

/* Decodes into `to`, which has room for text.len / 4 * 3 bytes. */
/* One more than what the digit stands for; 0: it is none. */
static unsigned base64_value(char c, bool url)
{
	if (url)
		c = c == '-' ? '+' : c == '_' ? '/' : c == '+' || c == '/' ? '=' : c;
	return base64_values[(unsigned char)c];
}

static bool base64_decode_into(char *to, struct slice digits, bool url)
{
	unsigned bits = 0;
	unsigned have = 0;
	for (size_t i = 0; i < digits.len; i++) {
		unsigned value = base64_value(digits.ptr[i], url);
		if (value == 0)
			return false;
		bits = (bits << 6 | (value - 1)) & 0xffffff;
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
	if (base64_decode_into(to, slice_head(text, text.len - padding), false))
		return true;
	strbuf_truncate(out, before);
	return false;
}

void base64url_encode(struct strbuf *out, struct slice bytes)
{
	size_t start = out->len;
	base64_encode(out, bytes);
	if (strbuf_broken(out))
		return;
	while (out->len > start && out->ptr[out->len - 1] == '=')
		strbuf_truncate(out, out->len - 1);
	for (size_t i = start; i < out->len; i++) {
		if (out->ptr[i] == '+')
			out->ptr[i] = '-';
		else if (out->ptr[i] == '/')
			out->ptr[i] = '_';
	}
}

bool base64url_decode_into(struct slice text, void *ret, size_t size, size_t *ret_len)
{
	*ret_len = text.len / 4 * 3 + (text.len % 4 ? text.len % 4 - 1 : 0);
	return text.len % 4 != 1 && *ret_len <= size && base64_decode_into(ret, text, true);
}

bool base64url_decode(struct strbuf *out, struct slice text)
{
	size_t before = out->len;
	size_t len = text.len / 4 * 3 + (text.len % 4 ? text.len % 4 - 1 : 0);
	char *to = strbuf_extend(out, len);
	if (to && base64url_decode_into(text, to, len, &len))
		return true;
	if (to)
		strbuf_truncate(out, before);
	return false;
}

static void hex_encode_into(char *to, struct slice bytes, const char *digits)
{
	for (size_t i = 0; i < bytes.len; i++) {
		unsigned char c = (unsigned char)bytes.ptr[i];
		*to++ = digits[c >> 4];
		*to++ = digits[c & 15];
	}
}

static void hex_encode(struct strbuf *out, struct slice bytes, const char *digits)
{
	char *to = strbuf_extend(out, bytes.len * 2);
	if (to)
		hex_encode_into(to, bytes, digits);
}

static const char lower_digits[] = "0123456789abcdef";

void hex_encode_lower(struct strbuf *out, struct slice bytes)
{
	hex_encode(out, bytes, lower_digits);
}

void hex_encode_lower_into(char *ret, struct slice bytes)
{
	hex_encode_into(ret, bytes, lower_digits);
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

bool plus_decode(struct strbuf *out, struct slice text)
{
	size_t before = out->len;
	struct slice piece;
	bool more = true;
	while (more) {
		more = slice_cut(&text, '+', &piece);
		if (!percent_decode(out, piece)) {
			strbuf_truncate(out, before);
			return false;
		}
		if (more)
			strbuf_addc(out, ' ');
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

/* How many bytes at the front of `s` are ASCII, in steps of eight. */
static size_t ascii_run(struct slice s)
{
	size_t run = 0;
	uint64_t word;
	while (s.len - run >= sizeof(word)) {
		memcpy(&word, s.ptr + run, sizeof(word));
		if (word & UINT64_C(0x8080808080808080))
			break;
		run += sizeof(word);
	}
	return run;
}

bool utf8_valid(struct slice s)
{
	while (s.len) {
		s = slice_from(s, ascii_run(s));
		if (s.len == 0)
			break;
		size_t len = utf8_sequence(s);
		if (len == 0)
			return false;
		s = slice_from(s, len);
	}
	return true;
}

void utf8_repair(struct strbuf *out, struct slice s)
{
	while (s.len) {
		size_t len = ascii_run(s);
		if (len == 0)
			len = utf8_sequence(s);
		strbuf_add_slice(out, len ? slice_head(s, len) : S("\xef\xbf\xbd"));
		s = slice_from(s, len ? len : 1);
	}
}
