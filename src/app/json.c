/* SPDX-License-Identifier: Apache-2.0 */
#include "app/json.h"

#include <jansson.h>

void json_add_string(struct strbuf *out, struct slice text)
{
	strbuf_addc(out, '"');
	for (size_t i = 0; i < text.len; i++) {
		char c = text.ptr[i];
		if (c == '"' || c == '\\') {
			strbuf_addc(out, '\\');
			strbuf_addc(out, c);
		} else if ((unsigned char)c < 0x20 || c == 0x7f) {
			strbuf_addf(out, "\\u%04x", (unsigned)c);
		} else {
			strbuf_addc(out, c);
		}
	}
	strbuf_addc(out, '"');
}

bool json_is_valid(struct slice text)
{
	/* Integers as reals: one that fits no machine word is JSON all the same. */
	json_t *value = json_loadb(text.ptr, text.len,
		JSON_DECODE_ANY | JSON_ALLOW_NUL | JSON_DECODE_INT_AS_REAL, NULL);
	json_decref(value);
	return value != NULL;
}
