/* SPDX-License-Identifier: Apache-2.0 */
/* Sending callbacks: what is sent, whether it verifies, and what is made of each answer. */
#include "callback/sender.h"

#include <stdio.h>
#include <sys/stat.h>

#include "base/encode.h"
#include "base/limits.h"
#include "callback/key.h"
#include "crypto/rsa.h"
#include "documents/documents.h"
#include "loopback.h"
#include "oss/callback/callback_params.h"
#include "oss/callback/callback_signature.h"
#include "tap.h"
#include "waiting.h"

#define TIMEOUT_MS 250
#define KEY_URL "http://127.0.0.1:9000/-/callback_pub_key_v1.pem"
#define LENGTH(n) "HTTP/1.1 200 OK\r\nContent-Length: " #n "\r\n\r\n"

static const struct loopback_answer answers[] = {
	{"/ok", "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 15\r\n\r\n"
		"{\"Status\":\"OK\"}"},
	{"/number", LENGTH(3) "1e2"},
	{"/big", LENGTH(25) "1234567890123456789012345"},
	{"/text", LENGTH(2) "OK"},
	{"/empty", LENGTH(0)},
	{"/two", LENGTH(4) "{}{}"},
	{"/bom", LENGTH(5) "\xef\xbb\xbf{}"},
	{"/xml-typed", "HTTP/1.1 200 OK\r\nContent-Type: application/xml; charset=utf-8\r\n"
		       "Content-Length: 4\r\n\r\n<a/>"},
	{"/xml", LENGTH(4) "<a/>"},
	{"/301", "HTTP/1.1 301 Moved\r\nLocation: /ok\r\nContent-Length: 0\r\n\r\n"},
	{"/201", "HTTP/1.1 201 Created\r\nContent-Length: 2\r\n\r\n{}"},
	{"/500", "HTTP/1.1 500 Oops\r\nContent-Length: 0\r\n\r\n"},
	{"/404-bad-length", "HTTP/1.1 404 Not Found\r\nContent-Length: x\r\n\r\n"},
	{"/no-length", "HTTP/1.1 200 OK\r\n\r\n{}"},
	{"/chunked", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n"},
	{"/bad-length", "HTTP/1.1 200 OK\r\nContent-Length: 2 2\r\n\r\n{}"},
	{"/long", "HTTP/1.1 200 OK\r\nContent-Length: 1048577\r\n\r\n{}"},
	{"/silent", NULL},
	{NULL, NULL},
};

static struct loopback server;
static struct outgoing *outgoing;
static struct callback_key *key;
static struct callback_sender *sender;
static struct allow_list *allow;
static struct waiting here;
static char folder[] = P_tmpdir "/postern-sender-XXXXXX";

struct call {
	struct callback_job job;
	struct callback_params *params;
	bool done;
};

static void on_done(struct task *task)
{
	struct callback_job *job = CONTAINER_OF(task, struct callback_job, done);
	CONTAINER_OF(job, struct call, job)->done = true;
}

/* `more` are further members of the callback parameter. */
static void run(struct call *call, const char *urls, const char *more)
{
	SCOPED_STRBUF(json, 4000);
	SCOPED_STRBUF(base64, 8000);
	SCOPED_STRBUF(reason, 1000);
	strbuf_addf(&json, "{\"callbackUrl\":\"%s\",\"callbackBody\":\"x\"%s}", urls, more);
	base64_encode(&base64, strbuf_slice(&json));
	*call = (struct call){.done = false};
	if (callback_params_parse(strbuf_slice(&base64), &call->params, &reason) != ERR_OK) {
		printf("# %s\n", json.ptr);
		abort();
	}
	call->job = (struct callback_job){.params = call->params,
		.body = S("filename=a%20b&size=1"),
		.request_id = S("5F0000000000000000000001"),
		.bucket = S("uploads"),
		.owner = S("owner"),
		.home = &here.executor,
		.done.run = on_done};
	callback_send(sender, &call->job);
	waiting_until(&here, &call->done);
}

static void release(struct call *call)
{
	callback_job_release(&call->job);
	callback_params_free(call->params);
}

/* The URL of a path on the test server, `%s` and so on filled in. */
static const char *url_of(const char *path)
{
	static char url[200];
	snprintf(url, sizeof(url), "http://127.0.0.1:%d%s", server.port, path);
	return url;
}

static void judged(void)
{
	static const struct {
		const char *path;
		enum err result;
		const char *text; /* the answer, or the message */
	} rows[] = {
		{"/ok", ERR_OK, "{\"Status\":\"OK\"}"},
		{"/number", ERR_OK, "1e2"},
		{"/big", ERR_OK, "1234567890123456789012345"},
		{"/xml-typed", ERR_OK, "<a/>"},
		{"/xml", ERR_CALLBACK_NOT_JSON, "Response body is not valid json format."},
		{"/text", ERR_CALLBACK_NOT_JSON, "Response body is not valid json format."},
		{"/empty", ERR_CALLBACK_NOT_JSON, "Response body is not valid json format."},
		{"/two", ERR_CALLBACK_NOT_JSON, "Response body is not valid json format."},
		{"/bom", ERR_CALLBACK_NOT_JSON, "Response body is not valid json format."},
		{"/301", ERR_CALLBACK_FAILED, "Error status : 301."},
		{"/201", ERR_CALLBACK_FAILED, "Error status : 201."},
		{"/500", ERR_CALLBACK_FAILED, "Error status : 500."},
		{"/nowhere", ERR_CALLBACK_FAILED, "Error status : 404."},
		{"/404-bad-length", ERR_CALLBACK_FAILED, "Error status : 404."},
		{"/no-length", ERR_CALLBACK_FAILED,
			"Error Status : 400.User server missing content-length"},
		{"/chunked", ERR_CALLBACK_FAILED,
			"Error Status : 400.User server missing content-length"},
		{"/bad-length", ERR_CALLBACK_FAILED,
			"Error Status : 400.User server return invalid conent-length value"},
		{"/long", ERR_CALLBACK_FAILED,
			"Error Status : 400.User server return too long content-length value"},
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct call call;
		run(&call, url_of(rows[i].path), "");
		IS_INT(call.job.result, rows[i].result, rows[i].path);
		IS(call.job.result == ERR_OK ? call.job.answer : slice_str(call.job.message),
			slice_str(rows[i].text), "what the uploader is told");
		release(&call);
	}
	struct call call;
	run(&call, url_of("/ok"), "");
	IS(call.job.content_type, S("text/html"), "the answer's type is kept");
	release(&call);
}

static void unreachable(void)
{
	struct call call;
	char url[200];
	struct allow_list *any = NULL;
	struct callback_sender *anywhere = NULL, *own = sender;
	const struct callback_sender_options options = {
		.outgoing = outgoing, .key = key, .clock = &clock_system, .timeout_ms = 20000};

	run(&call, url_of("/silent"), "");
	IS_INT(call.job.result, ERR_CALLBACK_TIMEOUT, "a slow server");
	OK(strncmp(call.job.message, "Callback reply timeout, cost:", 29) == 0 &&
			strstr(call.job.message, "timeout:250ms."),
		"says how long: %s", call.job.message);
	release(&call);

	if (allow_list_parse(S("127.0.0.0/8"), &any, NULL) != ERR_OK)
		abort();
	struct callback_sender_options open = options;
	open.allow = any;
	if (callback_sender_new(&open, &anywhere) != ERR_OK)
		abort();
	sender = anywhere;
	snprintf(url, sizeof(url), "http://127.0.0.1:%d/", loopback_closed_port());
	run(&call, url, "");
	IS(slice_str(call.job.message), S("Error status : 502."), "nothing listens");
	release(&call);
	run(&call, "http://no-such-host.invalid/", "");
	IS(slice_str(call.job.message),
		S("Error status : -1. OSS can not connect to your callbackUrl, please check it."),
		"no such name");
	release(&call);
	callback_sender_free(anywhere);

	if (callback_sender_new(&options, &sender) != ERR_OK)
		abort();
	int before = loopback_connections(&server);
	static const char *const hosts[] = {"127.0.0.1", "localhost", "0.0.0.0"};
	for (size_t i = 0; i < ARRAY_LEN(hosts); i++) {
		snprintf(url, sizeof(url), "http://%s:%d/ok", hosts[i], server.port);
		run(&call, url, "");
		OK(call.job.result == ERR_CALLBACK_FAILED, "not allowed: %s", hosts[i]);
		IS(slice_str(call.job.message),
			S("Error status : -1. OSS can not connect to your callbackUrl, please "
			  "check it."),
			"the message");
		release(&call);
	}
	IS_INT(loopback_connections(&server), before, "and no connection is made");
	callback_sender_free(sender);
	sender = own;
	allow_list_free(any);
}

static void one_after_the_other(void)
{
	struct call call;
	char urls[600];
	int before = loopback_connections(&server);
	snprintf(urls, sizeof(urls),
		"http://127.0.0.1:%d/500;http://127.0.0.1:%d/text;http://127.0.0.1:%d/silent;"
		"http://127.0.0.1:%d/ok;http://127.0.0.1:%d/number",
		server.port, server.port, server.port, server.port, server.port);
	run(&call, urls, "");
	IS_INT(call.job.result, ERR_OK, "the fourth URL succeeds");
	IS(call.job.answer, S("{\"Status\":\"OK\"}"), "its answer counts");
	IS_INT(loopback_connections(&server) - before, 4, "the fifth is not asked");
	release(&call);
	snprintf(urls, sizeof(urls), "http://127.0.0.1:%d/text;http://127.0.0.1:%d/500",
		server.port, server.port);
	run(&call, urls, "");
	IS(slice_str(call.job.message), S("Error status : 500."), "all fail: the last is told");
	release(&call);
}

/* The value of a header in the request that the server got; empty if it is absent. */
static struct slice header(const char *name)
{
	SCOPED_STRBUF(line, 200);
	strbuf_addf(&line, "\r\n%s:", name);
	struct slice all = strbuf_slice(&server.last);
	struct slice rest = slice_from(all, slice_find_slice(all, strbuf_slice(&line)) + line.len);
	return slice_trim(slice_head(rest, slice_find(rest, '\r')));
}

static bool verifies(struct slice target, struct slice body)
{
	struct rsa_public *public = NULL;
	if (rsa_public_parse(callback_key_public_pem(key), &public) != ERR_OK)
		return false;
	bool ok = callback_verify(public, target, header("Authorization"), body);
	rsa_public_free(public);
	return ok;
}

static void the_request(void)
{
	struct call call;
	run(&call, url_of("/ok/%E4%B8%AD/../x?id=1&name=%20"),
		",\"callbackHost\":\"shop.example\","
		"\"callbackBodyType\":\"application/json\"");
	IS_INT(call.job.result, ERR_OK, "sent");
	struct slice all = strbuf_slice(&server.last);
	OK(slice_starts(all, S("POST /ok/%E4%B8%AD/../x?id=1&name=%20 HTTP/1.1\r\n")),
		"the path is requested as it is written");
	IS(header("Host"), S("shop.example"), "callbackHost");
	IS(header("Connection"), S("close"), "Connection");
	IS(header("Content-Type"), S("application/json"), "Content-Type");
	IS(header("Content-Length"), S("21"), "Content-Length");
	IS(header("Content-MD5"), S("Ht2HeLxyvehFKSYfrACcxQ=="), "Content-MD5");
	IS(header("User-Agent"), S("aliyun-oss-callback"), "User-Agent");
	IS(header("x-oss-request-id"), S("5F0000000000000000000001"), "x-oss-request-id");
	IS(header("x-oss-bucket"), S("uploads"), "x-oss-bucket");
	IS(header("x-oss-owner"), S("owner"), "x-oss-owner");
	IS(header("x-oss-signature-version"), S("1.0"), "x-oss-signature-version");
	IS(header("x-oss-tag"), S("CALLBACK"), "x-oss-tag");
	SCOPED_STRBUF(url, 1000);
	OK(base64_decode(&url, header("x-oss-pub-key-url")), "x-oss-pub-key-url is base64");
	IS(strbuf_slice(&url), S(KEY_URL), "of the key's URL");
	OK(slice_find_slice(all, S("\r\nx-oss-additional-headers:\r\n")) < all.len,
		"an empty header");
	struct slice date = header("Date");
	OK(date.len == 29 && slice_ends(date, S(" GMT")), "Date");
	OK(slice_ends(all, S("\r\n\r\nfilename=a%20b&size=1")), "the body");
	struct slice target = S("/ok/%E4%B8%AD/../x?id=1&name=%20");
	OK(verifies(target, S("filename=a%20b&size=1")), "the signature verifies");
	OK(!verifies(target, S("filename=a%20b&size=2")), "not with another body");
	OK(!verifies(S("/ok"), S("filename=a%20b&size=1")), "not with another path");
	release(&call);
	run(&call, url_of("/ok"), "");
	IS(header("Content-Type"), S("application/x-www-form-urlencoded"), "the default type");
	release(&call);
}

/* The key of the documents in a folder. */
static enum err open_key(const char *path, struct callback_key **ret)
{
	struct documents *documents;
	enum err e = documents_in_folder(path, &documents);
	if (e != ERR_OK)
		return e;
	e = callback_key_open(documents, ret);
	documents_close(documents);
	return e;
}

static void keys(void)
{
	char path[200];
	struct stat st;
	struct callback_key *again = NULL;
	snprintf(path, sizeof(path), "%s/callback_key.pem", folder);
	OK(stat(path, &st) == 0 && (st.st_mode & 0777) == 0600, "the key is its owner's alone");
	OK(open_key(folder, &again) == ERR_OK, "it opens again");
	IS(callback_key_public_pem(again), callback_key_public_pem(key), "and is the same");
	OK(slice_starts(callback_key_public_pem(key), S("-----BEGIN PUBLIC KEY-----\n")),
		"its public half is PEM");
	callback_key_free(again);
	again = NULL;
	FILE *f = fopen(path, "w");
	fputs("no key\n", f);
	fclose(f);
	OK(open_key(folder, &again) == ERR_INTERNAL && !again, "a spoilt file is told");
	unlink(path);
	OK(open_key("/no/such/folder", &again) == ERR_INTERNAL && !again, "no folder");
}

/* Many at once, of which none is answered: they hold no thread, and end when all is stopped. */
static void stopping(void)
{
	enum {
		MANY = 30
	};
	static struct call calls[MANY];
	SCOPED_STRBUF(json, 4000);
	SCOPED_STRBUF(base64, 8000);
	SCOPED_STRBUF(reason, 1000);
	struct callback_params *params = NULL;
	strbuf_addf(&json, "{\"callbackUrl\":\"%s;http://127.0.0.1:%d/ok\",\"callbackBody\":\"x\"}",
		url_of("/silent"), server.port);
	base64_encode(&base64, strbuf_slice(&json));
	if (callback_params_parse(strbuf_slice(&base64), &params, &reason) != ERR_OK)
		abort();
	for (int i = 0; i < MANY; i++) {
		calls[i].job = (struct callback_job){.params = params,
			.body = S("b"),
			.home = &here.executor,
			.done.run = on_done};
		callback_send(sender, &calls[i].job);
	}
	outgoing_stop(outgoing, 0);
	int failed = 0;
	for (int i = 0; i < MANY; i++) {
		waiting_until(&here, &calls[i].done);
		failed += calls[i].job.result == ERR_CALLBACK_FAILED;
		callback_job_release(&calls[i].job);
	}
	IS_INT(failed, MANY, "all end");
	callback_params_free(params);
}

int main(void)
{
	char text[100];
	waiting_init(&here);
	loopback_start(&server, answers);
	snprintf(text, sizeof(text), "127.0.0.1:%d", server.port);
	if (!mkdtemp(folder) || allow_list_parse(slice_str(text), &allow, NULL) != ERR_OK ||
		outgoing_new(&(struct outgoing_options){.ca_file = NULL}, &outgoing) != ERR_OK ||
		open_key(folder, &key) != ERR_OK)
		return 1;
	const struct callback_sender_options options = {.outgoing = outgoing,
		.key = key,
		.allow = allow,
		.clock = &clock_system,
		.timeout_ms = TIMEOUT_MS};
	if (callback_sender_new(&options, &sender) != ERR_OK ||
		callback_sender_set_key_url(sender, S(KEY_URL)) != ERR_OK)
		return 1;
	judged();
	unreachable();
	one_after_the_other();
	the_request();
	keys();
	stopping();
	callback_sender_free(sender);
	outgoing_free(outgoing);
	callback_key_free(key);
	allow_list_free(allow);
	loopback_stop(&server);
	rmdir(folder);
	return tap_done();
}
