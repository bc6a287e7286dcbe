/* SPDX-License-Identifier: Apache-2.0 */
/* Requests to other servers: what they look like, what comes back, and where they may go. */
#include "net/outgoing.h"

#include <stdlib.h>

#include "loopback.h"
#include "net/worker.h"
#include "tap.h"
#include "waiting.h"

static const struct loopback_answer answers[] = {
	{"/ok", "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}"},
	{"/teapot", "HTTP/1.1 418 No\r\nContent-Length: 3\r\n\r\nlow"},
	{"/moved", "HTTP/1.1 301 Moved\r\nLocation: /ok\r\nContent-Length: 0\r\n\r\n"},
	{"/no-length", "HTTP/1.1 200 OK\r\n\r\nbody"},
	{"/chunked", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nbody\r\n0\r\n\r\n"},
	{"/interim", "HTTP/1.1 100 Continue\r\nContent-Length: 9\r\n\r\n"
		     "HTTP/1.1 200 OK\r\n\r\nx"},
	{"/bad-length", "HTTP/1.1 200 OK\r\nContent-Length: two\r\n\r\n{}"},
	{"/odd-length", "HTTP/1.1 200 OK\r\nContent-Length: 2x\r\n\r\n{}"},
	{"/minus-length", "HTTP/1.1 200 OK\r\nContent-Length: -2\r\n\r\n{}"},
	{"/two-lengths", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{} "},
	{"/long", "HTTP/1.1 200 OK\r\nContent-Length: 11\r\n\r\n12345678901"},
	{"/just", "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n1234567890"},
	{"/hidden", "HTTP/1.1 200 OK\r\n\r\n12345678901"},
	{"/cut", "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{}"},
	{"/garbage", "SSH-2.0-not-http\r\n"},
	{"/silent", NULL},
	{NULL, NULL},
};

struct call {
	struct outgoing_request request;
	bool done;
};

static struct outgoing *outgoing;
static struct loopback server;
static struct waiting here;
static struct allow_list *allow;

static void on_done(struct task *task)
{
	struct outgoing_request *request = CONTAINER_OF(task, struct outgoing_request, done);
	CONTAINER_OF(request, struct call, request)->done = true;
}

static struct call call_of(const char *url)
{
	return (struct call){.request = {.url = url,
				     .timeout_ms = 20000,
				     .max_answer_bytes = 10,
				     .allow = allow,
				     .home = &here.executor,
				     .done.run = on_done}};
}

static void run(struct call *call)
{
	outgoing_send(outgoing, &call->request);
	waiting_until(&here, &call->done);
}

static struct slice answer(const struct call *call)
{
	return strbuf_slice(&call->request.answer);
}

static void release(struct call *call)
{
	outgoing_request_release(&call->request);
}

static const char *url_of(char *out, size_t size, const char *rest)
{
	snprintf(out, size, "http://127.0.0.1:%d%s", server.port, rest);
	return out;
}

static void kinds(void)
{
	static const struct {
		const char *path;
		enum outgoing_kind kind;
		int status;
		bool has_length;
		const char *answer;
	} rows[] = {
		{"/ok", OUTGOING_ANSWERED, 200, true, "{}"},
		{"/teapot", OUTGOING_ANSWERED, 418, true, "low"},
		{"/moved", OUTGOING_ANSWERED, 301, true, ""},
		{"/no-length", OUTGOING_ANSWERED, 200, false, "body"},
		{"/chunked", OUTGOING_ANSWERED, 200, false, "body"},
		{"/interim", OUTGOING_ANSWERED, 200, false, "x"},
		{"/bad-length", OUTGOING_BAD_LENGTH, 200, false, NULL},
		{"/odd-length", OUTGOING_BAD_LENGTH, 200, false, NULL},
		{"/minus-length", OUTGOING_BAD_LENGTH, 200, false, NULL},
		{"/two-lengths", OUTGOING_BAD_LENGTH, 200, true, NULL},
		{"/long", OUTGOING_TOO_LONG, 200, true, NULL},
		{"/just", OUTGOING_ANSWERED, 200, true, "1234567890"},
		{"/hidden", OUTGOING_TOO_LONG, 200, false, NULL},
		{"/cut", OUTGOING_UNREACHABLE, 200, true, NULL},
		{"/garbage", OUTGOING_UNREACHABLE, 0, false, NULL},
	};
	char url[200];
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct call call = call_of(url_of(url, sizeof(url), rows[i].path));
		run(&call);
		IS_INT(call.request.kind, rows[i].kind, rows[i].path);
		OK(call.request.status == rows[i].status &&
				call.request.has_content_length == rows[i].has_length,
			"%s: status %d, has_content_length %d", rows[i].path, call.request.status,
			call.request.has_content_length);
		if (rows[i].answer)
			IS(answer(&call), slice_str(rows[i].answer), "its body");
		release(&call);
	}
}

static void failures(void)
{
	char url[200];
	struct call call = call_of(url_of(url, sizeof(url), "/silent"));
	call.request.timeout_ms = 50;
	run(&call);
	IS_INT(call.request.kind, OUTGOING_TIMED_OUT, "a silent server times out");
	release(&call);

	snprintf(url, sizeof(url), "http://127.0.0.1:%d/", loopback_closed_port());
	call = call_of(url);
	call.request.any_address = true;
	run(&call);
	IS_INT(call.request.kind, OUTGOING_UNREACHABLE, "nothing listens");
	release(&call);

	call = call_of("http://no-such-host.invalid/");
	run(&call);
	OK(call.request.kind == OUTGOING_UNRESOLVED, "a name without address");
	release(&call);

	static const char *const bad[] = {"ftp://127.0.0.1/", "file:///etc/passwd", "http://",
		"http://user:word@127.0.0.1/", "http://127.0.0.1:99999/", "http://a b/",
		"http://127.0.0.1/\r\nX: y", "gopher://127.0.0.1:70/", ""};
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		call = call_of(bad[i]);
		call.request.any_address = true;
		run(&call);
		OK(call.request.kind == OUTGOING_BAD_REQUEST, "not a URL for us: row %zu", i);
		release(&call);
	}
}

