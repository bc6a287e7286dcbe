/* SPDX-License-Identifier: Apache-2.0 */
/* The application server's answers to GET and OPTIONS, and the options it refuses. */
#include "app/app.h"

#include <jansson.h>
#include <stdio.h>

#include "app/ledger/ledger.h"
#include "base/encode.h"
#include "loopback.h"
#include "net/server.h"
#include "oss/callback/ticket.h"
#include "tap.h"

#define NOW_S 1700000000

/* Moved by the test while the server reads it. */
static _Atomic int64_t now_ms = (int64_t)NOW_S * 1000;

static int64_t test_wall_ms(const struct clock *clock)
{
	(void)clock;
	return now_ms;
}

static const struct clock test_clock = {test_wall_ms};
static struct outgoing *outgoing;
static struct server *server;

struct site {
	struct app *app;
	uint16_t port;
};

static struct site usual, narrow, silent, ours, shared;
static struct strbuf answer;

static struct app_options good_options(void)
{
	struct app_options o = app_options_default();
	o.hosts = "a";
	o.access_key_id = "AKI";
	o.access_key_secret = "secret";
	o.host = "http://127.0.0.1:9000/uploads/";
	o.callback_url = "http://127.0.0.1:8888/done";
	o.upload_dir = "dir";
	o.grants_max = 0; /* there is no ledger here */
	return o;
}

/* Returns the status; `answer` has head and body. */
static int ask(const struct site *site, const char *line, const char *headers)
{
	SCOPED_STRBUF(request, 4000);
	int status = 0;
	strbuf_addf(
		&request, "%s HTTP/1.1\r\nHost: a\r\nConnection: close\r\n%s\r\n", line, headers);
	strbuf_clear(&answer);
	loopback_ask(site->port, strbuf_slice(&request), &answer);
	sscanf(answer.ptr, "HTTP/1.1 %d", &status);
	return status;
}

static bool has_line(const char *line)
{
	SCOPED_STRBUF(whole, 4000);
	strbuf_addf(&whole, "\r\n%s\r\n", line);
	struct slice head = slice_head(
		strbuf_slice(&answer), slice_find_slice(strbuf_slice(&answer), S("\r\n\r\n")) + 2);
	return slice_find_slice(head, strbuf_slice(&whole)) < head.len;
}

static bool has_name(const char *name)
{
	return strstr(answer.ptr, name) != NULL;
}

static json_t *body_json(void)
{
	struct slice all = strbuf_slice(&answer);
	struct slice body = slice_from(all, slice_find_slice(all, S("\r\n\r\n")) + 4);
	return json_loadb(body.ptr, body.len, 0, NULL);
}

/* A member that is base64 of JSON. */
static json_t *decoded(const json_t *object, const char *name)
{
	SCOPED_STRBUF(text, 1 << 16);
	const char *base64 = json_string_value(json_object_get(object, name));
	if (!base64 || !base64_decode(&text, slice_str(base64)))
		return NULL;
	return json_loadb(text.ptr, text.len, 0, NULL);
}

static const char *text_of(const json_t *object, const char *name)
{
	const char *text = json_string_value(json_object_get(object, name));
	return text ? text : "(none)";
}

static bool has_condition(const json_t *policy, const char *condition)
{
	char *text = json_dumps(json_object_get(policy, "conditions"), JSON_COMPACT);
	bool has = text && strstr(text, condition);
	free(text);
	return has;
}

/* The grant of a callback must be one that a receiver with the same secret accepts. */
static void check_callback(const json_t *callback)
{
	struct ticket_key key;
	struct ticket grant;
	IS(slice_str(text_of(callback, "callbackUrl")), S("http://127.0.0.1:8888/done"), "its URL");
	struct slice body = slice_str(text_of(callback, "callbackBody"));
	OK(slice_starts(body, S("filename=${object}&size=${size}&mimeType=${mimeType}"
				"&height=${imageInfo.height}&width=${imageInfo.width}&")),
		"the classic names come first");
	size_t at = slice_find_slice(body, S("&grant="));
	ticket_key_derive(S("secret"), &key);
	IS_INT(ticket_check(&key, slice_from(body, at + 7), S("dir/x"), NOW_S, &grant),
		TICKET_VALID, "its grant is valid");
	IS_INT(grant.expires, NOW_S + 300, "as long as the policy");
}

