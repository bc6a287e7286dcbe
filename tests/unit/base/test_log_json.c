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

static void without_room(void)
{
	SCOPED_STRBUF(out, 0);
	log_json_add(&out, S("T info a\n"));
	OK(strbuf_broken(&out) && out.len == 0, "without room it is broken");
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
	becomes("in=007 out=0 ms=10", ",\"in\":\"007\",\"out\":0,\"ms\":10", "no zeros in front");
	becomes("a=b time=1", ",\"a\":\"b\",\"message\":\"time=1\"", "none of its own names: time");
	becomes("level=1", ",\"message\":\"level=1\"", "level");
	becomes("message=1", ",\"message\":\"message=1\"", "message");
	becomes("a=\xe4\xb8 \xe4\xb8\xad \xff",
		",\"a\":\"\xef\xbf\xbd\xef\xbf\xbd\",\"message\":\"\xe4\xb8\xad \xef\xbf\xbd\"",
		"what is not UTF-8 is replaced");
	without_room();
	becomes("=a A=b", ",\"message\":\"=a A=b\"", "no names");
	return tap_done();
}
