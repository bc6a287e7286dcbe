/* SPDX-License-Identifier: Apache-2.0 */
#include "http/trace.h"

#include "tap.h"

static bool is_passed(const char *value)
{
	static struct request_head head;
	head.header_count = 1;
	head.headers[0] = (struct http_header){S("TraceParent"), slice_str(value)};
	struct slice got = trace_parent(&head);
	return got.len > 0 && slice_eq(got, slice_str(value));
}

int main(void)
{
	static const struct request_head none;
	OK(trace_parent(&none).len == 0, "no header");
	OK(is_passed("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"), "one");
	OK(is_passed("01-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00"),
		"of a later version");
	OK(!is_passed(""), "an empty one");
	OK(!is_passed("ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"), "version ff");
	OK(!is_passed("00-00000000000000000000000000000000-00f067aa0ba902b7-01"), "no trace");
	OK(!is_passed("00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01"), "no parent");
	OK(!is_passed("00-4BF92F3577B34DA6A3CE929D0E0E4736-00F067AA0BA902B7-01"), "capitals");
	OK(!is_passed("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-x"), "longer");
	OK(!is_passed("00-4bf92f3577b34da6a3ce929d0e0e473-600f067aa0ba902b7-01"), "shifted");
	OK(!is_passed("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7\r\n1"), "a line end");
	return tap_done();
}