static void classic_token(void)
{
	IS_INT(ask(&usual, "GET /", ""), 200, "GET /");
	OK(has_line("Cache-Control: no-store"), "is not kept");
	OK(has_line("Access-Control-Allow-Origin: *"), "may be read by any page");
	json_t *token = body_json();
	IS_INT(json_object_size(token), 7, "seven members");
	IS(slice_str(text_of(token, "accessid")), S("AKI"), "accessid");
	IS(slice_str(text_of(token, "host")), S("http://127.0.0.1:9000/uploads"), "host");
	IS(slice_str(text_of(token, "dir")), S("dir/"), "dir");
	IS_INT(json_integer_value(json_object_get(token, "expire")), NOW_S + 300, "expire");
	json_t *policy = decoded(token, "policy"), *callback = decoded(token, "callback");
	check_callback(callback);
	OK(has_condition(policy, "{\"bucket\":\"uploads\"}"), "bound to the bucket");
	OK(has_condition(policy, "[\"starts-with\",\"$key\",\"dir/\"]"), "and the folder");
	OK(has_condition(policy, "[\"content-length-range\",0,1048576000]"), "and a size");
	OK(has_condition(policy, "{\"success_action_status\":\"200\"}"), "and the status");
	OK(has_condition(policy, text_of(token, "callback")), "and the callback");
	OK(!has_condition(policy, "x-oss-"), "and nothing that a classic page does not send");
	json_decref(policy);
	json_decref(callback);
	json_decref(token);
}

static void modern_grant(void)
{
	IS_INT(ask(&usual, "GET /grant", ""), 200, "GET /grant");
	json_t *grant = body_json(), *fields = json_object_get(grant, "fields");
	IS(slice_str(text_of(grant, "url")), S("http://127.0.0.1:9000/uploads"), "url");
	IS(slice_str(text_of(grant, "method")), S("POST"), "method");
	IS(slice_str(text_of(fields, "x-oss-signature-version")), S("OSS4-HMAC-SHA256"), "V4");
	OK(!json_object_get(fields, "key"), "the key is the client's to choose");
	json_t *callback = decoded(fields, "callback");
	struct slice body = slice_str(text_of(callback, "callbackBody"));
	struct slice id = slice_head(
		slice_from(body, slice_find_slice(body, S("&grant=")) + 7), TICKET_ID_LENGTH);
	check_callback(callback);
	IS(slice_str(text_of(fields, "x-oss-meta-grant")), id, "the object is to have its id");
	IS(slice_str(text_of(fields, "x-oss-object-acl")), S("default"), "and no ACL of its own");
	json_t *bound = decoded(fields, "policy");
	OK(has_condition(bound, "{\"x-oss-object-acl\":\"default\"}"), "which the policy pins");
	char condition[100];
	snprintf(condition, sizeof(condition), "{\"x-oss-meta-grant\":\"%.*s\"}", SLICE_FMT(id));
	OK(has_condition(bound, condition), "as it does the id");
	OK(!has_condition(bound, "not-in"), "so that nothing is left to exclude");
	IS_INT(json_integer_value(json_object_get(grant, "max_uploads")), 1000, "how many uploads");
	json_decref(bound);
	json_decref(callback);
	json_decref(grant);

	IS_INT(ask(&narrow, "GET /grant", ""), 200, "another server");
	grant = body_json();
	fields = json_object_get(grant, "fields");
	IS(slice_str(text_of(fields, "OSSAccessKeyId")), S("AKI"), "V1 where that is wanted");
	json_t *policy = decoded(fields, "policy");
	OK(has_condition(policy, "[\"in\",\"$content-type\",[\"image/png\",\"image/jpeg\"]]"),
		"types");
	OK(has_condition(policy, "[\"content-length-range\",0,1000]"), "its size");
	OK(!has_condition(policy, text_of(fields, "callback")), "the callback is free");
	IS_INT(json_integer_value(json_object_get(grant, "max_size")), 1000, "told to the page");
	json_decref(policy);
	json_decref(grant);

	IS_INT(ask(&ours, "GET /", ""), 200, "a server whose store is ours");
	grant = body_json();
	policy = decoded(grant, "policy");
	OK(has_condition(policy, "[\"not-in\",\"$x-oss-object-acl\",[\"public-read\","
				 "\"public-read-write\"]]"),
		"makes nothing public by a classic token");
	json_decref(policy);
	json_decref(grant);

	IS_INT(ask(&silent, "GET /", ""), 200, "a server without callback");
	grant = body_json();
	OK(json_object_size(grant) == 6 && !json_object_get(grant, "callback"),
		"leaves the member out");
	json_decref(grant);
}

