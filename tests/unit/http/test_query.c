/* SPDX-License-Identifier: Apache-2.0 */
#include "http/query.h"
#include "http/status.h"
#include "tap.h"

static void next_is(struct slice *rest, struct slice name, bool has_value, struct slice value)
{
	struct query_param param;
	OK(query_next(rest, &param), "there is a parameter");
	IS(param.name, name, "its name");
	IS(param.value, value, "its value");
	OK(param.has_value == has_value, "whether it has one");
}

static void iterating(void)
{
	struct query_param param;
	struct slice rest = S("&acl&a=1&&b=%41=c&d=&=e&");
	next_is(&rest, S("acl"), false, S(""));
	next_is(&rest, S("a"), true, S("1"));
	next_is(&rest, S("b"), true, S("%41=c"));
	next_is(&rest, S("d"), true, S(""));
	next_is(&rest, S(""), true, S("e"));
	OK(!query_next(&rest, &param), "no more");
	rest = S("");
	OK(!query_next(&rest, &param), "nothing in nothing");
}

static void finding(void)
{
	struct slice query = S("a=1&acl&a=2&ab=3");
	struct query_param param = {S("x"), S("y"), true};
	OK(!query_find(query, S("b"), &param) && slice_eq(param.name, S("x")),
		"what is absent leaves the result alone");
	OK(query_find(query, S("a"), &param) && slice_eq(param.value, S("1")), "the first of two");
	OK(query_find(query, S("acl"), &param) && !param.has_value && param.value.len == 0,
		"one without a value");
	IS_INT(query_count(query, S("a")), 2, "two of a name");
	IS_INT(query_count(query, S("A")), 0, "names have case");
	IS_INT(query_count(query, S("")), 0, "none without a name");
}

int main(void)
{
	iterating();
	finding();
	IS(slice_str(status_reason(404)), S("Not Found"), "the reason of 404");
	IS(slice_str(status_reason(203)), S("Non-Authoritative Information"), "the reason of 203");
	IS(slice_str(status_reason(299)), S(""), "an unknown status has none");
	return tap_done();
}
