/* SPDX-License-Identifier: Apache-2.0 */
#include "base/encode.h"
#include "base/limits.h"
#include "oss/policy/policy.h"
#include "oss/policy/policy_build.h"
#include "oss/sign/form_auth.h"
#include "tap.h"
#include "unit/oss/form.h"

/* 2023-12-16T16:20:57Z, and an hour later */
#define NOW_MS INT64_C(1702743657000)
#define LATER_MS INT64_C(1702747257000)

static char memory[16384];
static struct arena arena;
static struct refusal why;

static const struct policy_signer signer = {.access_key_id = SLICE_LIT("ak"),
	.secret = SLICE_LIT("sk"),
	.region = SLICE_LIT("cn-hangzhou")};

static struct policy_spec grant_for(const char *prefix)
{
	return (struct policy_spec){.now_ms = NOW_MS,
		.expires_ms = LATER_MS,
		.key_prefix = slice_str(prefix),
		.max_bytes = 1000};
}

static void start(void)
{
	arena_reset(&arena);
	arena_init(&arena, memory, sizeof(memory), LIMIT_REQUEST_ARENA_BYTES);
	why = (struct refusal){0};
}

static void is_policy(const struct policy_form *form, const char *want, const char *name)
{
	SCOPED_STRBUF(json, LIMIT_POLICY_BYTES);
	OK(base64_decode(&json, form->policy), "%s: is base64", name);
	IS(strbuf_slice(&json), slice_str(want), name);
}

/* The fields as a form that was posted, with key and bucket. */
static struct form posted(const struct policy_form *made, const char *key)
{
	struct form form = {.count = 0};
	for (size_t i = 0; i < made->field_count; i++)
		form_add(&form, made->fields[i].name, made->fields[i].value);
	form_add(&form, S("key"), slice_str(key));
	form_add(&form, S("bucket"), S("uploads"));
	return form;
}

static enum err accepted(struct form *form)
{
	const struct policy *policy;
	struct form_auth auth;
	struct form_fields fields = form_fields_of(form);
	enum err e = form_auth_parse(&fields, &auth, &why);
	if (!e)
		e = form_auth_verify(&auth, S("sk"), NULL);
	if (!e)
		e = policy_parse(auth.policy, &arena, &policy, &why);
	if (!e && auth.scheme == FORM_V4)
		e = policy_check_v4(policy, auth.security_token.len > 0, &arena, &why);
	if (!e && policy_expired(policy, NOW_MS))
		e = ERR_POLICY_EXPIRED;
	return e ? e : policy_check(policy, &fields, &arena, &why);
}

static void least(void)
{
	struct policy_form form;
	struct policy_spec grant = grant_for("user-dir/");
	start();
	IS_INT(policy_form_v1(&grant, &signer, &arena, &form), ERR_OK, "the classic form");
	is_policy(&form,
		"{\"expiration\":\"2023-12-16T17:20:57.000Z\",\"conditions\":[[\"starts-with\","
		"\"$key\",\"user-dir/\"],[\"content-length-range\",0,1000]]}",
		"the classic policy");
	IS_INT(form.field_count, 3, "has three fields");
	IS(form.fields[0].name, S("OSSAccessKeyId"), "the key id");
	IS(form.fields[1].value, form.policy, "the policy");
	IS(form.fields[2].value, form.signature, "the signature");
	struct form post = posted(&form, "user-dir/a.png");
	IS_INT(accepted(&post), ERR_OK, "is accepted");
	post = posted(&form, "other-dir/a.png");
	IS_INT(accepted(&post), ERR_POLICY_CONDITION, "not for another folder");

	IS_INT(policy_form_v4(&grant, &signer, &arena, &form), ERR_OK, "the same as V4");
	is_policy(&form,
		"{\"expiration\":\"2023-12-16T17:20:57.000Z\",\"conditions\":[[\"starts-with\","
		"\"$key\",\"user-dir/\"],[\"content-length-range\",0,1000],"
		"{\"x-oss-signature-version\":\"OSS4-HMAC-SHA256\"},"
		"{\"x-oss-credential\":\"ak/20231216/cn-hangzhou/oss/aliyun_v4_request\"},"
		"{\"x-oss-date\":\"20231216T162057Z\"}]}",
		"the policy");
	IS(form.date, S("20231216T162057Z"), "its date");
	IS(form.credential, S("ak/20231216/cn-hangzhou/oss/aliyun_v4_request"), "its credential");
	IS_INT(form.field_count, 5, "has five fields");
	post = posted(&form, "user-dir/a.png");
	IS_INT(accepted(&post), ERR_OK, "is accepted");
}

