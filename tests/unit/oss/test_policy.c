/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Policies read and enforced. Several cases are bugs that other servers had: conditions skipped,
 * members repeated, ranges in quotes, names that differ in case.
 */
#include <stdlib.h>

#include "base/encode.h"
#include "base/limits.h"
#include "oss/policy/policy.h"
#include "tap.h"
#include "unit/oss/form.h"

#define EXPIRES "\"expiration\":\"2014-12-01T12:00:00.000Z\""
#define EXPIRES_MS INT64_C(1417435200000)
#define POLICY(conditions) "{" EXPIRES ",\"conditions\":[" conditions "]}"

static char memory[4096];
static struct arena arena;
static struct refusal why;

/* The base64 text sits in a heap block of its own size, so that reading past it shows. */
static enum err parse_bytes(struct slice json, const struct policy **ret)
{
	SCOPED_STRBUF(base64, 4 * LIMIT_POLICY_BYTES);
	base64_encode(&base64, json);
	SCOPED_FREE char *copy = malloc(base64.len + !base64.len);
	memcpy(copy, base64.ptr, base64.len);
	arena_reset(&arena);
	arena_init(&arena, memory, sizeof(memory), LIMIT_REQUEST_ARENA_BYTES);
	why = (struct refusal){0};
	return policy_parse(slice_of(copy, base64.len), &arena, ret, &why);
}

static const struct policy *parsed(const char *json)
{
	const struct policy *p = NULL;
	enum err e = parse_bytes(slice_str(json), &p);
	if (!OK(e == ERR_OK, "reads %s", json))
		printf("# %.*s\n", SLICE_FMT(why.message));
	return p;
}