static void the_request(void)
{
	static const char *const lines[] = {
		"Content-Type: text/plain", "User-Agent: tester", "x-oss-additional-headers;"};
	char url[200], want[1000];
	struct call call = call_of(url_of(url, sizeof(url), "/ok/../ok/%41?b=c&%20#part"));
	call.request.post = true;
	call.request.body = S("a\0b");
	call.request.headers = lines;
	call.request.header_count = ARRAY_LEN(lines);
	run(&call);
	IS_INT(call.request.kind, OUTGOING_ANSWERED, "a POST");
	IS(slice_str(call.request.content_type), S("application/json"), "the answer's type");
	size_t n = (size_t)snprintf(want, sizeof(want),
		"POST /ok/../ok/%%41?b=c&%%20 HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nConnection: "
		"close\r\n"
		"Content-Type: text/plain\r\nUser-Agent: tester\r\nx-oss-additional-headers:\r\n"
		"Content-Length: 3\r\n\r\na%cb",
		server.port, 0);
	IS(strbuf_slice(&server.last), slice_of(want, n), "its bytes; the path is as written");
	release(&call);

	snprintf(url, sizeof(url), "127.0.0.1:%d?ok", server.port);
	call = call_of(url);
	call.request.host = "shop.example";
	run(&call);
	IS(strbuf_slice(&server.last),
		S("GET /?ok HTTP/1.1\r\nHost: shop.example\r\nConnection: close\r\n\r\n"),
		"no scheme is http, no path is /, and Host can be another");
	release(&call);
}

static void injections(void)
{
	static const char *const lines[] = {"X: y\r\nInjected: z"};
	char url[200];
	struct call call = call_of(url_of(url, sizeof(url), "/ok"));
	call.request.host = "shop.example\r\nInjected: z";
	run(&call);
	IS_INT(call.request.kind, OUTGOING_BAD_REQUEST, "a Host that would be two lines");
	release(&call);
	call = call_of(url);
	call.request.headers = lines;
	call.request.header_count = 1;
	run(&call);
	IS_INT(call.request.kind, OUTGOING_BAD_REQUEST, "a header that would be two lines");
	release(&call);
}

static void addresses(void)
{
	static const char *const hosts[] = {"127.0.0.1", "localhost", "0.0.0.0", "2130706433",
		"0x7f.1", "[::1]", "[::ffff:127.0.0.1]", "169.254.169.254"};
	int before = loopback_connections(&server);
	for (size_t i = 0; i < ARRAY_LEN(hosts); i++) {
		char url[200];
		snprintf(url, sizeof(url), "http://%s:%d/ok", hosts[i], server.port);
		struct call call = call_of(url);
		call.request.allow = NULL;
		run(&call);
		OK(call.request.kind == OUTGOING_REFUSED, "refused: %s", hosts[i]);
		release(&call);
	}
	IS_INT(loopback_connections(&server), before, "no connection was made");

	char text[200], url[200];
	struct allow_list *named = NULL;
	snprintf(text, sizeof(text), "localhost:%d", server.port);
	OK(allow_list_parse(slice_str(text), &named, NULL) == ERR_OK, "a list with a name");
	snprintf(url, sizeof(url), "http://localhost:%d/ok", server.port);
	struct call call = call_of(url);
	call.request.allow = named;
	run(&call);
	IS_INT(call.request.kind, OUTGOING_ANSWERED, "lets that name through");
	release(&call);
	call = call_of(url_of(url, sizeof(url), "/ok"));
	call.request.allow = named;
	run(&call);
	IS_INT(call.request.kind, OUTGOING_REFUSED, "but not its address by number");
	release(&call);
	allow_list_free(named);
}

