/* SPDX-License-Identifier: Apache-2.0 */
/* What the application server reads of requests, when memory runs out. */
#include "app/auth/forward.h"
#include "app/multipart/multipart_parts.h"
#include "app/offer/wishes.h"
#include "unit/oom/oom.h"

#define ARENA_BYTES MIB(1)

static void say_fault(struct oom_answer *answer, const char *fault)
{
	if (fault == wishes_no_memory || fault == multipart_no_memory)
		answer->no_memory = true;
	else if (fault)
		oom_say(answer, "%s", fault);
}

static void say_wish(struct oom_answer *answer, const struct wish *wish)
{
	oom_say(answer, "%.*s %.*s %.*s %lld;", SLICE_FMT(wish->profile),
		SLICE_FMT(wish->file_name), SLICE_FMT(wish->type), (long long)wish->size);
}

static void read_wishes(struct oom_answer *answer, const char *text)
{
	struct arena arena;
	struct budget_account account = {.pool = BUDGET_APP};
	struct wishes wishes;
	arena_init(&arena, NULL, 0, ARENA_BYTES);
	const char *fault = wishes_parse(slice_str(text), &arena, &account, &wishes);
	say_fault(answer, fault);
	for (size_t i = 0; !fault && i < wishes.count; i++)
		say_wish(answer, &wishes.list[i]);
	oom_say(answer, " %zu", account.bytes);
	arena_reset(&arena);
}

static void wishes(struct oom_answer *answer)
{
	read_wishes(answer, "{\"profile\":\"p\",\"files\":[{\"name\":\"a\\u00e4.png\",\"type\":"
			    "\"image/png\",\"size\":5},{\"name\":\"b\"}]}");
}

static void wishes_that_are_none(struct oom_answer *answer)
{
	read_wishes(answer, "{\"files\":[{\"name\":\"a\",\"name\":\"b\"}]}");
}

static void wish(struct oom_answer *answer)
{
	struct arena arena;
	struct budget_account account = {.pool = BUDGET_APP};
	struct wish wish;
	arena_init(&arena, NULL, 0, ARENA_BYTES);
	const char *fault =
		wish_parse(S("{\"filename\":\"a.png\",\"metadata\":{\"profile\":\"p\"}}"), &arena,
			&account, &wish);
	say_fault(answer, fault);
	if (!fault)
		say_wish(answer, &wish);
	oom_say(answer, " %zu", account.bytes);
	arena_reset(&arena);
}

static void completion(struct oom_answer *answer)
{
	struct arena arena;
	struct budget_account account = {.pool = BUDGET_APP};
	struct multipart_completion named;
	arena_init(&arena, NULL, 0, ARENA_BYTES);
	const char *fault = multipart_completion_parse(
		S("{\"parts\":[{\"PartNumber\":1,\"ETag\":\"\\\"AB\\\"\"},"
		  "{\"PartNumber\":7,\"ETag\":\"CD\"}]}"),
		&arena, &account, &named);
	say_fault(answer, fault);
	for (size_t i = 0; !fault && i < named.count; i++)
		oom_say(answer, "%u %.*s;", named.list[i].number, SLICE_FMT(named.list[i].etag));
	oom_say(answer, " %zu", account.bytes);
	arena_reset(&arena);
}

static void part_numbers(struct oom_answer *answer)
{
	struct arena arena;
	struct multipart_parts parts;
	arena_init(&arena, NULL, 0, ARENA_BYTES);
	const char *fault = multipart_parts_parse(S("1,2"), S("5,6"), &arena, &parts);
	say_fault(answer, fault);
	for (size_t i = 0; !fault && i < parts.count; i++)
		oom_say(answer, "%u %lld;", parts.list[i].number, (long long)parts.list[i].size);
	arena_reset(&arena);
}

static void back_end(struct oom_answer *answer)
{
	struct arena arena;
	struct caller caller;
	const struct rules rules = {.expire_seconds = 60};
	arena_init(&arena, NULL, 0, ARENA_BYTES);
	const char *fault = forward_answer_parse(&rules,
		S("{\"sub\":\"ann\",\"types\":[\"Image/PNG\"],\"metadata\":{\"order\":12},"
		  "\"variables\":{\"cart\":\"a & b\",\"n\":7}}"),
		&arena, &caller);
	if (fault && slice_starts(slice_str(fault), S("there is no memory")))
		answer->no_memory = true;
	else if (fault)
		oom_say(answer, "%s", fault);
	else
		oom_say(answer, "%.*s %.*s %.*s", SLICE_FMT(caller.subject),
			SLICE_FMT(caller.types[0]), SLICE_FMT(caller.variables));
	arena_reset(&arena);
}

static const struct oom_case cases[] = {
	{"what a back end says of a caller", back_end},
	{"files that are announced", wishes},
	{"a member twice", wishes_that_are_none},
	{"a file in parts", wish},
	{"parts that become an object", completion},
	{"numbers of parts", part_numbers},
};

int main(void)
{
	return oom_run(cases, ARRAY_LEN(cases));
}