static void malformed_policies(void)
{
	static const struct {
		const char *json;
		const char *ec; /* NULL: none of its own */
		const char *message;
	} cases[] = {
		{"", NULL, "Invalid Policy: Invalid JSON"},
		{"e", NULL, "Invalid Policy: Invalid JSON"},
		{"[]", NULL, "Invalid Policy: Invalid JSON: an object"},
		{"\"text\"", NULL, "Invalid Policy: Invalid JSON"},
		{POLICY("[\"eq\",\"$key\",\"k\"") "x", NULL, "Invalid Policy: Invalid JSON"},
		{POLICY("{\"key\":\"k\"}") "x", NULL, "Invalid Policy: Invalid JSON"},
		{POLICY("{\"key\":\"k\"}") POLICY("{\"key\":\"k\"}"), NULL,
			"Invalid Policy: Invalid JSON"},
		{POLICY("{\"key\":\"\xff\"}"), NULL, "Invalid Policy: Invalid JSON"},
		{POLICY("{\"key\":\"\\u0000\"}"), NULL, "Invalid Policy: Invalid JSON"},
		{POLICY("[[[1]]]"), NULL, "Invalid Policy: Invalid JSON: nested too deep."},
		/* Members twice: the last one wins elsewhere. */
		{"{" EXPIRES ",\"conditions\":[{\"key\":\"k\"}],\"conditions\":[{\"key\":\"l\"}]}",
			NULL, "Invalid Policy: Invalid JSON: duplicate object key"},
		{"{" EXPIRES "," EXPIRES ",\"conditions\":[{\"key\":\"k\"}]}", NULL,
			"Invalid Policy: Invalid JSON: duplicate object key"},
		{POLICY("{\"key\":\"k\",\"key\":\"l\"}"), NULL,
			"Invalid Policy: Invalid JSON: duplicate object key"},
		{"{" EXPIRES ",\"conditions\":[{\"key\":\"k\"}],\"Conditions\":[]}", NULL,
			"Invalid Policy: Unexpected member"},
		{"{\"conditions\":[{\"key\":\"k\"}]}", "0006-00000208",
			"Invalid Policy: Policy missing expiration."},
		{"{\"expiration\":1417435200,\"conditions\":[{\"key\":\"k\"}]}", "0006-00000210",
			"Invalid Policy: Invalid 'expiration'"},
		{"{\"expiration\":\"\",\"conditions\":[{\"key\":\"k\"}]}", "0006-00000211",
			"Invalid Policy: Invalid 'expiration'"},
		{"{\"expiration\":\"2014-12-01T12:00:00.000\",\"conditions\":[{\"key\":\"k\"}]}",
			NULL, "Invalid Policy: Invalid 'expiration'"},
		{"{\"expiration\":\"2014-12-01T12:00:00+08:00\",\"conditions\":[{\"key\":\"k\"}]}",
			NULL, "Invalid Policy: Invalid 'expiration'"},
		{"{\"expiration\":\"2014-13-01T12:00:00Z\",\"conditions\":[{\"key\":\"k\"}]}", NULL,
			"Invalid Policy: Invalid 'expiration'"},
		{"{" EXPIRES "}", NULL, "Invalid Policy: Policy missing conditions."},
		{"{" EXPIRES ",\"conditions\":{}}", NULL, "Invalid Policy: Invalid JSON"},
		{POLICY(""), NULL, "Invalid Policy: Invalid Simple-Condition: "},
		{POLICY("{}"), NULL,
			"Invalid Policy: Invalid Simple-Condition: Simple-Conditions must have "
			"exactly one property specified."},
		{POLICY("{\"key\":\"k\",\"bucket\":\"b\"}"), NULL,
			"Invalid Policy: Invalid Simple-Condition: "},
		{POLICY("{\"key\":1}"), NULL, "Invalid Policy: Invalid Simple-Condition: "},
		{POLICY("123"), "0006-00000222", "Invalid Policy: Invalid Condition: "},
		{POLICY("\"key\""), "0006-00000222", "Invalid Policy: Invalid Condition: "},
		{POLICY("{\"key\":\"k\"},null"), "0006-00000222",
			"Invalid Policy: Invalid Condition: "},
		{POLICY("[]"), NULL, "Invalid Policy: Invalid Condition: the operator"},
		{POLICY("[\"ends-with\",\"$key\",\".png\"]"), NULL,
			"Invalid Policy: Invalid Condition: the operator"},
		{POLICY("[\"EQ\",\"$key\",\"k\"]"), NULL,
			"Invalid Policy: Invalid Condition: the operator"},
		{POLICY("[1,\"$key\",\"k\"]"), NULL,
			"Invalid Policy: Invalid Condition: the operator"},
		{POLICY("[\"eq\",\"$key\"]"), NULL, "Invalid Policy: Invalid Condition: "},
		{POLICY("[\"eq\",\"$key\",\"k\",\"l\"]"), NULL,
			"Invalid Policy: Invalid Condition: "},
		{POLICY("[\"eq\",\"key\",\"k\"]"), NULL,
			"Invalid Policy: Invalid Condition: the name"},
		{POLICY("[\"eq\",\"$\",\"k\"]"), NULL,
			"Invalid Policy: Invalid Condition: the name"},
		{POLICY("[\"eq\",1,\"k\"]"), NULL, "Invalid Policy: Invalid Condition: the name"},
		{POLICY("[\"eq\",\"$key\",[\"k\"]]"), "0006-00000224",
			"Invalid Policy: Invalid Condition: eq"},
		{POLICY("[\"starts-with\",\"$key\",1]"), "0006-00000224",
			"Invalid Policy: Invalid Condition: eq"},
		{POLICY("[\"in\",\"$key\",\"k\"]"), "0006-00000224",
			"Invalid Policy: Invalid Condition: in"},
		{POLICY("[\"not-in\",\"$key\",[\"k\",1]]"), "0006-00000224",
			"Invalid Policy: Invalid Condition: in"},
		{POLICY("[\"content-length-range\",\"1\",\"10\"]"), NULL,
			"Invalid Policy: Invalid JSON. "},
		{POLICY("[\"content-length-range\",1,\"10\"]"), NULL,
			"Invalid Policy: Invalid JSON. "},
		{POLICY("[\"content-length-range\",-1,10]"), "0006-00000220",
			"Invalid Policy: Invalid Condition: the minimum"},
		{POLICY("[\"content-length-range\",1.5,10]"), "0006-00000220",
			"Invalid Policy: Invalid Condition: the minimum"},
		{POLICY("[\"content-length-range\",1,10.0]"), "0006-00000221",
			"Invalid Policy: Invalid Condition: the maximum"},
		{POLICY("[\"content-length-range\",1,null]"), "0006-00000221",
			"Invalid Policy: Invalid Condition: the maximum"},
		{POLICY("[\"content-length-range\",10,9]"), "0006-00000219",
			"Invalid Policy: Invalid Condition: the maximum"},
		{POLICY("[\"content-length-range\",10]"), NULL,
			"Invalid Policy: Invalid Condition: content-length-range"},
		{POLICY("[\"content-length-range\",1,2,3]"), NULL,
			"Invalid Policy: Invalid Condition: content-length-range"},
		{POLICY("[\"content-length-range\",1,99999999999999999999]"), NULL,
			"Invalid Policy: Invalid JSON"},
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		const struct policy *p = NULL;
		OK(parse_bytes(slice_str(cases[i].json), &p) == ERR_INVALID_POLICY && !p,
			"refused: %zu: %s", i, cases[i].message);
		bool told = slice_starts(why.message, slice_str(cases[i].message));
		bool coded = slice_eq(slice_str(why.ec), slice_str(cases[i].ec));
		if (!OK(told && coded, "and says why"))
			printf("# %s %.*s\n", why.ec, SLICE_FMT(why.message));
	}
}

