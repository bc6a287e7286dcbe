/* SPDX-License-Identifier: Apache-2.0 */
#include "oss/text/json_text.h"

static bool needs_escape(char c)
{
	return (c == '"') | (c == '\\') | ((unsigned char)c < 0x20) | (c == 0x7f);
}

#define BLOCK_BYTES 16

/*
 * How many bytes at the front need no escape for sure, in whole blocks: most of what is written is
 * base64, and goes through here several times for each token. Compilers make few instructions for
 * sixteen bytes of this loop.
 */
static size_t plain_run(struct slice text)
{
	size_t run = 0;
	for (; text.len - run >= BLOCK_BYTES; run += BLOCK_BYTES) {
		unsigned char escapes = 0;
		for (size_t i = 0; i < BLOCK_BYTES; i++)
			escapes |= (unsigned char)needs_escape(text.ptr[run + i]);
		if (escapes)
			break;
	}
	return run;
}

void json_add_string(struct strbuf *out, struct slice text)
{
	size_t plain = 0; /* where the run of bytes that stay as they are begins */
	strbuf_addc(out, '"');
	for (size_t i = plain_run(text); i < text.len; i++) {
		char c = text.ptr[i];
		if (!needs_escape(c))
			continue;
		strbuf_add(out, text.ptr + plain, i - plain);
		plain = i + 1;
		if (c == '"' || c == '\\')
			strbuf_add(out, (const char[]){'\\', c}, 2);
		else
			strbuf_addf(out, "\\u%04x", (unsigned)c);
	}
	strbuf_add_slice(out, slice_from(text, plain));
	strbuf_addc(out, '"');
}

void json_comma(struct strbuf *out)
{
	char last = out->len ? out->ptr[out->len - 1] : '[';
	if (last != '{' && last != '[')
		strbuf_addc(out, ',');
}

void json_member(struct strbuf *out, const char *name)
{
	json_comma(out);
	json_add_string(out, slice_str(name));
	strbuf_addc(out, ':');
}

void json_member_string(struct strbuf *out, const char *name, struct slice text)
{
	json_member(out, name);
	json_add_string(out, text);
}

void json_member_number(struct strbuf *out, const char *name, int64_t number)
{
	json_member(out, name);
	if (number < 0)
		strbuf_addc(out, '-');
	strbuf_add_u64(out, number < 0 ? 0 - (uint64_t)number : (uint64_t)number);
}

void json_member_bool(struct strbuf *out, const char *name, bool value)
{
	json_member(out, name);
	strbuf_adds(out, value ? "true" : "false");
}

void json_member_null(struct strbuf *out, const char *name)
{
	json_member(out, name);
	strbuf_adds(out, "null");
}
