/* SPDX-License-Identifier: Apache-2.0 */
/* What is read of requests and documents, when memory runs out. */
#include "base/encode.h"
#include "http/head.h"
#include "http/query.h"
#include "oss/callback/callback_params.h"
#include "oss/policy/policy.h"
#include "oss/policy/ram_policy.h"
#include "oss/rules/cors.h"
#include "oss/rules/lifecycle.h"
#include "oss/rules/referer.h"
#include "oss/rules/tagging.h"
#include "oss/sign/session.h"
#include "oss/sign/sign.h"
#include "unit/oom/oom.h"
#include "unit/oss/form.h"

#define ARENA_BYTES MIB(1)

/* A text that was built; or there was no memory for it. */
static void say_text(struct oom_answer *answer, const struct strbuf *text)
{
	if (strbuf_broken(text))
		answer->no_memory = true;
	else
		oom_say(answer, "[%.*s] ", SLICE_FMT(strbuf_slice(text)));
}

/* ---- Requests -------------------------------------------------------------------------------- */

static void query(struct oom_answer *answer)
{
	struct arena arena;
	struct query query;
	arena_init(&arena, NULL, 0, ARENA_BYTES);
	if (query_parse(S("versionId=a%20b&x+y=c+d&plain=1&&empty="), &arena, &query))
		for (size_t i = 0; i < query.count; i++)
			oom_say(answer, "%.*s=%.*s;", SLICE_FMT(query.params[i].name),
				SLICE_FMT(query.params[i].value));
	else
		answer->no_memory = true;
	arena_reset(&arena);
}

static bool is_single(struct slice name)
{
	return slice_eq_nocase(name, S("date"));
}

static void joined_head(struct oom_answer *answer)
{
	static struct request_head head;
	const struct request_head *one = NULL;
	struct slice conflict;
	struct arena arena;
	size_t size;
	arena_init(&arena, NULL, 0, ARENA_BYTES);
	if (request_head_parse(S("GET / HTTP/1.1\r\nHost: a\r\nDate: 1\r\nA: 1\r\nB: 2\r\n"
				 "A: 3\r\nb: 4\r\nDate: 1\r\n\r\n"),
		    0, &head, &size) != HEAD_DONE)
		abort();
	if (request_head_join(&head, is_single, &arena, &one, &conflict) != HEAD_JOIN_OK)
		answer->no_memory = true;
	else
		for (size_t i = 0; i < one->header_count; i++)
			oom_say(answer, "%.*s: %.*s;", SLICE_FMT(one->headers[i].name),
				SLICE_FMT(one->headers[i].value));
	arena_reset(&arena);
}

static void verify(struct oom_answer *answer, const struct http_header *headers, size_t count)
{
	struct sign_request r = {.method = S("PUT"),
		.bucket = S("bucket"),
		.key = S("a key/\xc3\xa4"),
		.headers = headers,
		.header_count = count};
	struct arena arena;
	struct sign_parsed parsed;
	struct refusal why = {0};
	SCOPED_STRBUF(text, SIGN_TEXT_BYTES);
	SCOPED_STRBUF(canonical, SIGN_TEXT_BYTES);
	arena_init(&arena, NULL, 0, ARENA_BYTES);
	if (!query_parse(S("acl&x-oss-process=a%2Fb"), &arena, &r.query))
		answer->no_memory = true;
	else if (oom_err(answer, sign_parse(&r, &arena, &parsed, &why))) {
		enum err e = sign_verify(&parsed, &r, S("secret"), NULL, &text, &canonical);
		(void)oom_err(answer, e);
		if (e != ERR_UNAVAILABLE) {
			say_text(answer, &text);
			say_text(answer, &canonical);
		}
	}
	arena_reset(&arena);
}

