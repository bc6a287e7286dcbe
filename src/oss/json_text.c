/* SPDX-License-Identifier: Apache-2.0 */
#include "oss/json_text.h"

static bool needs_escape(char c)
{
	return c == '"' || c == '\\' || (unsigned char)c < 0x20;
}

void json_text_add(struct strbuf *out, struct slice text)
{
	size_t plain = 0; /* where the run of bytes that stay as they are begins */
	strbuf_addc(out, '"');
	for (size_t i = 0; i < text.len; i++) {
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