static void no_proxy(void)
{
	struct loopback proxy;
	char text[200], url[200];
	loopback_start(&proxy, answers);
	snprintf(text, sizeof(text), "http://127.0.0.1:%d", proxy.port);
	setenv("http_proxy", text, 1);
	setenv("ALL_PROXY", text, 1);
	struct call call = call_of(url_of(url, sizeof(url), "/ok"));
	run(&call);
	IS_INT(call.request.kind, OUTGOING_ANSWERED, "answered");
	IS_INT(loopback_connections(&proxy), 0, "not by the proxy of the environment");
	release(&call);
	unsetenv("http_proxy");
	unsetenv("ALL_PROXY");
	loopback_stop(&proxy);
}

/* Many requests that a server does not answer; the next is refused, and stopping ends them all. */
static void limits(void)
{
	enum {
		MANY = 20
	};
	struct outgoing *small = NULL;
	OK(outgoing_new(&(struct outgoing_options){.max_in_flight = MANY}, &small) == ERR_OK,
		"a small one");
	static struct call calls[MANY + 1];
	char url[200];
	url_of(url, sizeof(url), "/silent");
	for (int i = 0; i <= MANY; i++) {
		calls[i] = call_of(url);
		outgoing_send(small, &calls[i].request);
	}
	waiting_until(&here, &calls[MANY].done);
	IS_INT(calls[MANY].request.kind, OUTGOING_BUSY, "one too many is refused at once");
	OK(!calls[0].done, "the others wait");
	outgoing_stop(small, 0);
	int stopped = 0;
	for (int i = 0; i < MANY; i++) {
		waiting_until(&here, &calls[i].done);
		stopped += calls[i].request.kind == OUTGOING_STOPPED;
		release(&calls[i]);
	}
	IS_INT(stopped, MANY, "stopping ends what runs");
	struct call late = call_of(url);
	outgoing_send(small, &late.request);
	waiting_until(&here, &late.done);
	IS_INT(late.request.kind, OUTGOING_STOPPED, "and what comes after it");
	outgoing_free(small);
}

static void graceful_stop(void)
{
	struct outgoing *other = NULL;
	OK(outgoing_new(&(struct outgoing_options){.ca_file = NULL}, &other) == ERR_OK, "another");
	char url[200];
	struct call call = call_of(url_of(url, sizeof(url), "/ok"));
	outgoing_send(other, &call.request);
	outgoing_stop(other, 20000);
	waiting_until(&here, &call.done);
	IS_INT(call.request.kind, OUTGOING_ANSWERED, "stopping with grace lets it finish");
	release(&call);
	outgoing_free(other);
}

struct count {
	struct task task;
	int *sum, *batches;
	struct executor *again;
};

static void count_one(struct task *task)
{
	struct count *count = CONTAINER_OF(task, struct count, task);
	++*count->sum;
	if (count->again) {
		struct executor *executor = count->again;
		count->again = NULL;
		executor_post(executor, task);
	}
}

static void count_batch(void *state)
{
	++*(int *)state;
}

static void workers(void)
{
	int sum = 0, batches = 0;
	struct worker *worker = NULL;
	struct count counts[100];
	OK(worker_new(&(struct worker_options){"test", count_batch, &batches}, &worker) == ERR_OK,
		"a worker");
	for (size_t i = 0; i < ARRAY_LEN(counts); i++) {
		counts[i] =
			(struct count){{.run = count_one}, &sum, &batches, worker_executor(worker)};
		executor_post(worker_executor(worker), &counts[i].task);
	}
	worker_free(worker);
	IS_INT(sum, 200, "runs every task, and what they post, before it ends");
	OK(batches >= 1 && batches <= 200, "in batches");
}

int main(void)
{
	char text[100];
	waiting_init(&here);
	loopback_start(&server, answers);
	snprintf(text, sizeof(text), "127.0.0.1:%d", server.port);
	if (allow_list_parse(slice_str(text), &allow, NULL) != ERR_OK ||
		outgoing_new(&(struct outgoing_options){.ca_file = NULL}, &outgoing) != ERR_OK)
		return 1;
	kinds();
	failures();
	the_request();
	injections();
	addresses();
	no_proxy();
	limits();
	graceful_stop();
	workers();
	outgoing_free(outgoing);
	allow_list_free(allow);
	loopback_stop(&server);
	return tap_done();
}
