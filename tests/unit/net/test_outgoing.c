/* SPDX-License-Identifier: Apache-2.0 */
/* Requests to other servers: what they look like, what comes back, and where they may go. */
#include "net/outgoing.h"

#include <dirent.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "base/limits.h"
#include "loopback.h"
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
	call.request.flags = OUTGOING_ANY_ADDRESS;
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
		call.request.flags = OUTGOING_ANY_ADDRESS;
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
	call.request.method = OUTGOING_POST;
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
	static const char *const hosts[] = {"127.0.0.1", "localhost", "uploads.localhost",
		"A.LocalHost.", "0.0.0.0", "2130706433", "0x7f.1", "[::1]", "[::ffff:127.0.0.1]",
		"169.254.169.254"};
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
	snprintf(text, sizeof(text), "127.0.0.1:%d", server.port);
	OK(allow_list_parse(slice_str(text), &named, NULL) == ERR_OK, "a list with an address");
	snprintf(url, sizeof(url), "http://uploads.localhost:%d/ok", server.port);
	call = call_of(url);
	call.request.allow = named;
	run(&call);
	IS_INT(call.request.kind, OUTGOING_ANSWERED, "a name below localhost is the loopback");
	release(&call);
	snprintf(url, sizeof(url), "http://notlocalhost:%d/ok", server.port);
	call = call_of(url);
	call.request.allow = named;
	run(&call);
	IS_INT(call.request.kind, OUTGOING_UNRESOLVED, "one that only ends so is not");
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
		MANY = 11, /* of which one requester of callbacks has */
		PLACES = 32
	};
	struct outgoing *small = NULL;
	OK(outgoing_new(&(struct outgoing_options){.max_in_flight = PLACES}, &small) == ERR_OK,
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

/* The class that has most of the places: half of them, with what is left to the others. */
static void most(void)
{
	enum {
		PLACES = 32,
		HALF = PLACES / 2
	};
	const struct outgoing_options options = {.max_in_flight = PLACES, .most = OUTGOING_CONFIRM};
	struct outgoing *small = NULL;
	if (outgoing_new(&options, &small) != ERR_OK)
		abort();
	static struct call calls[HALF + 1];
	char url[200];
	url_of(url, sizeof(url), "/silent");
	for (int i = 0; i <= HALF; i++) {
		calls[i] = call_of(url);
		calls[i].request.class = OUTGOING_CONFIRM;
		outgoing_send(small, &calls[i].request);
	}
	waiting_until(&here, &calls[HALF].done);
	IS_INT(calls[HALF].request.kind, OUTGOING_BUSY, "one more than half is too many");
	int waiting = 0;
	for (int i = 0; i < HALF; i++)
		waiting += !calls[i].done;
	IS_INT(waiting, HALF, "all others wait");
	outgoing_stop(small, 0);
	for (int i = 0; i < HALF; i++) {
		waiting_until(&here, &calls[i].done);
		release(&calls[i]);
	}
	outgoing_free(small);
}

/* One requester whose servers are silent, and everybody else. */
static void starving(void)
{
	enum {
		PLACES = 32,
		GREEDY = PLACES
	};
	static const enum outgoing_class others[] = {
		OUTGOING_KEY, OUTGOING_CONFIRM, OUTGOING_STORE, OUTGOING_WEBHOOK};
	static struct call greedy[GREEDY];
	struct outgoing *small = NULL;
	struct outgoing_stats stats;
	char silent[200], ok[200];
	url_of(silent, sizeof(silent), "/silent");
	url_of(ok, sizeof(ok), "/ok");
	if (outgoing_new(&(struct outgoing_options){.max_in_flight = PLACES}, &small) != ERR_OK)
		abort();
	for (int i = 0; i < GREEDY; i++) {
		greedy[i] = call_of(silent);
		greedy[i].request.requester = S("STS.greedy");
		outgoing_send(small, &greedy[i].request);
	}
	outgoing_stats(small, &stats);
	IS_INT(stats.in_flight[OUTGOING_CALLBACK], 11, "two thirds of the places for callbacks");
	IS_INT(stats.refused, GREEDY - 11, "no more");
	for (size_t i = 0; i < ARRAY_LEN(others); i++) {
		struct call call = call_of(ok);
		call.request.class = others[i];
		outgoing_send(small, &call.request);
		waiting_until(&here, &call.done);
		IS_INT(call.request.kind, OUTGOING_ANSWERED, "another class does not feel it");
		release(&call);
	}
	static const struct slice modest[] = {
		SLICE_LIT("STS.a"), SLICE_LIT("STS.b"), SLICE_LIT("STS.c"), SLICE_LIT("STS.d")};
	unsigned answered = 0;
	for (size_t i = 0; i < ARRAY_LEN(modest); i++) {
		struct call call = call_of(ok);
		call.request.requester = modest[i];
		outgoing_send(small, &call.request);
		waiting_until(&here, &call.done);
		answered += call.request.kind == OUTGOING_ANSWERED;
		release(&call);
	}
	IS_INT(answered, ARRAY_LEN(modest), "nor do other requesters");
	outgoing_stop(small, 0);
	for (int i = 0; i < GREEDY; i++) {
		waiting_until(&here, &greedy[i].done);
		release(&greedy[i]);
	}
	outgoing_stats(small, &stats);
	IS_INT(stats.in_flight[OUTGOING_CALLBACK], 0, "every place is given back");
	outgoing_free(small);
}

/* ---- Names ----------------------------------------------------------------------------------- */

static sem_t unstuck;
static atomic_int lookups;

/* Nobody answers for names below `stuck`. */
static bool look_up(const char *host, struct strbuf *ret)
{
	atomic_fetch_add(&lookups, 1);
	if (slice_ends(slice_str(host), S(".stuck"))) {
		while (sem_wait(&unstuck) != 0)
			continue;
		(void)sem_post(&unstuck);
		return false;
	}
	if (slice_ends(slice_str(host), S(".nowhere")))
		return false;
	strbuf_adds(ret, "[::1],127.0.0.1");
	return true;
}

static int count_threads(void)
{
	DIR *tasks = opendir("/proc/self/task");
	int count = 0;
	if (!tasks)
		abort();
	while (readdir(tasks))
		count++;
	closedir(tasks);
	return count;
}

static enum outgoing_kind ask(struct outgoing *to, const char *host, enum outgoing_class class)
{
	char url[200];
	snprintf(url, sizeof(url), "http://%s:%d/ok", host, server.port);
	struct call call = call_of(url);
	call.request.flags = OUTGOING_ANY_ADDRESS;
	call.request.class = class;
	call.request.requester = S("LTAI.modest");
	outgoing_send(to, &call.request);
	waiting_until(&here, &call.done);
	enum outgoing_kind kind = call.request.kind;
	release(&call);
	return kind;
}

static void names(void)
{
	enum {
		NAMES = 400
	};
	static struct call calls[NAMES];
	static char urls[NAMES][64];
	const struct outgoing_options options = {.look_up = look_up};
	struct outgoing *named = NULL;
	(void)sem_init(&unstuck, 0, 0);
	if (outgoing_new(&options, &named) != ERR_OK)
		abort();
	int before = count_threads();
	for (int i = 0; i < NAMES; i++) {
		snprintf(urls[i], sizeof(urls[i]), "http://%d.stuck/", i);
		calls[i] = call_of(urls[i]);
		calls[i].request.timeout_ms = 300;
		calls[i].request.requester = S("STS.greedy");
		outgoing_send(named, &calls[i].request);
	}
	IS_INT(ask(named, "a.good", OUTGOING_CALLBACK), OUTGOING_ANSWERED,
		"another requester's name is found meanwhile");
	IS_INT(ask(named, "b.good", OUTGOING_WEBHOOK), OUTGOING_ANSWERED, "and our own");
	int more = count_threads() - before;
	OK(more > 0 && more <= LIMIT_RESOLVER_THREADS, "%d threads for %d names", more, NAMES);
	int late = 0;
	for (int i = 0; i < NAMES; i++) {
		waiting_until(&here, &calls[i].done);
		late += calls[i].request.kind == OUTGOING_TIMED_OUT;
		release(&calls[i]);
	}
	IS_INT(late, NAMES, "who waits for a name waits no longer than for an answer");
	IS_INT(ask(named, "c.good", OUTGOING_CALLBACK), OUTGOING_ANSWERED,
		"though the threads still wait");
	int asked = atomic_load(&lookups);
	/* Another name may have taken the place of an earlier one, but not of the last. */
	IS_INT(ask(named, "c.good", OUTGOING_CALLBACK), OUTGOING_ANSWERED, "known");
	IS_INT(atomic_load(&lookups), asked, "so not looked up again");
	IS_INT(ask(named, "a.nowhere", OUTGOING_CALLBACK), OUTGOING_UNRESOLVED, "no address");
	IS_INT(ask(named, "a.nowhere", OUTGOING_CALLBACK), OUTGOING_UNRESOLVED, "still none");
	IS_INT(atomic_load(&lookups), asked + 1, "which is known, too");
	outgoing_free(named);
	(void)sem_post(&unstuck);
	OK(true, "nothing waits for the threads at the end");
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
	most();
	starving();
	names();
	graceful_stop();
	outgoing_free(outgoing);
	allow_list_free(allow);
	loopback_stop(&server);
	return tap_done();
}