static void everything(void)
{
	static const struct slice types[] = {SLICE_LIT("image/png"), SLICE_LIT("image/jpeg")};
	static const struct policy_field bound[] = {
		{SLICE_LIT("success_action_status"), SLICE_LIT("200")},
		{SLICE_LIT("callback"), SLICE_LIT("e30=")}};
	static const struct policy_field free_fields[] = {
		{SLICE_LIT("x-oss-meta-note"), SLICE_LIT("n")}};
	struct policy_signer sts = signer;
	struct policy_spec grant = grant_for("");
	struct policy_form form;
	sts.security_token = S("tok/en");
	grant.bucket = S("uploads");
	grant.key = S("a/${filename}");
	grant.min_bytes = 1;
	grant.content_types = types;
	grant.content_type_count = 2;
	grant.bound = bound;
	grant.bound_count = 2;
	grant.free = free_fields;
	grant.free_count = 1;
	for (int version = 1; version <= 4; version += 3) {
		start();
		IS_INT(version == 1 ? policy_form_v1(&grant, &sts, &arena, &form)
				    : policy_form_v4(&grant, &sts, &arena, &form),
			ERR_OK, "a form with everything");
		if (version == 1)
			is_policy(&form,
				"{\"expiration\":\"2023-12-16T17:20:57.000Z\",\"conditions\":["
				"{\"bucket\":\"uploads\"},[\"eq\",\"$key\",\"a/${filename}\"],"
				"[\"content-length-range\",1,1000],"
				"[\"in\",\"$content-type\",[\"image/png\",\"image/jpeg\"]],"
				"{\"x-oss-security-token\":\"tok/en\"},"
				"{\"success_action_status\":\"200\"},{\"callback\":\"e30=\"}]}",
				"its policy");
		IS(form.fields[0].name, S("key"), "the key comes first");
		IS(form.fields[0].value, S("a/${filename}"), "as it was given");
		struct form post = posted(&form, "not looked at");
		form_add(&post, S("content-type"), S("image/jpeg"));
		IS_INT(accepted(&post), ERR_OK, "is accepted");
		for (size_t i = 0; i < post.count; i++) {
			struct form changed = post;
			changed.values[i] = S("changed");
			/* The id chooses the secret, which is the caller's part. */
			bool chooses = slice_eq(post.names[i], S("OSSAccessKeyId"));
			bool free_one = slice_eq(post.names[i], S("x-oss-meta-note")) ||
					i == form.field_count;
			OK((accepted(&changed) == ERR_OK) == (free_one || chooses), "%.*s changed",
				SLICE_FMT(post.names[i]));
			changed.names[i] = S("gone");
			OK((accepted(&changed) == ERR_OK) == free_one, "%.*s left out",
				SLICE_FMT(post.names[i]));
		}
	}
}

/* Text that tries to be more than text. */
static void injections(void)
{
	static const char *const nasty[] = {
		"a\"],[\"starts-with\",\"$key\",\"",
		"a\\",
		"a\\\"",
		"a\"}",
		"line\nfeed\r\t\x01",
		"\xe4\xb8\xad\xe6\x96\x87 \xf0\x9f\x98\x80",
		"</script>",
		"$key",
		"${filename}",
		"%s%n",
	};
	for (size_t i = 0; i < ARRAY_LEN(nasty); i++) {
		struct policy_field bound = {slice_str(nasty[i]), slice_str(nasty[i])};
		struct slice type = slice_str(nasty[i]);
		struct policy_spec grant = grant_for(nasty[i]);
		struct policy_form form;
		grant.bucket = S("uploads");
		grant.bound = &bound;
		grant.bound_count = 1;
		grant.content_types = &type;
		grant.content_type_count = 1;
		start();
		if (!OK(policy_form_v4(&grant, &signer, &arena, &form) == ERR_OK,
			    "text %zu is signed", i))
			continue;
		struct form post = posted(&form, nasty[i]);
		form_add(&post, S("content-type"), slice_str(nasty[i]));
		OK(accepted(&post) == ERR_OK, "text %zu is itself", i);
		post = posted(&form, "elsewhere");
		form_add(&post, S("content-type"), slice_str(nasty[i]));
		OK(accepted(&post) == ERR_POLICY_CONDITION, "text %zu allows nothing else", i);
	}
}

static void is_refused(const struct policy_spec *grant, const char *name)
{
	struct policy_form form;
	start();
	IS_INT(policy_form_v1(grant, &signer, &arena, &form), ERR_INVALID_ARGUMENT, name);
}

static void refusals(void)
{
	struct policy_spec grant = grant_for("bad \xff utf-8");
	is_refused(&grant, "not UTF-8");
	grant = grant_for("");
	grant.key_prefix = S("a\0b");
	is_refused(&grant, "a NUL");
	grant = grant_for("a\\${filename}");
	is_refused(&grant, "a dollar that would be read as escaped");
	grant = grant_for("a");
	grant.key = S("b");
	is_refused(&grant, "key and prefix");
	grant = grant_for("a");
	grant.min_bytes = 1001;
	is_refused(&grant, "a range upside down");
	grant = grant_for("a");
	grant.max_bytes = (uint64_t)INT64_MAX + 1;
	is_refused(&grant, "a range that no reader takes");

	SCOPED_STRBUF(text, LIMIT_POLICY_BYTES);
	while (text.len < LIMIT_POLICY_BYTES)
		strbuf_addc(&text, 'a');
	grant = grant_for("");
	grant.key_prefix = strbuf_slice(&text);
	is_refused(&grant, "longer than a policy may be");

	struct policy_signer odd = signer;
	struct policy_form form;
	grant = grant_for("a");
	odd.region = S("cn/hangzhou");
	IS_INT(policy_form_v4(&grant, &odd, &arena, &form), ERR_INVALID_ARGUMENT,
		"a region with a slash");
}

int main(void)
{
	least();
	everything();
	injections();
	refusals();
	arena_reset(&arena);
	return tap_done();
}