static enum err parse_base64(const char *text)
{
	const struct policy *p;
	arena_reset(&arena);
	arena_init(&arena, memory, sizeof(memory), LIMIT_REQUEST_ARENA_BYTES);
	why = (struct refusal){0};
	return policy_parse(slice_str(text), &arena, &p, &why);
}

static void text_forms(void)
{
	IS_INT(parse_base64("!!!!"), ERR_INVALID_POLICY, "not base64");
	IS_INT(parse_base64("e30"), ERR_INVALID_POLICY, "base64 without its padding");
	IS_INT(parse_base64(""), ERR_INVALID_POLICY, "nothing");

	/* White space up to the limit, and one more. */
	SCOPED_STRBUF(json, 2 * LIMIT_POLICY_BYTES);
	const struct policy *p;
	strbuf_adds(&json, POLICY("{\"key\":\"k\"}"));
	while (json.len < LIMIT_POLICY_BYTES)
		strbuf_addc(&json, ' ');
	IS_INT(parse_bytes(strbuf_slice(&json), &p), ERR_OK, "as long as allowed");
	for (int i = 0; i < 4; i++) {
		strbuf_addc(&json, ' ');
		IS_INT(parse_bytes(strbuf_slice(&json), &p), ERR_INVALID_POLICY, "longer");
		OK(slice_find_slice(why.message, S("longer than 65536 bytes")) < why.message.len,
			"says so");
	}
	/* Nesting that would cost stack, all kinds. */
	strbuf_clear(&json);
	while (json.len < LIMIT_POLICY_BYTES)
		strbuf_addc(&json, '[');
	IS_INT(parse_bytes(strbuf_slice(&json), &p), ERR_INVALID_POLICY, "brackets only");

	/* No prefix of a policy is one. */
	static const char whole[] =
		POLICY("[\"eq\",\"$key\",\"a\\$b\\\\\"],[\"in\",\"$x\",[\"\\u00e4\"]]");
	bool refused = true;
	for (size_t len = 0; len < sizeof(whole) - 1; len++)
		refused = refused && parse_bytes(slice_of(whole, len), &p) == ERR_INVALID_POLICY;
	OK(refused, "a policy cut anywhere is refused");
	IS_INT(parse_bytes(slice_str(whole), &p), ERR_OK, "the whole is not");
}

static void expiry(void)
{
	const struct policy *p = parsed(POLICY("{\"key\":\"k\"}"));
	IS_INT(policy_expiration_ms(p), EXPIRES_MS, "its time");
	OK(!policy_expired(p, EXPIRES_MS), "holds up to its time");
	OK(policy_expired(p, EXPIRES_MS + 1), "and no longer");
	p = parsed("{\"expiration\":\"2014-12-01T12:00:00Z\",\"conditions\":[{\"key\":\"k\"}]}");
	IS_INT(policy_expiration_ms(p), EXPIRES_MS, "without milliseconds");
}

/* What one condition says of one form. */
static void condition(const char *json, struct form form, const char *failed)
{
	SCOPED_STRBUF(whole, LIMIT_POLICY_BYTES);
	strbuf_addf(&whole, POLICY("%s"), json);
	const struct policy *p = NULL;
	struct form_fields fields = form_fields_of(&form);
	if (!OK(parse_bytes(strbuf_slice(&whole), &p) == ERR_OK, "reads %s", json))
		return;
	enum err e = policy_check(p, &fields, &arena, &why);
	if (!failed) {
		OK(e == ERR_OK, "%s holds", json);
		return;
	}
	OK(e == ERR_POLICY_CONDITION, "%s fails", json);
	SCOPED_STRBUF(want, LIMIT_POLICY_BYTES);
	strbuf_addf(&want, "Invalid according to Policy: Policy Condition failed: %s", failed);
	IS(why.message, strbuf_slice(&want), "and is shown");
}

