/* SPDX-License-Identifier: Apache-2.0 */
#include "app/key_template.h"

#include "tap.h"

#define NOW 1709164799 /* 2024-02-28T23:59:59Z */

static struct key_template template;

static void expands(const char *text, struct slice value, const char *want)
{
	SCOPED_STRBUF(out, 4096);
	const struct slice values[LIMIT_CLAIMS] = {value, S("second")};
	const char *fault = key_template_parse(slice_str(text), &template);
	strbuf_adds(&out, "before/");
	if (!fault)
		fault = key_template_expand(&template, values, NOW, &out);
	OK(!fault, "%s: %s", text, fault ? fault : "good");
	IS(slice_from(strbuf_slice(&out), 7), slice_str(want), text);
}

static void refuses(const char *text, const char *value)
{
	SCOPED_STRBUF(out, 4096);
	const struct slice values[LIMIT_CLAIMS] = {slice_str(value), S("second")};
	const char *fault = key_template_parse(slice_str(text), &template);
	OK(!fault, "%s is a template", text);
	OK(key_template_expand(&template, values, NOW, &out) != NULL,
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
	const struct slice values[LIMIT_CLAIMS] = {S("12345")};
	memset(text, 'a', sizeof(text));
	memcpy(text + LIMIT_KEY_BYTES - 5, "${sub}", 7);
	OK(!key_template_parse(slice_str(text), &template), "a long folder");
	OK(!key_template_expand(&template, values, NOW, &out), "as long as a name may be");
	memset(text, 'a', sizeof(text));
	memcpy(text + LIMIT_KEY_BYTES - 4, "${sub}", 7);
	OK(!key_template_parse(slice_str(text), &template), "and a byte longer");
	strbuf_clear(&out);
	OK(key_template_expand(&template, values, NOW, &out) != NULL, "is too long");
}

int main(void)
{
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
