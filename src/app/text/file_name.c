/* SPDX-License-Identifier: Apache-2.0 */
#include "app/text/file_name.h"

#include "base/encode.h"
#include "base/limits.h"

static struct slice without_folder(struct slice text)
{
	for (size_t i = text.len; i > 0; i--)
		if (text.ptr[i - 1] == '/' || text.ptr[i - 1] == '\\')
			return slice_from(text, i);
	return text;
}

static bool is_extension(struct slice text)
{
	for (size_t i = 0; i < text.len; i++) {
		char c = ascii_lower(text.ptr[i]);
		if (!(c >= 'a' && c <= 'z') && !ascii_digit(c))
			return false;
	}
	return text.len > 0 && text.len <= FILE_EXT_BYTES;
}

/* The place of the dot before the extension, or the length. A name that begins with it has none. */
static size_t find_extension(struct slice text)
{
	size_t dot = text.len;
	for (size_t i = text.len; i > 1 && dot == text.len; i--)
		if (text.ptr[i - 1] == '.')
			dot = i - 1;
	return dot < text.len && is_extension(slice_from(text, dot + 1)) ? dot : text.len;
}

/* Bytes of the character at the front, or 0 if it is none, or one that may not stand there. */
static size_t fit_character(struct slice text)
{
	unsigned char c = (unsigned char)text.ptr[0];
	if (c < 0x80)
		return c >= 0x20 && c != 0x7f && c != '$' ? 1 : 0;
	if (c == 0xc2 && text.len > 1 && (unsigned char)text.ptr[1] < 0xa0)
		return 0;
	size_t len = c >= 0xf0 ? 4 : c >= 0xe0 ? 3 : 2;
	return len <= text.len && utf8_valid(slice_head(text, len)) ? len : 0;
}

static void add_name(struct slice text, size_t most, struct strbuf *out)
{
	size_t start = out->len;
	while (text.len > 0) {
		size_t len = fit_character(text);
		if (out->len - start + (len ? len : 1) > most)
			break;
		if (len > 0)
			strbuf_add(out, text.ptr, len);
		else
			strbuf_addc(out, '_');
		text = slice_from(text, len ? len : 1);
	}
	struct slice made = slice_from(strbuf_slice(out), start);
	if (made.len == 0 || slice_eq(made, S(".")) || slice_eq(made, S(".."))) {
		strbuf_truncate(out, start);
		strbuf_adds(out, "file");
	}
}

void file_name_split(struct slice text, struct strbuf *name, struct strbuf *ext)
{
	text = without_folder(text);
	size_t dot = find_extension(text);
	struct slice extension = slice_from(text, dot);
	for (size_t i = 0; i < extension.len; i++)
		strbuf_addc(ext, ascii_lower(extension.ptr[i]));
	add_name(slice_head(text, dot), LIMIT_FILE_NAME_BYTES - extension.len, name);
}