static void conditions(void)
{
	struct form form =
		FORM("key", "user/eric/a.png", "bucket", "b", "Content-Type", "image/png",
			"x-oss-meta-Tag", "t", "empty", "", "callback", "e30=", "x:user_id", "7");

	condition("{\"bucket\":\"b\"}", form, NULL);
	condition("{\"bucket\":\"c\"}", form, "[\"eq\", \"$bucket\", \"c\"]");
	condition("[\"eq\",\"$key\",\"user/eric/a.png\"]", form, NULL);
	condition("[\"eq\",\"$key\",\"user/eric/a.pn\"]", form,
		"[\"eq\", \"$key\", \"user/eric/a.pn\"]");
	condition("[\"eq\",\"$key\",\"User/eric/a.png\"]", form,
		"[\"eq\", \"$key\", \"User/eric/a.png\"]");
	condition("[\"starts-with\",\"$key\",\"user/eric/\"]", form, NULL);
	condition("[\"starts-with\",\"$key\",\"user\\/eric\\/\"]", form, NULL);
	condition("[\"starts-with\",\"$key\",\"\"]", form, NULL);
	condition("[\"starts-with\",\"$key\",\"user/betty/\"]", form,
		"[\"starts-with\", \"$key\", \"user/betty/\"]");
	condition("[\"starts-with\",\"$key\",\"user/eric/a.png.\"]", form,
		"[\"starts-with\", \"$key\", \"user/eric/a.png.\"]");
	condition("[\"in\",\"$content-type\",[\"image/jpg\",\"image/png\"]]", form, NULL);
	condition("[\"in\",\"$content-type\",[\"image/jpg\",\"image/pn\"]]", form,
		"[\"in\", \"$content-type\", [\"image/jpg\", \"image/pn\"]]");
	condition("[\"in\",\"$content-type\",[]]", form, "[\"in\", \"$content-type\", []]");
	condition("[\"not-in\",\"$content-type\",[\"text/html\"]]", form, NULL);
	condition("[\"not-in\",\"$content-type\",[\"text/html\",\"image/png\"]]", form,
		"[\"not-in\", \"$content-type\", [\"text/html\", \"image/png\"]]");
	condition("[\"not-in\",\"$content-type\",[]]", form, NULL);

	/* Names have no case, on either side. */
	condition("[\"eq\",\"$CONTENT-TYPE\",\"image/png\"]", form, NULL);
	condition("[\"eq\",\"$x-oss-meta-tag\",\"t\"]", form, NULL);
	condition("{\"X-Oss-Meta-TAG\":\"t\"}", form, NULL);

	/* An absent field counts as empty. */
	condition("{\"absent\":\"\"}", form, NULL);
	condition("{\"absent\":\"x\"}", form, "[\"eq\", \"$absent\", \"x\"]");
	condition("{\"empty\":\"x\"}", form, "[\"eq\", \"$empty\", \"x\"]");
	condition("[\"starts-with\",\"$absent\",\"\"]", form, NULL);
	condition("[\"starts-with\",\"$absent\",\"x\"]", form,
		"[\"starts-with\", \"$absent\", \"x\"]");
	condition("[\"in\",\"$absent\",[\"x\"]]", form, "[\"in\", \"$absent\", [\"x\"]]");
	condition("[\"not-in\",\"$absent\",[\"x\"]]", form, NULL);

	/* A callback that is pinned cannot be dropped or changed. */
	condition("{\"callback\":\"e30=\"},{\"x:user_id\":\"7\"}", form, NULL);
	condition("{\"callback\":\"e30=\"},{\"x:user_id\":\"8\"}", form,
		"[\"eq\", \"$x:user_id\", \"8\"]");
	condition("{\"callback\":\"e31=\"}", form, "[\"eq\", \"$callback\", \"e31=\"]");
	condition("{\"callback\":\"e30=\"}", FORM("key", "k"), "[\"eq\", \"$callback\", \"e30=\"]");

	/* The first that fails, in the order of the document; each one counts. */
	condition("{\"bucket\":\"b\"},{\"key\":\"no\"},{\"empty\":\"no\"}", form,
		"[\"eq\", \"$key\", \"no\"]");
	condition("[\"starts-with\",\"$key\",\"user/\"],[\"content-length-range\",1,2],{\"bucket\":"
		  "\"b\"},{\"empty\":\"no\"}",
		form, "[\"eq\", \"$empty\", \"no\"]");

	/* Fields that no condition mentions are allowed. */
	condition("{\"bucket\":\"b\"}", FORM("bucket", "b", "name", "a", "submit", "Upload"), NULL);

	/* What is shown is a JSON text, whatever the condition holds. */
	condition(
		"{\"key\":\"a\\\"],\\n\\\\\"}", form, "[\"eq\", \"$key\", \"a\\\"],\\u000a\\\\\"]");
}

