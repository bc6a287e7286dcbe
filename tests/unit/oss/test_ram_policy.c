/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "base/limits.h"
#include "oss/policy/ram_policy.h"
#include "oss/text/wildcard.h"
#include "tap.h"

static const struct {
	const char *pattern;
	const char *text;
	bool matches;
} wildcards[] = {
	{"", "", true},
	{"", "a", false},
	{"a", "", false},
	{"*", "", true},
	{"*", "a/b", true},
	{"**", "ab", true},
	{"a*", "a", true},
	{"a*", "ba", false},
	{"*a", "ba", true},
	{"*a", "ab", false},
	{"a*c", "abbc", true},
	{"a*c", "abb", false},
	{"a*b*c", "a-b-b-c", true},
	{"a*b*c", "a-c-b", false},
	{"*ab", "aab", true},
	{"*abab", "ababab", true},
	{"a?c", "abc", true},
	{"a?c", "ac", false},
	{"a?c", "abbc", false},
	{"?", "\xc3\xa9", true},
	{"?", "\xe4\xb8\xad", true},
	{"??", "\xe4\xb8\xad", false},
	{"*?", "", false},
	{"*?b",
		"\xe4\xb8\xad"
		"b",
		true},
	{"a*", "A", false},
	{"bucket/dir/*", "bucket/dir/", true},
	{"bucket/dir/*", "bucket/dir", false},
	{"bucket", "bucket/key", false},
};

static void wildcard(void)
{
	for (size_t i = 0; i < ARRAY_LEN(wildcards); i++)
		OK(wildcard_match(slice_str(wildcards[i].pattern), slice_str(wildcards[i].text)) ==
				wildcards[i].matches,
			"`%s` %s `%s`", wildcards[i].pattern,
			wildcards[i].matches ? "describes" : "does not describe",
			wildcards[i].text);
}

enum {
	LONG = 300, /* bytes: several words of the automaton */
	ROUNDS = 2000,
};

/* As the definition says it, from behind: which rests of the pattern describe which of the text. */
static bool by_definition(struct slice pattern, struct slice text)
{
	static bool table[LONG + 1][LONG + 1];
	for (size_t p = pattern.len + 1; p-- > 0;) {
		for (size_t t = text.len + 1; t-- > 0;) {
			char c = p < pattern.len ? pattern.ptr[p] : '\0';
			size_t end = t + 1;
			while (end < text.len && ((unsigned char)text.ptr[end] & 0xc0) == 0x80)
				end++;
			if (p == pattern.len)
				table[p][t] = t == text.len;
			else if (c == '*')
				table[p][t] = table[p + 1][t] || (t < text.len && table[p][t + 1]);
			else if (t == text.len)
				table[p][t] = false;
			else
				table[p][t] = c == '?' ? table[p + 1][end]
						       : c == text.ptr[t] && table[p + 1][t + 1];
		}
	}
	return table[0][0];
}

/* Texts that are made along a pattern, and are then changed in one byte, or not. */
static void long_wildcards(void)
{
	static const char letters[] = "aab*?\xc3\xa9";
	unsigned matches = 0;
	unsigned wrong = 0;
	srand(1);
	for (int round = 0; round < ROUNDS; round++) {
		char pattern[LONG], text[LONG];
		size_t len = 0;
		size_t pattern_len = (size_t)(rand() % (LONG / 2));
		for (size_t i = 0; i < pattern_len; i++) {
			char c = letters[rand() % (int)(sizeof(letters) - 1)];
			pattern[i] = c;
			if (c == '*')
				for (int n = rand() % 3; n > 0 && len < LONG / 2; n--)
					text[len++] = 'a';
			else
				text[len++] = c == '?' ? 'b' : c;
		}
		if (len > 0 && rand() % 2)
			text[(size_t)rand() % len] = letters[rand() % (int)(sizeof(letters) - 1)];
		struct slice p = slice_of(pattern, pattern_len);
		struct slice t = slice_of(text, len);
		bool want = by_definition(p, t);
		matches += want;
		wrong += wildcard_match(p, t) != want;
	}
	OK(wrong == 0 && matches > ROUNDS / 8 && matches < ROUNDS,
		"long ones are as the definition says: %u of %u describe, %u wrong", matches,
		ROUNDS, wrong);
}

#define POLICY(statements) "{\"Version\":\"1\",\"Statement\":[" statements "]}"
#define STATEMENT(effect, action, resource) \
	"{\"Effect\":\"" effect "\",\"Action\":" action ",\"Resource\":" resource "}"
