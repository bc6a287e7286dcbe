/* SPDX-License-Identifier: Apache-2.0 */
#include "app/checks/clamd.h"

#include "tap.h"

static bool parses(const char *text)
{
	struct clamd_address address;
	return clamd_address_parse(slice_str(text), &address);
}

static void answers(struct slice text, enum clamd_verdict want, const char *want_name)
{
	struct slice name;
	IS_INT(clamd_answer_parse(text, &name), want, "the verdict");
	IS(name, slice_str(want_name), "what was found");
}

int main(void)
{
	char path[200] = "unix:/";
	memset(path + 6, 'a', sizeof(path) - 7);
	OK(parses("unix:/run/clamav/clamd.ctl"), "a path");
	OK(parses("tcp:127.0.0.1:3310"), "an address");
	OK(parses("tcp:[::1]:3310"), "IPv6");
	OK(!parses(""), "nothing");
	OK(!parses(path), "too long a path");
	OK(!parses("unix:clamd.ctl"), "a path that begins nowhere");
	OK(!parses("tcp:localhost:3310"), "a name");
	OK(!parses("tcp:127.0.0.1"), "no port");
	OK(!parses("tcp:127.0.0.1:0"), "no port, either");
	OK(!parses("tcp:127.0.0.1:65536"), "too large a port");
	OK(!parses("tcp:::1:3310"), "IPv6 without brackets");
	OK(!parses("127.0.0.1:3310"), "no kind");
	answers(slice_of("stream: OK", 11), CLAMD_CLEAN, "");
	answers(slice_of("stream: Eicar-Test FOUND", 25), CLAMD_FOUND, "Eicar-Test");
	answers(S("INSTREAM size limit exceeded. ERROR"), CLAMD_UNKNOWN, "");
	answers(S("stream: Can't allocate memory ERROR"), CLAMD_UNKNOWN, "");
	answers(S("stream: "), CLAMD_UNKNOWN, "");
	answers(S(""), CLAMD_UNKNOWN, "");
	return tap_done();
}
