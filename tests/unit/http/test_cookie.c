/* SPDX-License-Identifier: Apache-2.0 */
#include "http/cookie.h"

#include "tap.h"

static struct slice value;

static enum cookie_result find(const char *first, const char *second, const char *name)
{
	static struct request_head head;
	head.header_count = 3;
	head.headers[0] = (struct http_header){S("Host"), S("a=host")};
	head.headers[1] = (struct http_header){S("cookie"), slice_str(first)};
	head.headers[2] = (struct http_header){S("Cookie"), slice_str(second)};
	value = S("(none)");
	return cookie_find(&head, slice_str(name), &value);
}

int main(void)
{
	IS_INT(find("", "", "a"), COOKIE_NONE, "no cookies");
	IS_INT(find("b=1; aa=2; =3; a; xa=4", "A=5", "a"), COOKIE_NONE, "others");
	IS_INT(find("b=1; a=2", "", "a"), COOKIE_FOUND, "one");
	IS(value, S("2"), "its value");
	IS_INT(find("b=1;a = x.y=z ", "c=3", "a"), COOKIE_FOUND, "with spaces and `=`");
	IS(value, S("x.y=z"), "its value");
	IS_INT(find("b=1", "a=", "a"), COOKIE_FOUND, "in a second line, empty");
	IS(value, S(""), "its value");
	IS_INT(find("a=1; a=1", "", "a"), COOKIE_SEVERAL, "twice in a line");
	IS_INT(find("a=1", "a=1", "a"), COOKIE_SEVERAL, "twice in two");
	IS_INT(find(";;; ;=;", "", "a"), COOKIE_NONE, "nothing but signs");
	return tap_done();
}
