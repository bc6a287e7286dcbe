/* SPDX-License-Identifier: Apache-2.0 */
/* The callback parameter and its URLs: what is taken and what is refused, and why. */
#include "oss/callback/callback_params.h"

#include "base/encode.h"
#include "tap.h"

static enum err parse(const char *json, struct callback_params **ret, struct strbuf *reason)
{
	SCOPED_STRBUF(text, 4 * LIMIT_FIELD_VALUE_BYTES);
	base64_encode(&text, slice_str(json));
	return callback_params_parse(strbuf_slice(&text), ret, reason);
}

static void whole(void)
{
	struct callback_params *p = NULL;
	SCOPED_STRBUF(reason, 1000);
	IS_INT(parse("{\"callbackUrl\":\"http://App.Example.com:8888/a?b=%E4%B8%AD;"
		     " https://1.2.3.4 ;121.101.166.30/test.php;1.2.3.4:23456/index.html;"
		     "localhost?x=http://y/z\",\"callbackHost\":\"cb.example.com:81\","
		     "\"callbackBody\":\"k=${object}\",\"callbackBodyType\":\"application/json\","
		     "\"callbackSNI\":true,\"other\":[1,{}]}",
		       &p, &reason),
		ERR_OK, "all members");
	if (!p)
		return;
	static const struct {
		const char *text, *host, *authority, *target;
		int port;
		bool tls;
	} urls[] = {
		{"http://App.Example.com:8888/a?b=%E4%B8%AD", "app.example.com",
			"App.Example.com:8888", "/a?b=%E4%B8%AD", 8888, false},
		{"https://1.2.3.4/", "1.2.3.4", "1.2.3.4", "/", 443, true},
		{"http://121.101.166.30/test.php", "121.101.166.30", "121.101.166.30", "/test.php",
			80, false},
		{"http://1.2.3.4:23456/index.html", "1.2.3.4", "1.2.3.4:23456", "/index.html",
			23456, false},
		{"http://localhost/?x=http://y/z", "localhost", "localhost", "/?x=http://y/z", 80,
			false},
	};
	IS_INT(p->url_count, ARRAY_LEN(urls), "five URLs");
	for (size_t i = 0; i < ARRAY_LEN(urls); i++) {
		const struct callback_url *u = &p->urls[i];
		IS(u->text, slice_str(urls[i].text), "the URL");
		IS_INT(u->text.ptr[u->text.len], 0, "with NUL behind it");
		IS(u->host, slice_str(urls[i].host), "its host");
		IS(u->authority, slice_str(urls[i].authority), "its authority");
		IS(u->target, slice_str(urls[i].target), "its target");
		IS_INT(u->port, urls[i].port, "its port");
		OK(u->tls == urls[i].tls, "its scheme");
	}
	IS(p->host, S("cb.example.com:81"), "callbackHost");
	IS(p->body.text, S("k=${object}"), "callbackBody");
	OK(callback_template_uses(&p->body, CALLBACK_OBJECT), "parsed");
	OK(p->sni && p->body_type == CALLBACK_JSON, "callbackSNI and callbackBodyType");
	callback_params_free(p);
	callback_params_free(NULL);
}

static void defaults(void)
{
	struct callback_params *p = NULL;
	SCOPED_STRBUF(reason, 1000);
	OK(parse("{\"callbackUrl\":\"http://a.test\",\"callbackBody\":\"a\"}", &p, &reason) ==
				ERR_OK &&
			p && p->host.len == 0 && !p->sni && p->body_type == CALLBACK_FORM,
		"defaults");
	callback_params_free(p);
	p = (struct callback_params *)1;
	OK(callback_params_parse(S(""), &p, &reason) == ERR_OK && !p, "an empty field is none");
	p = (struct callback_params *)1;
	OK(parse("{\"callbackUrl\":\"\"}", &p, &reason) == ERR_OK && !p, "an empty URL is none");
}

#define URL "\"callbackUrl\":\"http://a.test\""
#define BODY "\"callbackBody\":\"a\""