#define ALLOW_DIR STATEMENT("Allow", "[\"oss:Put*\",\"oss:GetObject\"]", "\"acs:oss:*:*:b/dir/*\"")

static const struct {
	const char *policy;
	const char *action;
	const char *resource;
	bool allowed;
} decisions[] = {
	{POLICY(ALLOW_DIR), "oss:PutObject", "b/dir/a", true},
	{POLICY(ALLOW_DIR), "oss:GetObject", "b/dir/a/b", true},
	{POLICY(ALLOW_DIR), "oss:GetObjectAcl", "b/dir/a", false},
	{POLICY(ALLOW_DIR), "oss:DeleteObject", "b/dir/a", false},
	{POLICY(ALLOW_DIR), "oss:PutObject", "b/other", false},
	{POLICY(ALLOW_DIR), "oss:PutObject", "b", false},
	{POLICY(ALLOW_DIR), "oss:PutObject", "c/x:*:b/dir/a", false},
	{POLICY(ALLOW_DIR), "oss:putobject", "b/dir/a", false},
	{POLICY(STATEMENT("Allow", "\"*\"", "\"*\"")), "oss:ListBuckets", "*", true},
	{POLICY(STATEMENT("Allow", "\"oss:*\"", "\"acs:oss:*:*:*\"")), "oss:ListBuckets", "*",
		true},
	{POLICY(STATEMENT("Allow", "\"oss:*\"", "\"acs:oss:*:1:b\"")), "oss:ListObjects", "b",
		true},
	{POLICY(STATEMENT("Allow", "\"oss:*\"", "\"acs:oss:*:1:b\"")), "oss:ListBuckets", "*",
		false},
	{POLICY(STATEMENT("Allow", "\"*\"", "\"*\"") "," STATEMENT(
		 "Deny", "\"oss:Delete*\"", "[\"acs:oss:*:*:b/keep/*\"]")),
		"oss:DeleteObject", "b/keep/a", false},
	{POLICY(STATEMENT("Deny", "\"oss:Delete*\"", "[\"acs:oss:*:*:b/keep/*\"]") "," STATEMENT(
		 "Allow", "\"*\"", "\"*\"")),
		"oss:DeleteObject", "b/keep/a", false},
	{POLICY(STATEMENT("Deny", "\"oss:Delete*\"", "[\"acs:oss:*:*:b/keep/*\"]") "," STATEMENT(
		 "Allow", "\"*\"", "\"*\"")),
		"oss:DeleteObject", "b/other", true},
	{POLICY(STATEMENT("Deny", "\"oss:Delete*\"", "\"*\"")), "oss:GetObject", "b/a", false},
};

static void decide(void)
{
	for (size_t i = 0; i < ARRAY_LEN(decisions); i++) {
		SCOPED_STRBUF(compact, RAM_POLICY_COMPACT_BYTES);
		SCOPED_STRBUF(reason, 512);
		enum err e =
			ram_policy_parse(slice_str(decisions[i].policy), S("1"), &compact, &reason);
		bool allowed = ram_policy_allows(strbuf_slice(&compact),
			slice_str(decisions[i].action), slice_str(decisions[i].resource));
		OK(e == ERR_OK && allowed == decisions[i].allowed, "%s on %s: %s",
			decisions[i].action, decisions[i].resource,
			decisions[i].allowed ? "allowed" : "not allowed");
	}
}

