/* SPDX-License-Identifier: Apache-2.0 */
#include "app/settings/key_template.h"

#include "tap.h"

#define NOW 1709164799 /* 2024-02-28T23:59:59Z */

static struct key_template template;

static void expands(const char *text, struct slice value, const char *want)
{
	SCOPED_STRBUF(out, 4096);
	const struct slice claims[LIMIT_CLAIMS] = {value, S("second")};
	const struct key_values values = {.claims = claims, .now = NOW};
	const char *fault = key_template_parse(slice_str(text), &template);
	strbuf_adds(&out, "before/");
	if (!fault)
		fault = key_template_expand(&template, &values, &out);
	OK(!fault, "%s: %s", text, fault ? fault : "good");
	IS(slice_from(strbuf_slice(&out), 7), slice_str(want), text);
}

static void refuses(const char *text, const char *value)
{
	SCOPED_STRBUF(out, 4096);
	const struct slice claims[LIMIT_CLAIMS] = {slice_str(value), S("second")};
	const struct key_values values = {.claims = claims, .now = NOW};
	const char *fault = key_template_parse(slice_str(text), &template);
	OK(!fault, "%s is a template", text);
	OK(key_template_expand(&template, &values, &out) != NULL,
		"but not with a value of %zu bytes", strlen(value));
}

static void is_none(const char *text)
{
	OK(key_template_parse(slice_str(text), &template) != NULL, "no template: %s", text);
}

static void long_names(void)
{
	char text[LIMIT_KEY_BYTES + 20];
	SCOPED_STRBUF(out, 4096);
	const struct slice claims[LIMIT_CLAIMS] = {S("12345")};
	const struct key_values values = {.claims = claims, .now = NOW};
	memset(text, 'a', sizeof(text));
	memcpy(text + LIMIT_KEY_BYTES - 5, "${sub}", 7);
	OK(!key_template_parse(slice_str(text), &template), "a long folder");
	OK(!key_template_expand(&template, &values, &out), "as long as a name may be");
	memset(text, 'a', sizeof(text));
	memcpy(text + LIMIT_KEY_BYTES - 4, "${sub}", 7);
	OK(!key_template_parse(slice_str(text), &template), "and a byte longer");
	strbuf_clear(&out);
	OK(key_template_expand(&template, &values, &out) != NULL, "is too long");
}

static void files(const char *text, const char *name, const char *ext, const char *want)
{
	SCOPED_STRBUF(out, 4096);
	const struct slice claims[LIMIT_CLAIMS] = {S("ann")};
	const struct key_values values = {claims, NOW, slice_str(name), slice_str(ext)};
	const char *fault = key_template_parse_file(slice_str(text), &template);
	if (!fault)
		fault = key_template_expand(&template, &values, &out);
	OK((fault == NULL) == (want != NULL), "%s: %s", text, fault ? fault : "good");
	if (!fault && want)
		IS(strbuf_slice(&out), slice_str(want), text);
}

static void uuids(void)
{
	SCOPED_STRBUF(one, 4096);
	SCOPED_STRBUF(two, 4096);
	const struct key_values values = {.now = NOW};
	OK(!key_template_parse(S("${uuid}/"), &template), "a folder of its own for each grant");
	OK(!key_template_expand(&template, &values, &one) &&
			!key_template_expand(&template, &values, &two),
		"twice");
	IS_INT(one.len, 37, "as long as a UUID and a slash");
	OK(one.ptr[8] == '-' && one.ptr[13] == '-' && one.ptr[14] == '4' && one.ptr[18] == '-' &&
			one.ptr[23] == '-' && one.ptr[36] == '/',
		"in its form: %s", one.ptr);
	OK(!slice_eq(strbuf_slice(&one), strbuf_slice(&two)), "each is another");
}