static void sign_v1(struct oom_answer *answer)
{
	static const struct http_header headers[] = {
		{SLICE_LIT("Authorization"), SLICE_LIT("OSS id:d3Jvbmc=")},
		{SLICE_LIT("Date"), SLICE_LIT("Thu, 01 Jan 2026 00:00:00 GMT")},
		{SLICE_LIT("x-oss-meta-b"), SLICE_LIT("2")},
		{SLICE_LIT("x-oss-meta-a"), SLICE_LIT("1")},
	};
	verify(answer, headers, ARRAY_LEN(headers));
}

static void sign_v4(struct oom_answer *answer)
{
	static const struct http_header headers[] = {
		{SLICE_LIT("Authorization"),
			SLICE_LIT("OSS4-HMAC-SHA256 "
				  "Credential=id/20260101/cn-hangzhou/oss/aliyun_v4_request,"
				  "AdditionalHeaders=host;user-agent,Signature="
				  "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcde"
				  "f")},
		{SLICE_LIT("x-oss-date"), SLICE_LIT("20260101T000000Z")},
		{SLICE_LIT("x-oss-content-sha256"), SLICE_LIT("UNSIGNED-PAYLOAD")},
		{SLICE_LIT("Host"), SLICE_LIT("bucket.example.com")},
		{SLICE_LIT("User-Agent"), SLICE_LIT("test")},
		{SLICE_LIT("x-oss-meta-a"), SLICE_LIT("1")},
	};
	verify(answer, headers, ARRAY_LEN(headers));
}

static void session(struct oom_answer *answer)
{
	static const uint8_t key[SEAL_KEY_BYTES] = {1, 2, 3};
	const struct session sealed = {.id = S("STS.id"),
		.secret = S("secret"),
		.parent = S("parent"),
		.expires_ms = 5,
		.restricted = true,
		.policy = S("a policy")};
	struct session opened;
	struct arena arena;
	SCOPED_STRBUF(token, KIB(16));
	arena_init(&arena, NULL, 0, ARENA_BYTES);
	if (!session_seal(&sealed, key, &token))
		answer->no_memory = true;
	else if (oom_err(answer, session_open(strbuf_slice(&token), key, &arena, &opened)))
		oom_say(answer, "%.*s %.*s %.*s", SLICE_FMT(opened.id), SLICE_FMT(opened.secret),
			SLICE_FMT(opened.policy));
	arena_reset(&arena);
}

/* ---- Policies -------------------------------------------------------------------------------- */

static void policy_of(struct oom_answer *answer, struct slice json, struct form *form)
{
	const struct policy *p = NULL;
	struct form_fields fields = form_fields_of(form);
	struct refusal why = {0};
	struct arena arena;
	SCOPED_STRBUF(base64, KIB(16));
	arena_init(&arena, NULL, 0, ARENA_BYTES);
	base64_encode(&base64, json);
	if (strbuf_broken(&base64)) {
		answer->no_memory = true;
		return;
	}
	if (oom_err(answer, policy_parse(strbuf_slice(&base64), &arena, &p, &why))) {
		struct policy_size size = policy_size(p);
		oom_say(answer, "%d-%d ", (int)size.min, (int)size.max);
		(void)oom_err(answer, policy_check(p, &fields, &arena, &why));
		(void)oom_err(
			answer, policy_check_excluded(p, S("key"), S("user/x.exe"), &arena, &why));
	}
	arena_reset(&arena);
}

#define POLICY(conditions) \
	S("{\"expiration\":\"2030-01-01T00:00:00Z\",\"conditions\":[" conditions "]}")

static void policy_that_holds(struct oom_answer *answer)
{
	struct form form = FORM("key", "user/a.png", "bucket", "b", "content-type", "image/png");
	policy_of(answer,
		POLICY("{\"bucket\":\"b\"},[\"content-length-range\",1,1000],"
		       "[\"starts-with\",\"$key\",\"user/\"],[\"in\",\"$content-type\","
		       "[\"image/png\",\"image/jpg\"]],[\"not-in\",\"$key\",[\"user/x.exe\"]]"),
		&form);
}