/* Both ways to write a dollar that OSS's documentation and Java SDK use. */
static void dollars(void)
{
	struct form form = FORM("key", "user/eric/${filename}");
	condition("[\"eq\",\"$key\",\"user/eric/${filename}\"]", form, NULL);
	condition("[\"eq\",\"$key\",\"user/eric/\\${filename}\"]", form, NULL);
	condition("[\"eq\",\"$key\",\"user/eric/\\\\${filename}\"]", form, NULL);
	condition("[\"eq\",\"\\$key\",\"user\\/eric\\/\\\\${filename}\"]", form, NULL);
	condition("[\"starts-with\",\"$key\",\"user/eric/\"]", form, NULL);
	condition("[\"starts-with\",\"$key\",\"user/eric/a\"]", form,
		"[\"starts-with\", \"$key\", \"user/eric/a\"]");
	form = FORM("key", "a\\b");
	condition("[\"eq\",\"$key\",\"a\\\\b\"]", form, NULL);
	const struct policy *p;
	IS_INT(parse_bytes(S(POLICY("{\"key\":\"\\q\"}")), &p), ERR_INVALID_POLICY,
		"no other escape is tolerated");
	IS_INT(parse_bytes(S("{" EXPIRES ",\\$\"conditions\":[{\"key\":\"k\"}]}"), &p),
		ERR_INVALID_POLICY, "nor this one outside a string");
}

static void sizes(void)
{
	struct policy_size s = policy_size(parsed(POLICY("{\"key\":\"k\"}")));
	OK(s.min == 0 && s.max == UINT64_MAX, "no range");
	s = policy_size(parsed(POLICY("[\"content-length-range\",10,1024]")));
	OK(s.min == 10 && s.max == 1024, "a range");
	IS_INT(policy_check_size(s, 1024, false), ERR_OK, "the most");
	IS_INT(policy_check_size(s, 1025, false), ERR_ENTITY_TOO_LARGE, "one more");
	IS_INT(policy_check_size(s, 9, false), ERR_OK, "more may come");
	IS_INT(policy_check_size(s, 9, true), ERR_ENTITY_TOO_SMALL, "one less at the end");
	IS_INT(policy_check_size(s, 10, true), ERR_OK, "the least");
	s = policy_size(parsed(POLICY("[\"content-length-range\",0,0]")));
	OK(s.min == 0 && s.max == 0, "empty files only");
	IS_INT(policy_check_size(s, 1, false), ERR_ENTITY_TOO_LARGE, "a byte is too much");
	s = policy_size(parsed(POLICY("[\"content-length-range\",0,9223372036854775807]")));
	OK(s.max == INT64_MAX, "a large range");
	s = policy_size(
		parsed(POLICY("[\"content-length-range\",5,50],[\"content-length-range\",1,20],"
			      "[\"content-length-range\",3,30]")));
	OK(s.min == 5 && s.max == 20, "several ranges all hold");
	s = policy_size(
		parsed(POLICY("[\"content-length-range\",1,2],[\"content-length-range\",4,5]")));
	IS_INT(policy_check_size(s, 3, true), ERR_ENTITY_TOO_LARGE, "ranges that exclude all");
	IS_INT(policy_check_size(s, 2, true), ERR_ENTITY_TOO_SMALL, "exclude all");
}

#define VERSION "{\"x-oss-signature-version\":\"OSS4-HMAC-SHA256\"}"
#define CREDENTIAL "{\"x-oss-credential\":\"c\"}"

