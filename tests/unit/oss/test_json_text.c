/* SPDX-License-Identifier: Apache-2.0 */
#include "oss/text/json_text.h"

#include <jansson.h>

#include "tap.h"

static void members(void)
{
	SCOPED_STRBUF(out, 1000);
	strbuf_addc(&out, '{');
	json_member_string(&out, "a", S("b"));
	json_member_number(&out, "min", INT64_MIN);
	json_member_number(&out, "max", INT64_MAX);
	json_member_bool(&out, "yes", true);
	json_member_bool(&out, "no", false);
	json_member_null(&out, "none");
	json_member(&out, "list");
	strbuf_addc(&out, '[');
	json_comma(&out);
	json_add_string(&out, S("{"));
	json_comma(&out);
	json_add_string(&out, S("["));
	json_comma(&out);
	strbuf_adds(&out, "{}");
	strbuf_addc(&out, ']');
	json_member(&out, "object");
	strbuf_addc(&out, '{');
	json_member_string(&out, "c", S(""));
	strbuf_adds(&out, "}}");
	IS(strbuf_slice(&out),
		S("{\"a\":\"b\",\"min\":-9223372036854775808,\"max\":9223372036854775807,"
		  "\"yes\":true,\"no\":false,\"none\":null,\"list\":[\"{\",\"[\",{}],"
		  "\"object\":{\"c\":\"\"}}"),
		"commas stand between values, and nowhere else");
}

/* Each byte at each place of the steps of eight, and back through another reader. */
static void strings(void)
{
	size_t wrong = 0;
	for (int byte = 0; byte < 0x80; byte++) {
		for (size_t at = 0; at < 20; at++) {
			char text[20];
			memset(text, 'x', sizeof(text));
			text[at] = (char)byte;
			SCOPED_STRBUF(out, 1000);
			json_add_string(&out, slice_of(text, sizeof(text)));
			json_t *back = json_loadb(
				out.ptr, out.len, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
			bool escaped = byte < 0x20 || byte == 0x7f || byte == '"' || byte == '\\';
			wrong += !slice_eq(slice_of(json_string_value(back),
						   json_string_length(back)),
					 slice_of(text, sizeof(text))) ||
				 escaped != (out.len > sizeof(text) + 2);
			json_decref(back);
		}
	}
	IS_INT(wrong, 0, "what is escaped comes back, and nothing else is escaped");
}

int main(void)
{
	members();
	strings();
	return tap_done();
}
