/* SPDX-License-Identifier: Apache-2.0 */
#include "base/log_json.h"

#include "tap.h"

static void becomes(const char *text, const char *json, const char *what)
{
	SCOPED_STRBUF(line, 4096);
	SCOPED_STRBUF(got, 8192);
	strbuf_addf(&line, "T info %s\n", text);
	log_json_add(&got, strbuf_slice(&line));
	SCOPED_STRBUF(wanted, 8192);
	strbuf_addf(&wanted, "{\"time\":\"T\",\"level\":\"info\"%s}\n", json);
	IS(strbuf_slice(&got), strbuf_slice(&wanted), what);
}

int main(void)
{
	becomes("stopping", ",\"message\":\"stopping\"", "a sentence");
	becomes("", "", "nothing");
	becomes("id=A status=200 refused=\"no, never\"",
		",\"id\":\"A\",\"status\":200,\"refused\":\"no, never\"", "members");
	becomes("id=12 status=x in=", ",\"id\":\"12\",\"status\":\"x\",\"in\":\"\"",
		"numbers are those that are meant to be");
	becomes("id=A went wrong: a=b", ",\"id\":\"A\",\"message\":\"went wrong: a=b\"",
		"a sentence behind members");
	becomes("grant=A grant=B", ",\"grant\":\"A\",\"message\":\"grant=B\"", "no name twice");
	becomes("target=\"/a\\x22b\\x5c\"", ",\"target\":\"/a\\\\x22b\\\\x5c\"",
		"what was escaped stays so");
	becomes("a=\"open", ",\"message\":\"a=\\\"open\"", "a quote that does not end");
	becomes("a=\"b\"c", ",\"message\":\"a=\\\"b\\\"c\"", "text right behind a quote");
	becomes("tab\there \x7f", ",\"message\":\"tab\\u0009here \\u007f\"", "control characters");
	becomes("=a A=b", ",\"message\":\"=a A=b\"", "no names");
	return tap_done();
}