static void refusals(void)
{
	static const struct {
		const char *json;
		enum err err;
	} rows[] = {
		{"", ERR_OK},
		{"{", ERR_CALLBACK_NOT_OBJECT},
		{"[]", ERR_CALLBACK_NOT_OBJECT},
		{"\"a\"", ERR_CALLBACK_NOT_OBJECT},
		{"null", ERR_CALLBACK_NOT_OBJECT},
		{"{" URL "," BODY "}x", ERR_CALLBACK_NOT_OBJECT},
		{"\xef\xbb\xbf{" URL "," BODY "}", ERR_CALLBACK_NOT_OBJECT},
		{"{" URL ",\"callbackBody\":\"\xff\"}", ERR_CALLBACK_NOT_OBJECT},
		{"{" URL ",\"callbackBody\":\"a\\u0000b\"}", ERR_CALLBACK_NOT_OBJECT},
		{"{" URL "," URL "," BODY "}", ERR_CALLBACK_NOT_OBJECT},
		{"{" URL "," BODY ",\"x\":{\"a\":1,\"a\":1}}", ERR_CALLBACK_NOT_OBJECT},
		{"{}", ERR_CALLBACK_BAD_URL},
		{"{" BODY "}", ERR_CALLBACK_BAD_URL},
		{"{\"callbackUrl\":\";\"," BODY "}", ERR_CALLBACK_BAD_URL},
		{"{\"callbackUrl\":\"my\"," BODY "}", ERR_CALLBACK_BAD_URL},
		{"{\"callbackUrl\":1," BODY "}", ERR_CALLBACK_BAD_MEMBER},
		{"{\"callbackUrl\":null," BODY "}", ERR_CALLBACK_BAD_MEMBER},
		{"{\"callbackUrl\":\"a.b;a.b;a.b;a.b;a.b;a.b\"," BODY "}",
			ERR_CALLBACK_TOO_MANY_URLS},
		{"{\"callbackUrl\":\"a.b;http://\"," BODY "}", ERR_CALLBACK_BAD_URL},
		{"{" URL "}", ERR_CALLBACK_NO_BODY},
		{"{" URL ",\"callbackBody\":\"\"}", ERR_CALLBACK_NO_BODY},
		{"{" URL ",\"callbackBody\":{}}", ERR_CALLBACK_BAD_MEMBER},
		{"{" URL ",\"callbackBody\":\"a=$(object)\"}", ERR_CALLBACK_BAD_TEMPLATE},
		{"{" URL ",\"callbackBody\":\"a=${object\"}", ERR_CALLBACK_BAD_TEMPLATE},
		{"{" URL "," BODY ",\"callbackBodyType\":\"text/plain\"}", ERR_CALLBACK_BAD_MEMBER},
		{"{" URL "," BODY ",\"callbackBodyType\":\"application/json; charset=gbk\"}",
			ERR_CALLBACK_BAD_MEMBER},
		{"{" URL "," BODY ",\"callbackBodyType\":true}", ERR_CALLBACK_BAD_MEMBER},
		{"{" URL "," BODY ",\"callbackSNI\":\"true\"}", ERR_CALLBACK_BAD_MEMBER},
		{"{" URL "," BODY ",\"callbackSNI\":1}", ERR_CALLBACK_BAD_MEMBER},
		{"{" URL "," BODY ",\"callbackHost\":1}", ERR_CALLBACK_BAD_MEMBER},
		{"{" URL "," BODY ",\"callbackHost\":\"a b\"}", ERR_CALLBACK_BAD_MEMBER},
		{"{" URL "," BODY ",\"callbackHost\":\"a\\r\\nb: c\"}", ERR_CALLBACK_BAD_MEMBER},
		{"{" URL "," BODY ",\"callbackHost\":\"a:0\"}", ERR_CALLBACK_BAD_MEMBER},
	};
	for (size_t i = 1; i < ARRAY_LEN(rows); i++) {
		struct callback_params *p = NULL;
		SCOPED_STRBUF(reason, 1000);
		enum err e = parse(rows[i].json, &p, &reason);
		OK(e == rows[i].err && !p && err_info(e)->status == 400, "refuses %s: %s %s",
			rows[i].json, err_info(e)->message, reason.ptr);
		callback_params_free(p);
	}
	static const char *const json_types[] = {"application/json", "Application/JSON ;",
		"application/json; ", "application/json;charset=\\\"UTF-8\\\""};
	for (size_t i = 0; i < ARRAY_LEN(json_types); i++) {
		struct callback_params *p = NULL;
		SCOPED_STRBUF(reason, 1000);
		SCOPED_STRBUF(json, 1000);
		strbuf_addf(&json, "{" URL "," BODY ",\"callbackBodyType\":\"%s\"}", json_types[i]);
		OK(parse(json.ptr, &p, &reason) == ERR_OK && p->body_type == CALLBACK_JSON,
			"takes %s", json_types[i]);
		callback_params_free(p);
	}
	static const char *const not_base64[] = {"false", "{}", "e30", "e30=\n", "e-0=", "===="};
	for (size_t i = 0; i < ARRAY_LEN(not_base64); i++) {
		struct callback_params *p = NULL;
		SCOPED_STRBUF(reason, 1000);
		OK(callback_params_parse(slice_str(not_base64[i]), &p, &reason) ==
				ERR_CALLBACK_NOT_BASE64,
			"not base64: %s", not_base64[i]);
	}
}

