/* SPDX-License-Identifier: Apache-2.0 */
#include "base/limits.h"
#include "base/strbuf.h"
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

static void decoding(void)
{
	static const struct {
		const char *text, *want;
	} cases[] = {
		{"", ""},
		{"&&", ""},
		{"acl", "[acl]"},
		{"a=1&acl=&a=2", "[a=1][acl=][a=2]"},
		{"%61cl&p%3Dq=a%26b%3Dc+d", "[acl][p=q=a&b=c d]"},
		{"a%zz=%4&b=%", "[a%zz=%4][b=%]"},
		{"=x", "[=x]"},
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct arena arena;
		struct query query;
		SCOPED_STRBUF(got, KIB(1));
		arena_init(&arena, NULL, 0, KIB(64));
		OK(query_parse(slice_str(cases[i].text), &arena, &query), "it is decoded");
		IS(query.text, slice_str(cases[i].text), "the text stays");
		for (size_t k = 0; k < query.count; k++) {
			const struct query_param *p = &query.params[k];
			strbuf_addf(&got, "[%.*s%s%.*s]", SLICE_FMT(p->name),
				p->has_value ? "=" : "", SLICE_FMT(p->value));
			OK(p->name.ptr && p->value.ptr, "nothing that is there looks absent");
		}
		IS(strbuf_slice(&got), slice_str(cases[i].want), "what it says");
		arena_reset(&arena);
	}
}

static void finding(void)
{
	struct arena arena;
	struct query query;
	arena_init(&arena, NULL, 0, KIB(64));
	OK(query_parse(S("a=1&%61cl&a=2&ab=3"), &arena, &query), "a query to look things up in");
	OK(!query_find(&query, S("b")), "an absent one");
	IS(query_find(&query, S("a"))->value, S("1"), "the first of two");
	OK(query_find(&query, S("acl")) && !query_find(&query, S("acl"))->has_value,
		"one without a value, whatever its spelling");
	OK(!query_find(&query, S("A")) && !query_find(&query, S("")), "names have case");
	arena_reset(&arena);
}

int main(void)
{
	iterating();
	decoding();
	finding();
	IS(slice_str(status_reason(404)), S("Not Found"), "the reason of 404");
	IS(slice_str(status_reason(203)), S("Non-Authoritative Information"), "the reason of 203");
	IS(slice_str(status_reason(299)), S(""), "an unknown status has none");
	return tap_done();
}