static const struct {
	const char *policy;
	const char *why; /* the reason begins with it */
} refused[] = {
	{"", "The policy is no JSON"},
	{"[]", "The policy must be an object."},
	{"{\"Version\":\"1\",\"Version\":\"1\",\"Statement\":[]}", "The policy is no JSON"},
	{"{\"Statement\":[" ALLOW_DIR "]}", "The policy has no Version."},
	{"{\"Version\":1,\"Statement\":[" ALLOW_DIR "]}", "Version must be"},
	{"{\"Version\":\"2012-10-17\",\"Statement\":[" ALLOW_DIR "]}", "Version must be"},
	{"{\"Version\":\"1\",\"Statement\":" ALLOW_DIR "}", "Statement must be a list"},
	{POLICY(""), "Statement must be a list"},
	{"{\"Version\":\"1\",\"Id\":\"x\",\"Statement\":[" ALLOW_DIR "]}",
		"The policy has a member `Id`"},
	{POLICY("1"), "A statement must be an object."},
	{POLICY("{\"Effect\":\"Allow\",\"Action\":\"*\"}"), "A statement has no Resource."},
	{POLICY("{\"Effect\":\"Allow\",\"Action\":\"*\",\"Resource\":\"*\",\"Condition\":{}}"),
		"A statement has a member `Condition`"},
	{POLICY("{\"Effect\":\"Allow\",\"NotAction\":\"*\",\"Resource\":\"*\"}"),
		"A statement has no Action."},
	{POLICY(STATEMENT("allow", "\"*\"", "\"*\"")), "Effect must be"},
	{POLICY(STATEMENT("Allow", "[]", "\"*\"")), "Action is an empty list."},
	{POLICY(STATEMENT("Allow", "[1]", "\"*\"")), "Action must be a text"},
	{POLICY(STATEMENT("Allow", "{}", "\"*\"")), "Action must be a text"},
	{POLICY(STATEMENT("Allow", "\"ecs:*\"", "\"*\"")), "`ecs:*` is no action"},
	{POLICY(STATEMENT("Allow", "\"oss:\"", "\"*\"")), "`oss:` is no action"},
	{POLICY(STATEMENT("Allow", "\"oss:Get-\"", "\"*\"")), "`oss:Get-` is no action"},
	{POLICY(STATEMENT("Allow", "\"PutObject\"", "\"*\"")), "`PutObject` is no action"},
	{POLICY(STATEMENT("Allow", "\"*\"", "[]")), "Resource is an empty list."},
	{POLICY(STATEMENT("Allow", "\"*\"", "\"b/*\"")), "`b/*` is no resource"},
	{POLICY(STATEMENT("Allow", "\"*\"", "\"acs:ram:*:*:b\"")), "`acs:ram:*:*:b` is no"},
	{POLICY(STATEMENT("Allow", "\"*\"", "\"acs:oss:*:b\"")), "`acs:oss:*:b` is no"},
	{POLICY(STATEMENT("Allow", "\"*\"", "\"acs:oss:*:*:\"")), "`acs:oss:*:*:` is no"},
	{POLICY(STATEMENT("Allow", "\"*\"", "\"acs:oss:oss-cn-beijing:*:b\"")), "The region"},
	{POLICY(STATEMENT("Allow", "\"*\"", "\"acs:oss:*:2:b\"")), "The account"},
	{POLICY(STATEMENT("Allow", "\"*\"", "\"acs:oss:*:*:b/${x}/*\"")), "Variables"},
};

static void refuse(void)
{
	for (size_t i = 0; i < ARRAY_LEN(refused); i++) {
		SCOPED_STRBUF(compact, RAM_POLICY_COMPACT_BYTES);
		SCOPED_STRBUF(reason, 512);
		enum err e =
			ram_policy_parse(slice_str(refused[i].policy), S("1"), &compact, &reason);
		OK(e == ERR_INVALID_POLICY && compact.len == 0 &&
				slice_starts(strbuf_slice(&reason), slice_str(refused[i].why)),
			"refused: %s", refused[i].why);
	}
}

static void limits(void)
{
	SCOPED_STRBUF(json, LIMIT_RAM_POLICY_BYTES + 1);
	SCOPED_STRBUF(compact, RAM_POLICY_COMPACT_BYTES);
	SCOPED_STRBUF(reason, 512);
	strbuf_adds(&json, POLICY(STATEMENT("Allow", "\"*\"", "\"*\"")));
	while (json.len < LIMIT_RAM_POLICY_BYTES)
		strbuf_addc(&json, ' ');
	OK(ram_policy_parse(strbuf_slice(&json), S("1"), &compact, &reason) == ERR_OK,
		"a policy of %d bytes", LIMIT_RAM_POLICY_BYTES);
	strbuf_addc(&json, ' ');
	OK(ram_policy_parse(strbuf_slice(&json), S("1"), &compact, &reason) == ERR_INVALID_POLICY,
		"and not of one more");

	/* Whatever is cut off a compact form, nothing more is allowed by it, and nothing overread.
	 */
	strbuf_clear(&compact);
	OK(ram_policy_parse(slice_str(POLICY(ALLOW_DIR)), S("1"), &compact, &reason) == ERR_OK,
		"a compact form");
	unsigned allowed = 0;
	for (size_t len = 0; len < compact.len; len++) {
		char *copy = malloc(len ? len : 1);
		if (!copy)
			return;
		memcpy(copy, compact.ptr, len);
		allowed += ram_policy_allows(slice_of(copy, len), S("oss:PutObject"), S("b/dir/a"));
		free(copy);
	}
	IS_INT(allowed, 0, "one that is cut short allows nothing");
}

int main(void)
{
	wildcard();
	long_wildcards();
	decide();
	refuse();
	limits();
	return tap_done();
}