static void numbers(void)
{
	struct slice names[LIMIT_CLAIMS] = {S("org")};
	size_t count = 1;
	OK(!key_template_parse(S("${sub}/${org}/"), &template) &&
			key_template_number_claims(&template, names, &count),
		"claims that several templates share");
	IS_INT(count, 2, "stand once");
	IS(names[1], S("sub"), "in one list");
	const struct slice claims[LIMIT_CLAIMS] = {S("acme"), S("ann")};
	const struct key_values values = {.claims = claims, .now = NOW};
	SCOPED_STRBUF(out, 4096);
	OK(!key_template_expand(&template, &values, &out), "and have their values from it");
	IS(strbuf_slice(&out), S("ann/acme/"), "each its own");
	for (count = 0; count < LIMIT_CLAIMS; count++)
		names[count] = S("other");
	OK(!key_template_number_claims(&template, names, &count), "the list is full");
}

int main(void)
{
	files("${name}${ext}", "cat", ".png", "cat.png");
	files("${date}/${sub}/x-${name}${ext}", "a b", "", "2024-02-28/ann/x-a b");
	files("${sub}-${name}", "a", "", NULL);
	files("${name}", "..", "", NULL);
	uuids();
	numbers();
	expands("", S("x"), "");
	expands("a/b/", S("x"), "a/b/");
	expands("users/${sub}/${yyyy}/${mm}/", S("ann"), "users/ann/2024/02/");
	expands("${dd}-${hh}/", S("ann"), "28-23/");
	expands("u-${sub}.d/${org}/${sub}/", S("a|b@c.d"), "u-a|b@c.d.d/second/a|b@c.d/");
	expands("${sub}/", S("a..b"), "a..b/");
	expands("${sub}/", S("..."), ".../");
	expands("${sub}/", S("J\xc3\xb6rg \xe4\xb8\xad"), "J\xc3\xb6rg \xe4\xb8\xad/");
	IS_INT(template.claim_count, 1, "one claim");
	IS(template.claims[0], S("sub"), "of that name");

	static const char *const bad[] = {"", ".", "..", "/", "a/b", "../x", "a\\b", "a\nb", "\x01",
		"a\x7f", "\xc2\x80", "a\xc2\x9f", "${filename}", "$", "\xff", "\xc3"};
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		refuses("users/${sub}/x/", bad[i]);
	refuses("users/.${sub}/", ".");
	refuses("users/${sub}./x/", ".");
	refuses("${sub}", "..");

	is_none("$");
	is_none("a$b/");
	is_none("${");
	is_none("${}");
	is_none("${a b}");
	is_none("${1}");
	is_none("${a-b}");
	is_none("${${sub}}");
	is_none("${filename}");
	is_none("${sub}${org}/");
	is_none("${sub}-${org}/");
	is_none("${sub}-${yyyy}-${sub}/");
	is_none("${a}/${b}/${c}/${d}/${e}/${f}/${g}/${h}/${i}/");
	is_none("${mm}${mm}${mm}${mm}${mm}${mm}${mm}${mm}${mm}${mm}${mm}${mm}${mm}${mm}${mm}${mm}"
		"${mm}${mm}${mm}${mm}${mm}${mm}${mm}${mm}${mm}${mm}${mm}${mm}${mm}${mm}${mm}${mm}"
		"${mm}");
	static const char *const safe[] = {"", "a", "a/", "a/b/", "a.b/..c", "J\xc3\xb6rg/"};
	static const char *const unsafe[] = {"/", "/a", "..", "../a", "a/..", "a/../b", "a/./b",
		".", "a//b", "a\\b", "a$", "a\n", "\xff", "a//"};
	for (size_t i = 0; i < ARRAY_LEN(safe); i++)
		OK(key_prefix_is_safe(slice_str(safe[i])), "a prefix: %zu", i);
	for (size_t i = 0; i < ARRAY_LEN(unsafe); i++)
		OK(!key_prefix_is_safe(slice_str(unsafe[i])), "no prefix: %zu", i);
	long_names();
	return tap_done();
}