/* Each answer has a grant of its own: nobody else's callback can be taken for a repetition. */
static void grants_differ(void)
{
	static const char *const requests[] = {"GET /", "GET /grant"};
	for (size_t i = 0; i < ARRAY_LEN(requests); i++) {
		(void)ask(&usual, requests[i], "");
		json_t *first = body_json();
		(void)ask(&usual, requests[i], "");
		json_t *second = body_json();
		OK(first && second && !json_equal(first, second),
			"%s: another grant in the same second", requests[i]);
		json_decref(first);
		json_decref(second);
		now_ms += 1000;
		(void)ask(&usual, requests[i], "");
		json_t *next = body_json();
		now_ms = (int64_t)NOW_S * 1000;
		IS_INT(json_integer_value(json_object_get(next, i ? "expires" : "expire")),
			NOW_S + 301, "its life begins when it is asked for");
		json_decref(next);
	}
}

static void origins(void)
{
	IS_INT(ask(&narrow, "GET /", "Origin: https://www.example.com\r\n"), 200, "an origin");
	OK(has_line("Access-Control-Allow-Origin: https://www.example.com"), "on the list");
	OK(has_line("Vary: Origin"), "and caches are told");
	IS_INT(ask(&narrow, "GET /", "Origin: https://evil.example\r\n"), 200, "another");
	OK(!has_name("Access-Control-Allow-Origin"), "is not");
	OK(has_line("Vary: Origin"), "and caches are told");
	IS_INT(ask(&narrow, "OPTIONS /grant",
		       "Origin: https://www.example.com\r\n"
		       "Access-Control-Request-Method: GET\r\n"
		       "Access-Control-Request-Headers: x-token\r\n"),
		204, "a preflight");
	OK(has_line("Access-Control-Allow-Headers: x-token"), "may send what it asks for");
	OK(has_line("Access-Control-Allow-Methods: GET, POST, DELETE"), "by these methods");
	static const struct {
		const char *origin;
		bool allowed;
	} rows[] = {{"https://a.wild.example", true}, {"https://wild.example", false},
		{"https://a.wild.example.evil.test", false}, {"capacitor://localhost", true},
		{"ionic://localhost", false}, {"http://port.example", true},
		{"http://port.example:80", true}, {"http://port.example:81", false},
		{"https://www.example.com:443", true}, {"null", true}};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		char header[200];
		snprintf(header, sizeof(header), "Origin: %s\r\n", rows[i].origin);
		IS_INT(ask(&narrow, "GET /grant", header), 200, rows[i].origin);
		OK(has_name("Access-Control-Allow-Origin") == rows[i].allowed, "%s is %s",
			rows[i].origin, rows[i].allowed ? "admitted" : "not");
	}
	IS_INT(ask(&usual, "GET /nothing", "Origin: null\r\n"), 404, "an error");
	OK(has_line("Access-Control-Allow-Origin: *"), "can be read too");
}

static void pages(void)
{
	IS_INT(ask(&usual, "GET /upload/", ""), 200, "the page");
	OK(has_line("Content-Type: text/html; charset=utf-8"), "is HTML");
	OK(has_line("X-Content-Type-Options: nosniff"), "and nothing else");
	OK(strstr(answer.ptr, "connect-src 'self' http://127.0.0.1:9000;"),
		"it may talk to the store");
	OK(!strstr(answer.ptr, "unsafe"), "and run only what is ours");
	IS_INT(ask(&usual, "GET /upload", ""), 308, "without the slash");
	OK(has_line("Location: /upload/"), "there is a way");
	IS_INT(ask(&usual, "GET /client/postern-upload.js", ""), 200, "the library");
	OK(has_line("Content-Type: text/javascript; charset=utf-8"), "is a script");
	const char *tag = strstr(answer.ptr, "ETag: ");
	char headers[200];
	snprintf(headers, sizeof(headers), "If-None-Match: %.18s\r\n", tag ? tag + 6 : "");
	IS_INT(ask(&usual, "GET /client/postern-upload.js", headers), 304,
		"that need not come twice");
	static const char *const missing[] = {"GET /upload/nothing.js",
		"GET /upload/../page/page.js", "GET /client/", "GET /upload/page/page.js",
		"GET /upload/%2e%2e/client/form.js"};
	for (size_t i = 0; i < ARRAY_LEN(missing); i++)
		IS_INT(ask(&usual, missing[i], ""), 404, missing[i]);
}

static void methods(void)
{
	static const struct {
		const char *line;
		int status;
		const char *allow;
	} rows[] = {
		{"HEAD /", 200, NULL},
		{"HEAD /grant", 200, NULL},
		{"DELETE /", 405, "Allow: GET, HEAD, POST, OPTIONS"},
		{"PUT /grant", 405, "Allow: GET, HEAD, OPTIONS"},
		{"POST /grant", 405, "Allow: GET, HEAD, OPTIONS"},
		{"POST /upload/", 405, "Allow: GET, HEAD, OPTIONS"},
		{"GET /done", 405, "Allow: POST, OPTIONS"},
		{"GET /other", 404, NULL},
		{"POST /other", 404, NULL},
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		IS_INT(ask(&usual, rows[i].line, ""), rows[i].status, rows[i].line);
		if (rows[i].allow)
			OK(has_line(rows[i].allow), "says what is allowed");
	}
}