static void urls(void)
{
	static const char *const good[] = {"http://app:8080/", "HTTPS://a.test", "a.b", "app:8080",
		"localhost", "a.b:1", "a.b:65535", "http://a_b-c.d/x", "http://a.test/%41?%zz",
		"a.b/http://c", "http://a.b?x", "http://a.b.", "http://[::1]/",
		"http://[::1]:8888/x?y=[", "[::1]:80", "https://[2001:DB8::1]"};
	static const char *const bad[] = {"", "my", "my/path", "http://", "http:///a", "ftp://a.b",
		"://a.b", "http://a.b:0", "http://a.b:65536", "http://a.b:", "http://a.b:x",
		"http://a.b:80:80", "http://a.b:+80", "http://u@a.b", "http://u:p@a.b/", "u@a.b",
		"[::1]", "http://[::1", "http://[]/", "http://[::1]x/", "http://[::1]:/",
		"http://[::1]:0/", "http://[::g]/", "http://[127.0.0.1]/", "http://[::1%25eth0]/",
		"http://::1/", "http://a[::1]/", "http://a b/", "http://a.b/c d",
		"http://a.b/\xe4\xb8\xad", "http://\xe4\xb8\xad.b/", "http://a.b/\n",
		"http://a.b\\@c.d/", "http://a.b/c\\d", "http://a.b/#x", "http://a.b/%4",
		"http://a.b/%zz", "http://.a.b", "http://a..b", "http://a%41.b", "http://a.b\x7f",
		"javascript:alert(1)", "file:///etc/passwd"};
	for (size_t i = 0; i < ARRAY_LEN(good) + ARRAY_LEN(bad); i++) {
		bool valid = i < ARRAY_LEN(good);
		const char *text = valid ? good[i] : bad[i - ARRAY_LEN(good)];
		struct callback_url url;
		struct arena arena;
		SCOPED_STRBUF(reason, 1000);
		arena_init(&arena, NULL, 0, 100000);
		enum err e = callback_url_parse(slice_str(text), &arena, &url, &reason);
		OK(e == (valid ? ERR_OK : ERR_CALLBACK_BAD_URL) && valid == (reason.len == 0),
			"%s URL %s", valid ? "takes" : "refuses", text);
		arena_reset(&arena);
	}
	struct callback_url url;
	struct arena arena;
	SCOPED_STRBUF(reason, 1000);
	arena_init(&arena, NULL, 0, 100000);
	OK(callback_url_parse(S("http://a.b/c?"), &arena, &url, &reason) == ERR_OK, "a lone ?");
	IS(url.target, S("/c"), "is not part of the target");
	OK(callback_url_parse(S("http://a.b?"), &arena, &url, &reason) == ERR_OK,
		"also after the host");
	IS(url.text, S("http://a.b/"), "is not part of the URL");
	OK(callback_url_parse(S("http://u@a.b/"), &arena, &url, &reason) == ERR_CALLBACK_BAD_URL &&
			strstr(reason.ptr, "user name"),
		"a user name is called what it is");
	SCOPED_STRBUF(host, 1000);
	strbuf_adds(&host, "http://");
	for (int i = 0; i < 253; i++)
		strbuf_addc(&host, 'a');
	OK(callback_url_parse(strbuf_slice(&host), &arena, &url, &reason) == ERR_OK, "a long host");
	strbuf_addc(&host, 'a');
	OK(callback_url_parse(strbuf_slice(&host), &arena, &url, &reason) == ERR_CALLBACK_BAD_URL,
		"but not longer than a name can be");
	arena_reset(&arena);
}

/* As long as a form field may be. */
static void long_field(void)
{
	SCOPED_STRBUF(json, LIMIT_FIELD_VALUE_BYTES);
	SCOPED_STRBUF(reason, 1000);
	struct callback_params *p = NULL;
	strbuf_adds(&json, "{" URL ",\"callbackBody\":\"");
	while (json.len < LIMIT_FIELD_VALUE_BYTES / 4 * 3 - 10)
		strbuf_addc(&json, 'b');
	strbuf_adds(&json, "\"}");
	IS_INT(parse(json.ptr, &p, &reason), ERR_OK, "a callback of 2 MiB");
	callback_params_free(p);
}

int main(void)
{
	whole();
	defaults();
	refusals();
	urls();
	long_field();
	return tap_done();
}
