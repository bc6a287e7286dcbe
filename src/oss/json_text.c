/* SPDX-License-Identifier: Apache-2.0 */
#include "oss/json_text.h"

void json_text_add(struct strbuf *out, struct slice text)
{
	strbuf_addc(out, '"');
	for (size_t i = 0; i < text.len; i++) {
		char c = text.ptr[i];
		if (c == '"' || c == '\\') {
			strbuf_addc(out, '\\');
			strbuf_addc(out, c);
		} else if ((unsigned char)c < 0x20) {
			strbuf_addf(out, "\\u%04x", (unsigned)c);
		} else {
			strbuf_addc(out, c);
		}
	}
	strbuf_addc(out, '"');
}