/* A page where callbacks come to is a page all the same. */
static void pages_with_callbacks(void)
{
	static const struct {
		const char *line;
		int status;
		const char *what;
	} rows[] = {
		{"GET /upload/", 200, "Content-Type: text/html; charset=utf-8"},
		{"POST /upload/", 400, "x-oss-pub-key-url"},
		{"GET /client/callback", 405, "Allow: POST, OPTIONS"},
		{"POST /client/callback", 400, "x-oss-pub-key-url"},
		{"PUT /upload/", 405, "Allow: GET, HEAD, POST, OPTIONS"},
		{"POST /upload/page.js", 405, "Allow: GET, HEAD, OPTIONS"},
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		IS_INT(ask(&shared, rows[i].line, "Content-Length: 0\r\n"), rows[i].status,
			rows[i].line);
		OK(strstr(answer.ptr, rows[i].what), "%s", rows[i].what);
	}
}

/* Each change makes good options bad; the sentence names the option. */
static void refused(void)
{
	struct {
		struct app_options options;
		const char *name;
	} rows[80];
	size_t count = 0;
#define ROW(member, value)                            \
	do {                                          \
		rows[count].options = good_options(); \
		rows[count].options.member = (value); \
		rows[count++].name = #member;         \
	} while (0)
	ROW(access_key_id, "");
	ROW(access_key_id, NULL);
	ROW(access_key_id, "a\nb");
	ROW(access_key_secret, NULL);
	ROW(host, NULL);
	ROW(host, "127.0.0.1:9000/uploads");
	ROW(host, "http://127.0.0.1:9000");
	ROW(host, "http://localhost");
	ROW(host, "http://127.0.0.1:9000/a/b");
	ROW(host, "http://user@shop.example/uploads");
	ROW(host, "http://127.0.0.1:9000/Upper_Case");
	ROW(host, "ftp://uploads.example.com");
	ROW(callback_url, "not a url");
	ROW(callback_url, "http://a/1;http://a/2;http://a/3;http://a/4;http://a/5;http://a/6");
	ROW(upload_dir, "/abs/");
	ROW(upload_dir, "a${filename}/");
	ROW(upload_dir, "a$/");
	ROW(upload_dir, "users/${sub}/");
	ROW(upload_dir, "\xff");
	ROW(region, "");
	ROW(signature_version, 2);
	ROW(expire_seconds, 9);
	ROW(expire_seconds, LIMIT_GRANT_SECONDS + 1);
	ROW(max_size, 0);
	ROW(max_size, (int64_t)LIMIT_FILE_BYTES + 1);
	ROW(allowed_types, "image/*");
	ROW(allowed_types, "png");
	ROW(allowed_origins, "www.example.com");
	ROW(allowed_origins, "https://www.example.com/");
	ROW(allowed_origins, "https://*.example.*");
	ROW(allowed_origins, "*.example.com");
	ROW(allowed_origins, "https://*");
	ROW(allowed_origins, "http://a:080");
	ROW(hosts, "http://a/");
	ROW(store_url, "inside.example");
	ROW(store_url, "http://127.0.0.1:9000");
	ROW(store_url, "http://127.0.0.1:9000/other");
	ROW(store_url, "http://127.0.0.1:9000/a/b");
	ROW(grant_uploads, 0);
	ROW(grant_uploads, LIMIT_GRANT_UPLOADS + 1);
	ROW(bind_callback, false);
	rows[count - 1].options.own_store_url = "http://127.0.0.1:9000";
	ROW(callback_answer, "{");
	ROW(webhook_url, "shop.example/hook");
	ROW(webhook_url, "http://u:p@shop.example/hook");
	ROW(webhook_url, "http://shop.example/a hook");
	ROW(events_url, "http://u:p@shop.example/events");
	ROW(events_url, "http://shop.example/ events");
	ROW(events_url, "http://shop.example:99999/");
	ROW(jwt_keys_url, "https://u:p@shop.example/keys");
	ROW(jwt_keys_url, "https://shop.example/the keys");
	ROW(auth_url, "http://u@shop.example/auth");
	rows[count - 1].options.auth = APP_AUTH_FORWARD;
	ROW(auth_url, "http://shop.example/who is it");
	rows[count - 1].options.auth = APP_AUTH_FORWARD;
	ROW(multipart_path, "/");
	ROW(multipart_path, "/grant");
	ROW(multipart_path, "/grants");
	ROW(multipart_path, "/grants/parts");
	ROW(multipart_path, "/duplicates");
	ROW(multipart_path, "/get_post_signature_for_oss_upload");
	ROW(multipart_path, "/upload");
	ROW(multipart_path, "/upload/parts");
	ROW(callback_url, "http://a/grant");
	ROW(callback_url, "http://a/grants/x");
	ROW(callback_url, "http://a/s3/multipart");
	ROW(multipart_path, "/client");
	ROW(trusted_proxies, "localhost");
	ROW(trusted_proxies, "127.0.0.1 proxy.example");
	ROW(trusted_proxies, "127.0.0.1:80");
	ROW(trusted_proxies, "10.0.0.0/33");
	ROW(sts_url, "https://u:p@sts.example/");
	rows[count - 1].options.credentials = APP_CREDENTIALS_STS;
	ROW(ecs_metadata_url, "http://u:p@100.100.100.200");
	rows[count - 1].options.credentials = APP_CREDENTIALS_ECS;
	rows[count - 1].options.access_key_id = NULL;
	rows[count - 1].options.access_key_secret = NULL;
#undef ROW
	const struct app_parts parts = {.outgoing = outgoing, .clock = &test_clock};
	for (size_t i = 0; i < count; i++) {
		struct app *app = NULL;
		char why[300];
		enum err e = app_new(&rows[i].options, &parts, &app, why, sizeof(why));
		OK(e == ERR_INVALID_ARGUMENT && !app &&
				slice_starts(slice_str(why), slice_str(rows[i].name)),
			"row %zu: %s", i, why);
	}
}