static void policy_that_refuses(struct oom_answer *answer)
{
	struct form form = FORM("key", "other/a.png", "bucket", "b");
	policy_of(answer, POLICY("[\"eq\",\"$bucket\",\"b\"],[\"starts-with\",\"$key\",\"user/\"]"),
		&form);
}

static void policy_that_is_none(struct oom_answer *answer)
{
	struct form form = FORM("key", "a");
	policy_of(answer, POLICY("[\"like\",\"$key\",\"user/\"]"), &form);
}

static void ram_policy(struct oom_answer *answer)
{
	SCOPED_STRBUF(compact, KIB(16));
	SCOPED_STRBUF(reason, 512);
	if (!oom_err(answer,
		    ram_policy_parse(S("{\"Version\":\"1\",\"Statement\":[{\"Effect\":\"Allow\","
				       "\"Action\":[\"oss:PutObject\",\"oss:Get*\"],\"Resource\":"
				       "[\"acs:oss:*:*:b/dir/*\"]},{\"Effect\":\"Deny\",\"Action\":"
				       "\"oss:*\",\"Resource\":\"acs:oss:*:*:b/dir/no\"}]}"),
			    S("account"), &compact, &reason)))
		return;
	oom_say(answer, "%d %d",
		ram_policy_allows(strbuf_slice(&compact), S("oss:PutObject"), S("b/dir/a")),
		ram_policy_allows(strbuf_slice(&compact), S("oss:PutObject"), S("b/dir/no")));
}

/* ---- Documents ------------------------------------------------------------------------------- */

static void cors(struct oom_answer *answer)
{
	struct cors *rules = NULL;
	const struct cors_request post = {.origin = S("http://x.example.com"),
		.method = S("POST"),
		.headers = S("x-a, content-type")};
	SCOPED_STRBUF(reason, 512);
	SCOPED_STRBUF(out, KIB(16));
	SCOPED_STRBUF(preflight, KIB(16));
	if (!oom_err(answer,
		    cors_parse(
			    S("<CORSConfiguration><CORSRule><AllowedOrigin>http://a</AllowedOrigin>"
			      "<AllowedOrigin>http://*.example.com</AllowedOrigin>"
			      "<AllowedMethod>POST</AllowedMethod><AllowedMethod>GET</"
			      "AllowedMethod>"
			      "<AllowedHeader>*</AllowedHeader><ExposeHeader>ETag</ExposeHeader>"
			      "<MaxAgeSeconds>60</MaxAgeSeconds></CORSRule></CORSConfiguration>"),
			    &rules, &reason)))
		return;
	cors_format(rules, &out);
	say_text(answer, &out);
	if (oom_err(answer, cors_preflight(rules, &post, &preflight)))
		say_text(answer, &preflight);
	cors_free(rules);
}

static void cors_that_is_none(struct oom_answer *answer)
{
	struct cors *rules = NULL;
	SCOPED_STRBUF(reason, 512);
	if (oom_err(answer,
		    cors_parse(
			    S("<CORSConfiguration><CORSRule><AllowedOrigin>a*b*</AllowedOrigin>"
			      "<AllowedMethod>POST</AllowedMethod></CORSRule></CORSConfiguration>"),
			    &rules, &reason)))
		cors_free(rules);
}

static void lifecycle(struct oom_answer *answer)
{
	struct lifecycle *rules = NULL;
	SCOPED_STRBUF(reason, 512);
	SCOPED_STRBUF(out, KIB(16));
	if (!oom_err(answer,
		    lifecycle_parse(
			    S("<LifecycleConfiguration><Rule><ID>one</ID><Prefix>a/</Prefix>"
			      "<Status>Enabled</Status><Expiration><Days>3</Days></Expiration>"
			      "</Rule><Rule><ID>two</ID><Prefix>b/</Prefix><Tag><Key>k</Key>"
			      "<Value>v</Value></Tag><Status>Disabled</Status><Expiration><Days>9"
			      "</Days></Expiration></Rule></LifecycleConfiguration>"),
			    false, &rules, &reason)))
		return;
	lifecycle_format(rules, &out);
	say_text(answer, &out);
	lifecycle_free(rules);
}