static void needs_of_v4(void)
{
	const struct policy *p = parsed(POLICY(VERSION "," CREDENTIAL ",{\"X-OSS-Date\":\"d\"}"));
	IS_INT(policy_check_v4(p, false, &arena, &why), ERR_OK, "all three");
	IS_INT(policy_check_v4(p, true, &arena, &why), ERR_INVALID_POLICY, "no token");
	IS(why.message, S("Invalid Policy: Policy missing the condition on x-oss-security-token."),
		"is named");
	p = parsed(POLICY(VERSION
		"," CREDENTIAL ",[\"eq\",\"$x-oss-date\",\"d\"],[\"eq\",\"$x-oss-security-token\","
		"\"t\"]"));
	IS_INT(policy_check_v4(p, true, &arena, &why), ERR_OK, "all four");
	p = parsed(POLICY(VERSION "," CREDENTIAL));
	IS_INT(policy_check_v4(p, false, &arena, &why), ERR_INVALID_POLICY, "no date");
	p = parsed(POLICY(CREDENTIAL ",{\"x-oss-date\":\"d\"}"));
	IS_INT(policy_check_v4(p, false, &arena, &why), ERR_INVALID_POLICY, "no version");
	p = parsed(POLICY(VERSION ",{\"x-oss-date\":\"d\"}"));
	IS_INT(policy_check_v4(p, false, &arena, &why), ERR_INVALID_POLICY, "no credential");
	p = parsed(POLICY(VERSION "," CREDENTIAL ",[\"starts-with\",\"$x-oss-date\",\"\"]"));
	IS_INT(policy_check_v4(p, false, &arena, &why), ERR_INVALID_POLICY,
		"a condition that pins nothing");
}

/* The policy of the documentation and the Java SDK's tests. */
static void real_policy(void)
{
	const struct policy *p = parsed(
		"{\"expiration\":\"2020-03-19T03:44:06.476Z\",\"conditions\":[{\"bucket\":\"gen-"
		"post-"
		"policy\"},[\"eq\",\"$key\",\"user\\/eric\\/\\\\${filename}\"],[\"starts-with\",\"$"
		"key\",\"user\\/eric\"],[\"starts-with\",\"$x-oss-meta-tag\",\"dummy_etag\"],"
		"[\"content-length-range\",1,1024]]}");
	struct form form = FORM("bucket", "gen-post-policy", "key", "user/eric/${filename}",
		"x-oss-meta-tag", "dummy_etag_1");
	struct form_fields fields = form_fields_of(&form);
	IS_INT(policy_check(p, &fields, &arena, &why), ERR_OK, "holds");
	IS_INT(policy_expiration_ms(p), INT64_C(1584589446476), "its milliseconds count");
	IS_INT(policy_size(p).max, 1024, "its size");
}

/* A condition too long to be shown still fails. */
static void long_condition(void)
{
	SCOPED_STRBUF(json, LIMIT_POLICY_BYTES);
	strbuf_adds(&json, "{" EXPIRES ",\"conditions\":[{\"key\":\"");
	while (json.len < 2 * LIMIT_ERROR_BODY_BYTES)
		strbuf_addc(&json, 'k');
	strbuf_adds(&json, "\"}]}");
	const struct policy *p;
	struct form form = FORM("key", "k");
	struct form_fields fields = form_fields_of(&form);
	IS_INT(parse_bytes(strbuf_slice(&json), &p), ERR_OK, "a long condition");
	IS_INT(policy_check(p, &fields, &arena, &why), ERR_POLICY_CONDITION, "fails");
	IS(why.message, S(""), "with the usual message");
}

/* Without memory, wherever it runs out, the answer is that and nothing else. */
static void no_memory(void)
{
	SCOPED_STRBUF(base64, LIMIT_POLICY_BYTES);
	base64_encode(&base64, S(POLICY("{\"bucket\":\"b\"},[\"in\",\"$key\",[\"k\",\"l\"]],["
					"\"eq\",\"$x\",\"\"]")));
	bool as_said = true;
	size_t room = 0;
	enum err e = ERR_UNAVAILABLE;
	for (; e == ERR_UNAVAILABLE && room < sizeof(memory); room += 8) {
		const struct policy *p = NULL;
		SCOPED_FREE char *first = malloc(room + 1);
		struct arena small;
		arena_init(&small, first, room, 0);
		e = policy_parse(strbuf_slice(&base64), &small, &p, &why);
		as_said = as_said && (e == ERR_OK) == (p != NULL);
		arena_reset(&small);
	}
	OK(as_said && e == ERR_OK && room > 200, "runs out of memory %zu times", room / 8);
}

int main(void)
{
	malformed_policies();
	text_forms();
	expiry();
	conditions();
	dollars();
	sizes();
	needs_of_v4();
	real_policy();
	long_condition();
	no_memory();
	arena_reset(&arena);
	return tap_done();
}