static void buckets(void)
{
	static const struct {
		const char *host, *bucket;
		bool ok;
	} rows[] = {
		{"https://uploads.oss-cn-hangzhou.aliyuncs.com", NULL, true},
		{"http://uploads.localhost:9000", NULL, true},
		{"https://img.example.com", "uploads", true},
		{"http://127.0.0.1:9000", "uploads", true},
		{"http://[::1]:9000/uploads", NULL, true},
		{"http://[::1]:9000", NULL, false},
	};
	const struct app_parts parts = {.outgoing = outgoing, .clock = &test_clock};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct app *app = NULL;
		char why[300];
		struct app_options o = good_options();
		o.host = rows[i].host;
		o.bucket = rows[i].bucket;
		OK((app_new(&o, &parts, &app, why, sizeof(why)) == ERR_OK) == rows[i].ok, "%s",
			rows[i].host);
		app_free(app);
	}
}

static void open_site(struct site *site, const struct app_options *options)
{
	char why[200];
	const struct app_parts parts = {.outgoing = outgoing, .clock = &test_clock};
	if (app_new(options, &parts, &site->app, why, sizeof(why)) != ERR_OK ||
		!server_listen(server, "127.0.0.1:0", app_service(site->app), NULL, &site->port))
		abort();
}

int main(void)
{
	strbuf_init(&answer, 1 << 20);
	if (outgoing_new(&(struct outgoing_options){.ca_file = NULL}, &outgoing) != ERR_OK ||
		!(server = server_new(1, 0)))
		return 1;
	struct app_options o = good_options();
	open_site(&usual, &o);
	o.own_store_url = "http://127.0.0.1:9000";
	open_site(&ours, &o);
	o = good_options();
	o.callback_url = NULL;
	open_site(&silent, &o);
	o.callback_url = "http://127.0.0.1:8888/upload/;http://127.0.0.1:8888/client/callback";
	open_site(&shared, &o);
	o = good_options();
	o.signature_version = 1;
	o.max_size = 1000;
	o.allowed_types = "image/png, image/jpeg";
	o.allowed_origins = "https://www.example.com, https://*.wild.example "
			    "capacitor://localhost http://port.example:80 null";
	o.bind_callback = false;
	open_site(&narrow, &o);
	if (!server_start(server))
		return 1;
	classic_token();
	modern_grant();
	grants_differ();
	origins();
	pages();
	methods();
	pages_with_callbacks();
	refused();
	buckets();
	server_stop(server, NULL);
	server_drain(server, NULL, 10000);
	outgoing_stop(outgoing, 0);
	server_free(server);
	app_free(usual.app);
	app_free(silent.app);
	app_free(shared.app);
	app_free(ours.app);
	app_free(narrow.app);
	outgoing_free(outgoing);
	strbuf_release(&answer);
	return tap_done();
}