static void referer(struct oom_answer *answer)
{
	struct referer *rules = NULL;
	SCOPED_STRBUF(reason, 512);
	SCOPED_STRBUF(out, KIB(16));
	if (!oom_err(answer,
		    referer_parse(
			    S("<RefererConfiguration><AllowEmptyReferer>false</AllowEmptyReferer>"
			      "<RefererList><Referer>http://*.a.com</Referer><Referer>http://b?.com"
			      "</Referer></RefererList></RefererConfiguration>"),
			    &rules, &reason)))
		return;
	referer_format(rules, &out);
	say_text(answer, &out);
	oom_say(answer, "%d %d", (int)referer_check(rules, S("http://x.a.com/")),
		(int)referer_check(rules, S("http://c.com/")));
	referer_free(rules);
}

static void tagging(struct oom_answer *answer)
{
	SCOPED_STRBUF(tags, KIB(16));
	SCOPED_STRBUF(more, KIB(16));
	SCOPED_STRBUF(reason, 512);
	SCOPED_STRBUF(out, KIB(16));
	if (oom_err(answer, tagging_parse_header(S("a=b&c%20d=e+f"), TAGGING_OBJECT, &tags))) {
		tagging_format_xml(strbuf_slice(&tags), &out);
		say_text(answer, &out);
	}
	if (oom_err(answer,
		    tagging_parse_xml(
			    S("<Tagging><TagSet><Tag><Key>k</Key><Value>v</Value></Tag><Tag>"
			      "<Key>&#x4e2d;</Key><Value/></Tag></TagSet></Tagging>"),
			    TAGGING_OBJECT, &more, &reason)))
		say_text(answer, &more);
}

/* ---- Callbacks ------------------------------------------------------------------------------- */

static void callback(struct oom_answer *answer)
{
	struct callback_params *params = NULL;
	SCOPED_STRBUF(base64, KIB(16));
	SCOPED_STRBUF(reason, 512);
	base64_encode(
		&base64, S("{\"callbackUrl\":\"http://a.example:8080/x?y;https://b.example/\","
			   "\"callbackHost\":\"h.example\",\"callbackBody\":\"o=${object}&s=${size}"
			   "&v=${x:v}\","
			   "\"callbackBodyType\":\"application/x-www-form-urlencoded\"}"));
	if (strbuf_broken(&base64)) {
		answer->no_memory = true;
		return;
	}
	if (!oom_err(answer, callback_params_parse(strbuf_slice(&base64), &params, &reason)))
		return;
	for (size_t i = 0; i < params->url_count; i++)
		oom_say(answer, "%.*s ", SLICE_FMT(params->urls[i].text));
	oom_say(answer, "%.*s", SLICE_FMT(params->host));
	callback_params_free(params);
}

static const struct oom_case cases[] = {
	{"a query", query},
	{"a head whose headers are joined", joined_head},
	{"a V1 signature", sign_v1},
	{"a V4 signature", sign_v4},
	{"a security token", session},
	{"a policy that holds", policy_that_holds},
	{"a policy that refuses", policy_that_refuses},
	{"a policy that is none", policy_that_is_none},
	{"a policy of STS", ram_policy},
	{"CORS rules", cors},
	{"CORS rules that are none", cors_that_is_none},
	{"lifecycle rules", lifecycle},
	{"referers", referer},
	{"tags", tagging},
	{"a callback", callback},
};

int main(void)
{
	return oom_run(cases, ARRAY_LEN(cases));
}
