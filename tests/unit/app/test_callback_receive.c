/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Receiving callbacks: which are believed and which are not, seen through a real server; where
 * keys are fetched from and how often; the back end that is told.
 */
#include <stdatomic.h>
#include <stdio.h>

#include "app/app.h"
#include "app/ledger/ledger.h"
#include "app/outcomes.h"
#include "base/encode.h"
#include "crypto/rsa.h"
#include "loopback.h"
#include "net/server.h"
#include "oss/callback/callback_signature.h"
#include "oss/callback/ticket.h"
#include "tap.h"
#include "waiting.h"

#define NOW_S 1700000000

struct test_clock {
	struct clock clock;
	_Atomic int64_t ms;
};

static int64_t test_wall_ms(const struct clock *clock)
{
	return atomic_load(
		&CONTAINER_OF((struct clock *)(uintptr_t)clock, struct test_clock, clock)->ms);
}

static struct test_clock test_clock = {{test_wall_ms}, (int64_t)NOW_S * 1000};
static struct rsa_private *keys[2];
static char key_answers[2][4096];
static struct loopback_answer first_answers[] = {
	{"/key.pem", key_answers[0]},
	{"/text.pem", "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nno key"},
	{"/moved.pem", "HTTP/1.1 302 Found\r\nLocation: /key.pem\r\nContent-Length: 0\r\n\r\n"},
	{NULL, NULL},
};
static struct loopback_answer later_answers[] = {{"/key.pem", key_answers[1]}, {NULL, NULL}};
static const struct loopback_answer back_end_answers[] = {
	{"/good", "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 9\r\n\r\n"
		  "{\"id\":42}"},
	{"/text", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"},
	{"/bad", "HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n"},
	{NULL, NULL},
};
#define HEAD_OF(length, rest)                                                               \
	"HTTP/1.1 200 OK\r\nDate: Tue, 14 Nov 2023 22:13:20 GMT\r\nContent-Length: " length \
	"\r\nContent-Type: image/png\r\n" rest "\r\n"
#define MODIFIED "Last-Modified: Tue, 14 Nov 2023 22:13:20 GMT\r\n" /* NOW_S */
#define OWN "ETag: \"E\"\r\n" MODIFIED "x-oss-meta-grant: 0123456789abcdef01234567\r\n"

/* What the store says of the objects. */
static const struct loopback_answer store_answers[] = {
	{"/uploads/dir/own", HEAD_OF("12345678901", OWN "x-oss-version-id: V\r\n")},
	{"/uploads/dir/large", HEAD_OF("12345678902", OWN)},
	{"/uploads/dir/damaged", HEAD_OF("5", OWN "x-oss-hash-crc64ecma: 7\r\n")},
	{"/uploads/dir/others", HEAD_OF("5", "ETag: \"E\"\r\n" MODIFIED
					     "x-oss-meta-grant: 111111111111111111111111\r\n")},
	{"/uploads/dir/twice", HEAD_OF("5", OWN "x-oss-meta-grant: x\r\n")},
	{"/uploads/dir/none", HEAD_OF("5", "ETag: \"E\"\r\n" MODIFIED)},
	{"/uploads/dir/old", HEAD_OF("5", "ETag: \"E\"\r\nLast-Modified: Tue, 14 Nov 2023 22:12:20 "
					  "GMT\r\n")},
	{"/uploads/dir/behind",
		"HTTP/1.1 200 OK\r\nDate: Tue, 14 Nov 2023 22:03:20 GMT\r\nContent-Length: 5\r\n"
		"ETag: \"E\"\r\nLast-Modified: Tue, 14 Nov 2023 22:03:20 GMT\r\n\r\n"},
	{"/uploads/dir/size", HEAD_OF("6", "ETag: \"E\"\r\n" MODIFIED)},
	{"/uploads/dir/forbidden", "HTTP/1.1 403 Forbidden\r\nContent-Length: 9\r\n\r\n"},
	{"/uploads/dir/broken", "HTTP/1.1 500 No\r\nContent-Length: 9\r\n\r\n"},
	{"/uploads/dir/moved", "HTTP/1.1 302 Found\r\nLocation: /uploads/dir/own\r\n"
			       "Content-Length: 0\r\n\r\n"},
	{"/uploads/dir/no-etag", HEAD_OF("5", MODIFIED)},
	{"/uploads/dir/no-date", HEAD_OF("5", "ETag: \"E\"\r\n")},
	{"/uploads/dir/no-length", "HTTP/1.1 200 OK\r\n" OWN "\r\n"},
	{"/uploads/dir/garbage", "SSH-2.0-not-http\r\n"},
	{"/uploads/dir/silent", NULL},
	{NULL, NULL},
};
static const struct loopback_answer forbidden_answers[] = {
	{"/uploads/dir/own", HEAD_OF("5", OWN)},
	{"/uploads/", "HTTP/1.1 403 Forbidden\r\nContent-Length: 9\r\n\r\n"},
	{NULL, NULL},
};
static struct loopback store, forbidding;
static struct loopback key_server, back_end, stranger;
static struct outgoing *outgoing, *confirming;
static struct ledger *ledger;
static struct allow_list *allow;
static struct server *server;
static struct ticket_key ticket_key;

/* An application server with its own port. */
struct site {
	struct app *app;
	uint16_t port;
};

static struct site plain, other_answer, told, told_badly, told_oddly, classic, classic_too, asking,
	automatic, insisting;

/* A message on its way to the application server; what is empty is left out. */
struct message {
	const char *target;
	const char *body;
	const char *key_url;
	struct slice authorization;
	const char *type;
};

static char answer_text[8192];

/* Returns the status; the answer's body is in answer_text. */
static int post(const struct site *site, const struct message *m)
{
	SCOPED_STRBUF(request, 1 << 20);
	SCOPED_STRBUF(answer, 1 << 20);
	strbuf_addf(&request, "POST %s HTTP/1.1\r\nHost: app\r\nConnection: close\r\n",
		m->target ? m->target : "/callback?a=1");
	strbuf_addf(&request, "Content-Length: %zu\r\n", strlen(m->body));
	strbuf_addf(&request, "Content-Type: %s\r\n",
		m->type ? m->type : "application/x-www-form-urlencoded");
	if (m->key_url) {
		strbuf_adds(&request, "x-oss-pub-key-url: ");
		base64_encode(&request, slice_str(m->key_url));
		strbuf_adds(&request, "\r\n");
	}
	if (m->authorization.len > 0) {
		strbuf_adds(&request, "Authorization: ");
		strbuf_add_slice(&request, m->authorization);
		strbuf_adds(&request, "\r\n");
	}
	strbuf_addf(&request, "\r\n%s", m->body);
	loopback_ask(site->port, strbuf_slice(&request), &answer);
	struct slice all = strbuf_slice(&answer);
	struct slice body = slice_from(all, slice_find_slice(all, S("\r\n\r\n")) + 4);
	snprintf(answer_text, sizeof(answer_text), "%.*s", SLICE_FMT(body));
	int status = 0;
	sscanf(answer.ptr, "HTTP/1.1 %d", &status);
	return status;
}

static const char *key_url(const char *path)
{
	static char url[200];
	snprintf(url, sizeof(url), "http://127.0.0.1:%d%s", key_server.port, path);
	return url;
}

static void sign(
	const struct rsa_private *key, const char *target, const char *body, struct strbuf *out)
{
	strbuf_clear(out);
	if (callback_sign(key, slice_str(target), slice_str(body), out) != ERR_OK)
		abort();
}

/* A body with a fresh grant for `prefix`. */
static void body_with_grant(struct strbuf *out, const char *object, const char *request_id,
	const char *prefix, int64_t expires)
{
	char id[TICKET_ID_LENGTH];
	strbuf_clear(out);
	ticket_make_id(0, id);
	strbuf_addf(out,
		"filename=%s&size=5&mimeType=image%%2Fpng&height=&width=&bucket=uploads"
		"&object=%s&etag=E&format=&reqId=%s&clientIp=%%3A%%3A1&grant=",
		object, object, request_id);
	const struct ticket_terms terms = {
		.id = id, .prefix = slice_str(prefix), .issued = NOW_S, .expires = expires};
	if (!ticket_issue(&ticket_key, &terms, out))
		abort();
}

#define ID "0123456789abcdef01234567"

static const char *body_id = ID;

/* A body with the grant `body_id` of that kind. */
static void body_of_kind(struct strbuf *out, enum ticket_kind kind, const char *object,
	const char *etag, const char *request_id)
{
	strbuf_clear(out);
	strbuf_addf(out,
		"size=5&mimeType=a%%2Fb&bucket=uploads&object=dir%%2F%s&etag=%s&reqId=%s"
		"&clientIp=c&width=9&grant=",
		object, etag, request_id);
	const struct ticket_terms terms = {.kind = kind,
		.id = body_id,
		.prefix = S("dir/"),
		.issued = NOW_S,
		.expires = NOW_S + 300};
	if (!ticket_issue(&ticket_key, &terms, out))
		abort();
}

static int post_signed(const struct site *site, const char *url, const char *body)
{
	SCOPED_STRBUF(authorization, 4000);
	sign(keys[0], "/callback?a=1", body, &authorization);
	return post(site, &(struct message){.body = body,
				  .key_url = url,
				  .authorization = strbuf_slice(&authorization)});
}

#define OKAY "{\"Status\":\"OK\"}"
#define REFUSED(reason) "{\"Status\":\"verify not ok\",\"reason\":\"" reason "\"}"

static void believed(void)
{
	SCOPED_STRBUF(body, 4000);
	body_with_grant(&body, "dir%2Fa+b", "R1", "dir/", NOW_S + 300);
	IS_INT(post_signed(&plain, key_url("/key.pem"), body.ptr), 200, "an authentic callback");
	IS(slice_str(answer_text), S(OKAY), "the classic answer");
	IS_INT(loopback_connections(&key_server), 1, "the key was fetched");
	IS_INT(post_signed(&plain, key_url("/key.pem"), body.ptr), 400, "a second time");
	IS(slice_str(answer_text), S(REFUSED("this callback was received before")),
		"it is a replay");
	strbuf_clear(&body);
	body_with_grant(&body, "dir%2Fa", "R2", "dir/", NOW_S + 300);
	IS_INT(post_signed(&plain, key_url("/key.pem"), body.ptr), 200, "another upload");
	IS_INT(loopback_connections(&key_server), 1, "the key was kept");
	body_with_grant(&body, "dir%2Fa", "R3", "dir/", NOW_S + 300);
	IS_INT(post_signed(&other_answer, key_url("/key.pem"), body.ptr), 200, "another server");
	IS(slice_str(answer_text), S("[1]"), "with an answer of its own");
	SCOPED_STRBUF(authorization, 4000);
	body_with_grant(&body, "dir%2Fa", "R4", "dir/", NOW_S + 300);
	sign(keys[0], "/", body.ptr, &authorization);
	IS_INT(post(&plain, &(struct message){.target = "/",
				    .body = body.ptr,
				    .key_url = key_url("/key.pem"),
				    .authorization = strbuf_slice(&authorization)}),
		200, "POST /");
}

struct probe_call {
	struct app_probe probe;
	bool done;
};

static struct waiting here;

static void on_probed(struct task *task)
{
	struct app_probe *probe = CONTAINER_OF(task, struct app_probe, done);
	CONTAINER_OF(probe, struct probe_call, probe)->done = true;
}

static bool probe(const struct site *site)
{
	struct probe_call call = {.probe = {.home = &here.executor, .done.run = on_probed}};
	if (app_probe_store(site->app, &call.probe) != ERR_OK)
		abort();
	waiting_until(&here, &call.done);
	return call.probe.forbidden;
}

static void probes(void)
{
	struct app_stats stats;
	struct slice last = S("");
	OK(!probe(&asking), "a store that answers 404");
	last = strbuf_slice(&store.last);
	OK(slice_starts(last, S("HEAD /uploads/dir/")), "was asked about an object of the folder");
	OK(slice_find_slice(last, S("Authorization: OSS4-HMAC-SHA256 Credential=id/")) < last.len,
		"with the key's signature");
	app_stats(asking.app, &stats);
	OK(stats.confirms && !stats.forbidden, "callbacks are confirmed");
	OK(probe(&automatic), "a store that answers 403");
	app_stats(automatic.app, &stats);
	OK(!stats.confirms && stats.forbidden, "turns that off");
	OK(probe(&insisting), "also where it was insisted on");
	app_stats(insisting.app, &stats);
	OK(stats.confirms && stats.forbidden, "which stays on");
	int before = loopback_connections(&store);
	OK(!probe(&plain), "where it is off");
	IS_INT(loopback_connections(&store), before, "nobody is asked");
}

static void what_the_store_says(void)
{
	static const struct {
		const char *object, *etag;
		enum ticket_kind kind;
		int status;
		const char *answer;
	} rows[] = {
		{"own", "claimed", TICKET_FORM, 200, "{\"id\":42}"},
		{"others", "E", TICKET_FORM, 400,
			REFUSED("the object was not uploaded with this grant")},
		{"twice", "E", TICKET_FORM, 400,
			REFUSED("the object was not uploaded with this grant")},
		{"none", "E", TICKET_FORM, 400,
			REFUSED("the object was not uploaded with this grant")},
		{"none", "e", TICKET_CLASSIC, 200, "{\"id\":42}"},
		{"behind", "%22E%22", TICKET_CLASSIC, 200, "{\"id\":42}"},
		{"others", "E", TICKET_CLASSIC, 400,
			REFUSED("the object was uploaded with another grant")},
		{"own", "E", TICKET_CLASSIC, 400,
			REFUSED("the object was uploaded with another grant")},
		{"none", "F", TICKET_CLASSIC, 400,
			REFUSED("the object in the store is another one")},
		{"none", "", TICKET_CLASSIC, 400,
			REFUSED("the object in the store is another one")},
		{"size", "E", TICKET_CLASSIC, 400,
			REFUSED("the object in the store is another one")},
		{"old", "E", TICKET_CLASSIC, 400, REFUSED("the object is older than the grant")},
		{"large", "E", TICKET_FORM, 400, REFUSED("the object is larger than was allowed")},
		{"damaged", "E&sentCrc64=7", TICKET_FORM, 200, "{\"id\":42}"},
		{"damaged", "E&sentCrc64=8", TICKET_FORM, 400,
			REFUSED("the object is not what was sent: its CRC-64 is another one")},
		{"gone", "E", TICKET_FORM, 400, REFUSED("the store has no such object")},
		{"gone", "E", TICKET_CLASSIC, 400, REFUSED("the store has no such object")},
		{"forbidden", "E", TICKET_FORM, 503, NULL},
		{"broken", "E", TICKET_FORM, 503, NULL},
		{"moved", "E", TICKET_FORM, 503, NULL},
		{"no-etag", "E", TICKET_FORM, 503, NULL},
		{"no-date", "E", TICKET_FORM, 503, NULL},
		{"no-length", "E", TICKET_FORM, 503, NULL},
		{"garbage", "E", TICKET_FORM, 503, NULL},
		{"silent", "E", TICKET_FORM, 503, NULL},
	};
	SCOPED_STRBUF(body, 4000);
	char request_id[16];
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		snprintf(request_id, sizeof(request_id), "H%zu", i);
		body_of_kind(&body, rows[i].kind, rows[i].object, rows[i].etag, request_id);
		IS_INT(post_signed(&asking, key_url("/key.pem"), body.ptr), rows[i].status,
			rows[i].object);
		IS(slice_str(answer_text),
			rows[i].answer ? slice_str(rows[i].answer)
				       : S(REFUSED("the store cannot be asked about the object")),
			"the answer");
		struct slice heard = strbuf_slice(&back_end.last);
		if (i == 0)
			OK(slice_find_slice(heard, S("\"etag\":\"E\",\"size\":12345678901,"
						     "\"mimeType\":\"image/png\",\"width\":9,")) <
					heard.len,
				"the store's words are what counts");
	}
	/* One upload, told a hundred times. */
	int before = loopback_connections(&back_end);
	for (int i = 0; i < 100; i++) {
		snprintf(request_id, sizeof(request_id), "I%d", i);
		body_of_kind(&body, TICKET_FORM, "own", "E", request_id);
		if (post_signed(&asking, key_url("/key.pem"), body.ptr) != 200)
			break;
	}
	IS(slice_str(answer_text), S(OKAY), "what is known is not denied");
	IS_INT(loopback_connections(&back_end), before, "but nobody is told again");
	struct app_stats stats;
	app_stats(asking.app, &stats);
	uint64_t refused = 0;
	for (enum callback_verdict i = CALLBACK_MALFORMED; i < CALLBACK_UNDECIDED; i++)
		refused += outcomes_callbacks(stats.outcomes, i);
	OK(outcomes_callbacks(stats.outcomes, CALLBACK_RECORDED) == 4 && refused == 13 &&
			outcomes_callbacks(stats.outcomes, CALLBACK_UNDECIDED) == 8 &&
			stats.confirms,
		"all of it is counted, and no answer turns confirming off");
}

struct waited {
	struct ledger_grant grant;
	struct ledger_question question;
	bool done;
};

static void on_written(struct task *task)
{
	struct ledger_grant *grant = CONTAINER_OF(task, struct ledger_grant, done);
	CONTAINER_OF(grant, struct waited, grant)->done = true;
}

static void on_looked_up(struct task *task)
{
	struct ledger_question *q = CONTAINER_OF(task, struct ledger_question, done);
	CONTAINER_OF(q, struct waited, question)->done = true;
}

static void write_down(const char *id)
{
	struct waited w = {.grant = {.id = slice_str(id),
				   .subject = S(""),
				   .dir = S("dir/"),
				   .issued_ms = NOW_S * 1000ll,
				   .expires = NOW_S + 300,
				   .due = NOW_S + 90000,
				   .home = &here.executor,
				   .done.run = on_written}};
	ledger_issue(ledger, &w.grant);
	waiting_until(&here, &w.done);
	OK(w.grant.recorded, "a grant is written down");
}

static void became(const char *id, const char *state, const char *reason)
{
	struct waited w = {
		.question = {
			.id = slice_str(id), .home = &here.executor, .done.run = on_looked_up}};
	ledger_ask(ledger, &w.question);
	waiting_until(&here, &w.done);
	IS(w.question.found ? w.question.state : S("(none)"), slice_str(state), "its state");
	IS(w.question.reason, slice_str(reason), "its reason");
	ledger_question_release(&w.question);
}

static void what_becomes_of_a_grant(void)
{
	SCOPED_STRBUF(body, 4000);
	body_id = "00000000aaaaaaaaaaaaaaaa";
	write_down(body_id);
	body_of_kind(&body, TICKET_FORM, "gone", "E", "G1");
	IS_INT(post(&asking, &(struct message){.body = body.ptr,
				     .key_url = key_url("/key.pem"),
				     .authorization = S("c2lnbmVkIGJ5IG5vYm9keQ==")}),
		400, "a callback that no store has signed");
	became(body_id, "issued", "");
	IS_INT(post_signed(&asking, key_url("/key.pem"), body.ptr), 400, "of an upload never made");
	became(body_id, "rejected", "the store has no such object");
	body_id = "00000000bbbbbbbbbbbbbbbb";
	write_down(body_id);
	body_of_kind(&body, TICKET_FORM, "broken", "E", "G2");
	IS_INT(post_signed(&asking, key_url("/key.pem"), body.ptr), 503, "of one not to be seen");
	became(body_id, "pending", "the store cannot be asked about the object");
	body_id = ID;
}

static void forbidden(void)
{
	SCOPED_STRBUF(body, 4000);
	body_of_kind(&body, TICKET_FORM, "any", "E", "J1");
	IS_INT(post_signed(&automatic, key_url("/key.pem"), body.ptr), 200,
		"what cannot be asked is believed");
	body_of_kind(&body, TICKET_FORM, "any", "E", "J2");
	IS_INT(post_signed(&insisting, key_url("/key.pem"), body.ptr), 503,
		"unless it was insisted on");
	body_of_kind(&body, TICKET_FORM, "own", "E", "J3");
	IS_INT(post_signed(&insisting, key_url("/key.pem"), body.ptr), 200,
		"a store that tells again");
}

static void forged_keys(void)
{
	char urls[8][200];
	snprintf(urls[0], 200, "http://127.0.0.1:%d/key.pem", stranger.port);
	snprintf(urls[1], 200, "http://127.0.0.1:%d@127.0.0.1:%d/", key_server.port, stranger.port);
	snprintf(urls[2], 200, "https://127.0.0.1:%d/key.pem", key_server.port);
	snprintf(urls[3], 200, "http://127.0.0.1:%d.example/key.pem", key_server.port);
	snprintf(urls[4], 200, "HTTP://127.0.0.1:%d/key.pem", key_server.port);
	snprintf(urls[5], 200, "http://gosspublic.alicdn.com.example/key.pem");
	snprintf(urls[6], 200, "http://127.0.0.1:%d/key.pem\r\nHost: x", key_server.port);
	snprintf(urls[7], 200, " http://127.0.0.1:%d/key.pem", key_server.port);
	SCOPED_STRBUF(body, 4000);
	body_with_grant(&body, "dir%2Fa", "F1", "dir/", NOW_S + 300);
	int before = loopback_connections(&key_server);
	for (size_t i = 0; i < ARRAY_LEN(urls); i++) {
		IS_INT(post_signed(&plain, urls[i], body.ptr), 400, "a key URL that is not pinned");
		IS(slice_str(answer_text), S(REFUSED("the public key's URL is not trusted")),
			"the reason");
	}
	IS_INT(loopback_connections(&stranger), 0, "nobody was asked for it");
	IS_INT(loopback_connections(&key_server), before, "nobody at all");
}

static void bad_grants(void)
{
	static const struct {
		const char *name, *body, *reason;
	} rows[] = {
		{"no grant", "object=dir%2Fa&reqId=1", REFUSED("there is no grant in the body")},
		{"no body", "", REFUSED("there is no grant in the body")},
		{"a malformed grant", "object=dir%2Fa&reqId=1&grant=x",
			REFUSED("the grant is malformed")},
		{"a forged grant",
			"object=dir%2Fa&reqId=1&grant=000000000000000000000000.f.1.99999999999.."
			"00000000000000000000000000000000",
			REFUSED("the grant is not from this server")},
		{"two grants", "object=dir%2Fa&reqId=1&grant=x&grant=y",
			REFUSED("the body names a member twice")},
		{"a bad escape", "object=dir%2&reqId=1&grant=x",
			REFUSED("the body is no well-formed form")},
		{"no UTF-8", "object=dir%FF&reqId=1&grant=x", REFUSED("the body is not UTF-8")},
		{"a bad size", "object=a&reqId=1&size=1x",
			REFUSED("size, width or height is no number")},
		{"another bucket", "bucket=x&object=a&reqId=1",
			REFUSED("the upload went to another bucket")},
	};
	int before = loopback_connections(&key_server);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		IS_INT(post_signed(&plain, key_url("/not-yet-fetched"), rows[i].body), 400,
			rows[i].name);
		IS(slice_str(answer_text), slice_str(rows[i].reason), "the reason");
	}
	SCOPED_STRBUF(body, 4000);
	body_with_grant(&body, "other%2Fa", "G1", "dir/", NOW_S + 300);
	IS_INT(post_signed(&plain, key_url("/not-yet-fetched"), body.ptr), 400, "another folder");
	IS(slice_str(answer_text), S(REFUSED("the grant is for other object names")), "the reason");
	body_with_grant(&body, "dir%2Fa", "G1", "dir/", NOW_S - TICKET_SLACK_SECONDS - 1);
	IS_INT(post_signed(&plain, key_url("/not-yet-fetched"), body.ptr), 400, "an old grant");
	IS(slice_str(answer_text), S(REFUSED("the grant has expired")), "the reason");
	body_with_grant(&body, "dir%2Fa", "", "dir/", NOW_S + 300);
	IS_INT(post_signed(&plain, key_url("/not-yet-fetched"), body.ptr), 400, "no request id");
	IS_INT(loopback_connections(&key_server), before, "no key was fetched for any of them");
}

static void bad_signatures(void)
{
	SCOPED_STRBUF(body, 4000);
	SCOPED_STRBUF(authorization, 4000);
	body_with_grant(&body, "dir%2Fa", "S1", "dir/", NOW_S + 300);
	const char *url = key_url("/key.pem");
	int before = loopback_connections(&key_server);
	sign(keys[0], "/callback?a=2", body.ptr, &authorization);
	struct message m = {
		.body = body.ptr, .key_url = url, .authorization = strbuf_slice(&authorization)};
	IS_INT(post(&plain, &m), 400, "signed for another path");
	IS(slice_str(answer_text), S(REFUSED("the signature does not verify")), "the reason");
	sign(keys[0], "/callback?a=1", "another body", &authorization);
	m.authorization = strbuf_slice(&authorization);
	IS_INT(post(&plain, &m), 400, "another body");
	sign(keys[1], "/callback?a=1", body.ptr, &authorization);
	m.authorization = strbuf_slice(&authorization);
	IS_INT(post(&plain, &m), 400, "another key");
	m.authorization = S("AAAA");
	IS_INT(post(&plain, &m), 400, "a short signature");
	m.authorization = S("!");
	IS_INT(post(&plain, &m), 400, "no base64");
	m.authorization = S("");
	IS_INT(post(&plain, &m), 400, "no Authorization");
	sign(keys[0], "/callback?a=1", body.ptr, &authorization);
	m.authorization = strbuf_slice(&authorization);
	m.key_url = NULL;
	IS_INT(post(&plain, &m), 400, "no key URL");
	IS_INT(loopback_connections(&key_server), before,
		"a key of this minute is not fetched again");
	m.key_url = url;
	IS_INT(post(&plain, &m), 200, "and after all that the true one passes");
}

static void keys_that_fail(void)
{
	static const char *const paths[] = {"/missing.pem", "/text.pem", "/moved.pem"};
	SCOPED_STRBUF(body, 4000);
	body_with_grant(&body, "dir%2Fa", "K1", "dir/", NOW_S + 300);
	for (size_t i = 0; i < ARRAY_LEN(paths); i++) {
		int before = loopback_connections(&key_server);
		IS_INT(post_signed(&plain, key_url(paths[i]), body.ptr), 503, paths[i]);
		IS_INT(post_signed(&plain, key_url(paths[i]), body.ptr), 503, "once more");
		IS_INT(loopback_connections(&key_server), before + 1, "it is not fetched again");
		atomic_fetch_add(&test_clock.ms, 6000);
		IS_INT(post_signed(&plain, key_url(paths[i]), body.ptr), 503, "later");
		IS_INT(loopback_connections(&key_server), before + 2, "it is");
	}
}

static void new_key(void)
{
	SCOPED_STRBUF(body, 4000);
	SCOPED_STRBUF(authorization, 4000);
	loopback_change(&key_server, later_answers);
	atomic_fetch_add(&test_clock.ms, 61000);
	body_with_grant(&body, "dir%2Fa", "N1", "dir/", NOW_S + 300);
	sign(keys[1], "/callback?a=1", body.ptr, &authorization);
	int before = loopback_connections(&key_server);
	struct message m = {.body = body.ptr,
		.key_url = key_url("/key.pem"),
		.authorization = strbuf_slice(&authorization)};
	IS_INT(post(&plain, &m), 200, "the store has a new key");
	IS_INT(loopback_connections(&key_server), before + 1, "it was fetched");
	IS_INT(post_signed(&plain, key_url("/key.pem"), body.ptr), 400, "the old one is void");
	IS_INT(loopback_connections(&key_server), before + 1, "for the time being");
	atomic_store(&test_clock.ms, (int64_t)NOW_S * 1000);
}

static void trusted(void)
{
	SCOPED_STRBUF(pem, 4000);
	SCOPED_STRBUF(body, 4000);
	const char *url = "http://store.example/-/key.pem";
	body_with_grant(&body, "dir%2Fa", "T1", "dir/", NOW_S + 300);
	IS_INT(post_signed(&told, url, body.ptr), 400, "a store that is not ours");
	if (rsa_private_public_pem(keys[0], &pem) != ERR_OK)
		abort();
	OK(app_trust_key(told.app, slice_str(url), strbuf_slice(&pem)) == ERR_OK, "becomes ours");
	OK(app_trust_key(told.app, slice_str(url), S("x")) == ERR_INVALID_ARGUMENT, "no key");
}

static void back_ends(void)
{
	SCOPED_STRBUF(body, 4000);
	const char *url = "http://store.example/-/key.pem";
	body_with_grant(&body, "dir%2Fa%22b", "W1", "dir/", NOW_S + 300);
	IS_INT(post_signed(&told, url, body.ptr), 200, "a back end is told");
	IS(slice_str(answer_text), S("{\"id\":42}"), "its answer is ours");
	struct slice all = strbuf_slice(&back_end.last);
	OK(slice_starts(all, S("POST /good HTTP/1.1\r\n")), "by POST");
	OK(slice_find_slice(all, S("{\"bucket\":\"uploads\",\"object\":\"dir/a\\\"b\","
				   "\"etag\":\"E\",\"size\":5,\"mimeType\":\"image/png\","
				   "\"width\":null,\"height\":null,\"format\":\"\","
				   "\"clientIp\":\"::1\",\"reqId\":\"W1\",\"grantId\":\"")) <
			all.len,
		"of what was uploaded");
	int before = loopback_connections(&back_end);
	IS_INT(post_signed(&told, url, body.ptr), 400, "the same again");
	IS_INT(loopback_connections(&back_end), before, "is not told");
	body_with_grant(&body, "dir%2Fa", "W2", "dir/", NOW_S + 300);
	IS_INT(post_signed(&told_badly, key_url("/key.pem"), body.ptr), 400, "keys are per server");
	SCOPED_STRBUF(authorization, 4000);
	sign(keys[1], "/callback?a=1", body.ptr, &authorization);
	IS_INT(post(&told_badly, &(struct message){.body = body.ptr,
					 .key_url = key_url("/key.pem"),
					 .authorization = strbuf_slice(&authorization)}),
		502, "a back end that fails");
	IS_INT(post(&told_oddly, &(struct message){.body = body.ptr,
					 .key_url = key_url("/key.pem"),
					 .authorization = strbuf_slice(&authorization)}),
		400, "what is recorded is recorded for all");
	body_with_grant(&body, "dir%2Fa", "W3", "dir/", NOW_S + 300);
	sign(keys[1], "/callback?a=1", body.ptr, &authorization);
	IS_INT(post(&told_oddly, &(struct message){.body = body.ptr,
					 .key_url = key_url("/key.pem"),
					 .authorization = strbuf_slice(&authorization)}),
		502, "a back end that answers with no JSON");
}

static void large(void)
{
	static char body[LIMIT_APP_BODY_BYTES + 2];
	memset(body, 'x', LIMIT_APP_BODY_BYTES + 1);
	struct message m = {.body = body, .key_url = key_url("/key.pem"), .authorization = S("A")};
	IS_INT(post(&plain, &m), 413, "a body that is too long");
	body[LIMIT_APP_BODY_BYTES] = '\0';
	IS_INT(post(&plain, &m), 400, "the longest is read");
	SCOPED_STRBUF(request, 1 << 20);
	SCOPED_STRBUF(answer, 1 << 20);
	strbuf_adds(&request, "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n"
			      "Connection: close\r\n\r\n10000\r\n");
	strbuf_add(&request, body, LIMIT_APP_BODY_BYTES);
	strbuf_adds(&request, "\r\n1\r\nx\r\n0\r\n\r\n");
	loopback_ask(plain.port, strbuf_slice(&request), &answer);
	OK(slice_starts(strbuf_slice(&answer), S("HTTP/1.1 413 ")), "too long in chunks");
}

/* Callbacks that Alibaba Cloud has signed. */
static void genuine(void)
{
	static const struct {
		const char *target, *body, *signature, *type;
	} rows[] = {
		{"/index.php?id=1&index=2", "bucket=yonghu-test",
			"kKQeGTRccDKyHB3H9vF+xYMSrmhMZjzzl2/kdD1ktNVgbWEfYTQG0G2S"
			"U/RaHBovRCE8OkQDjC3uG33esH2txA==",
			NULL},
		{"/",
			"filename=.snappython.png&size=6014&mimeType=image%2Fpng&height=221&"
			"width=396",
			"fsNxFF0wNOpC0YMNAoFb//a8x6v2lI1ih7kXIh3nFUDALgku9bhC+cWQ"
			"snxuCo88vahKtBUmnDI6k1PofggA4g==",
			NULL},
		{"/api/v3/callback/oss/TnXx5E5VyfJUyM1UdkdDu1rtnJ34EbmH",
			"{\"name\":\"2f7b2ccf30e9270ea920f1ab8a4037a546a2f0d5.jpg\",\"source_"
			"name\":"
			"\"1/1_hFRtDLgM_2f7b2ccf30e9270ea920f1ab8a4037a546a2f0d5.jpg\",\"size\":"
			"114020,\"pic_info\":\"810,539\"}",
			"e5LwzwTkP9AFAItT4YzvdJOHd0Y0wqTMWhsV/h5SG90JYGAmMd+8LQyj"
			"96R+9qUfJWjMt6suuUh7LaOryR87Dw==",
			"application/json"},
		{"/api/osscallguanfanback?authid=4af091d4-c5c9-4e18-bbdc-2fe489f4887f",
			"filename=test%2Fcaipu%2F5%2Fa%2F2%2F5aa308723660421a560fcc062d745502.jpg&"
			"size=10606&mimeType=image%2Fjpeg&height=400&width=650",
			"WxTga53k31TD59o6JF1jh9zcrInTDlfodb0OgQuzlO5Qaf18NxcqxlcpU4gMuhUrQ0lTmWrXji"
			"8gFVTKIc9JJQ==",
			NULL},
		{"/api/AliYunOssCallback",
			"filename=headSculpture%2Fjikang2.jpg&size=108904&mimeType=image%2Fjpeg&"
			"height=278&width=200",
			"HHtQ8zgAo4WUCg7Iy/njrsluS+ZDmgMwIHag+vmRvIC4Ph5rxNQ3+WOfJZvzwIKQsNftEDC0PC"
			"U03hpjId3vIQ==",
			NULL},
		{"/api/any",
			"filename=\"local/var/www/zhuye.png\"&size=5385&mimeType=\"application/"
			"octet-stream\"&height=256&width=256",
			"E6i//T0rnM/xu4wQjnKODWSYsyQdR2e8KIreuRihpBQzoy70q7KmdvrIR3vxNGi8OdCswE+QOf"
			"Pt+O3PvA5NMA==",
			"application/json"},
		{"/temp/oss/index.php",
			"{\"mimeType\":\"image/png\", \"size\":1081151, \"filename\","
			"\"ipa/demo/4c7ccb26-8495-4f46-be10-df2b3296b7f6.png\", "
			"\"bucket\":\"oss-mixmedia-com\"}",
			"MEV0a4eDF4hqB2W1b7Xm9fj8N9NmGHmgKThpMJqFOf+qFoLJsy5AolGPYL/"
			"nQqvNhDQQ3MV74/VJT9p0iOg6ng==",
			"application/json"},
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct message m = {.target = rows[i].target,
			.body = rows[i].body,
			.key_url = "http://gosspublic.alicdn.com/callback_pub_key_v1.pem",
			.authorization = slice_str(rows[i].signature),
			.type = rows[i].type};
		IS_INT(post(i < 4 ? &classic : &classic_too, &m), 200, rows[i].target);
		char changed[1000];
		snprintf(changed, sizeof(changed), "%s", rows[i].body);
		changed[strlen(changed) - 1] ^= 1;
		m.body = changed;
		IS_INT(post(i < 4 ? &classic : &classic_too, &m), 400, "not with a changed body");
	}
}

static void open_site(struct site *site, const struct app_options *options)
{
	char why[200];
	const struct app_parts parts = {.outgoing = outgoing,
		.confirming = confirming,
		.ledger = ledger,
		.clock = &test_clock.clock,
		.allow = allow};
	if (app_new(options, &parts, &site->app, why, sizeof(why)) != ERR_OK) {
		printf("Bail out! %s\n", why);
		abort();
	}
	if (!server_listen(server, "127.0.0.1:0", app_service(site->app), NULL, &site->port))
		abort();
}

static void open_sites(void)
{
	static const char alibaba_key[] =
		"-----BEGIN PUBLIC KEY-----\n"
		"MFwwDQYJKoZIhvcNAQEBBQADSwAwSAJBAKs/JBGzwUB2aVht4crBx3oIPBLNsjGs\n"
		"C0fTXv+nvlmklvkcolvpvXLTjaxUHR3W9LXxQ2EHXAJfCB+6H2YF1k8CAwEAAQ==\n"
		"-----END PUBLIC KEY-----\n";
	const struct slice alibaba_url = S("http://gosspublic.alicdn.com/callback_pub_key_v1.pem");
	char pinned[200], good[200], bad[200], text[200];
	snprintf(pinned, sizeof(pinned), "http://127.0.0.1:%d/", key_server.port);
	snprintf(good, sizeof(good), "http://127.0.0.1:%d/good", back_end.port);
	snprintf(text, sizeof(text), "http://127.0.0.1:%d/text", back_end.port);
	snprintf(bad, sizeof(bad), "http://127.0.0.1:%d/bad", back_end.port);
	struct app_options o = app_options_default();
	o.multipart_path = ""; /* nothing is asked about it */
	o.hosts = "app a";
	o.access_key_id = "id";
	o.access_key_secret = "secret";
	o.host = "http://127.0.0.1:9000/uploads";
	o.callback_url = "http://127.0.0.1:8888/callback?a=1";
	o.upload_dir = "dir/";
	o.key_urls = pinned;
	char store_url[200], forbidding_url[200];
	snprintf(store_url, sizeof(store_url), "http://127.0.0.1:%d/uploads", store.port);
	snprintf(forbidding_url, sizeof(forbidding_url), "http://127.0.0.1:%d/uploads",
		forbidding.port);
	o.confirm = APP_CONFIRM_ON;
	o.max_size = 12345678901;
	o.store_url = store_url;
	o.webhook_url = good;
	open_site(&asking, &o);
	o.webhook_url = NULL;
	o.store_url = forbidding_url;
	open_site(&insisting, &o);
	o.confirm = APP_CONFIRM_AUTO;
	open_site(&automatic, &o);
	o.store_url = NULL;
	o.confirm = APP_CONFIRM_OFF;
	open_site(&plain, &o);
	o.callback_answer = "[1]";
	open_site(&other_answer, &o);
	o.webhook_url = good;
	open_site(&told, &o);
	o.webhook_url = bad;
	open_site(&told_badly, &o);
	o.webhook_url = text;
	open_site(&told_oddly, &o);
	o.webhook_url = NULL;
	o.key_urls = app_options_default().key_urls;
	o.require_grant = false;
	o.host = "http://127.0.0.1:9000/yonghu-test";
	o.callback_url = "http://x/index.php;http://x/api/v3/callback/oss/"
			 "TnXx5E5VyfJUyM1UdkdDu1rtnJ34EbmH;http://x/api/osscallguanfanback";
	open_site(&classic, &o);
	o.callback_url = "http://x/api/AliYunOssCallback;http://x/api/any;"
			 "http://x/temp/oss/index.php";
	open_site(&classic_too, &o);
	if (app_trust_key(classic.app, alibaba_url, slice_str(alibaba_key)) != ERR_OK ||
		app_trust_key(classic_too.app, alibaba_url, slice_str(alibaba_key)) != ERR_OK)
		abort();
}

static void make_keys(void)
{
	for (int i = 0; i < 2; i++) {
		SCOPED_STRBUF(pem, 3000);
		if (rsa_private_generate(1024, &keys[i]) != ERR_OK ||
			rsa_private_public_pem(keys[i], &pem) != ERR_OK)
			abort();
		snprintf(key_answers[i], sizeof(key_answers[i]),
			"HTTP/1.1 200 OK\r\nContent-Length: %zu\r\n\r\n%s", pem.len, pem.ptr);
	}
}

int main(void)
{
	char folder[] = P_tmpdir "/postern-receive-XXXXXX", path[100], text[100];
	make_keys();
	waiting_init(&here);
	ticket_key_derive(S("secret"), &ticket_key);
	loopback_start(&key_server, first_answers);
	loopback_start(&back_end, back_end_answers);
	loopback_start(&stranger, first_answers);
	loopback_start(&store, store_answers);
	loopback_start(&forbidding, forbidden_answers);
	snprintf(text, sizeof(text), "127.0.0.1:%d 127.0.0.1:%d", key_server.port, stranger.port);
	if (!mkdtemp(folder))
		return 1;
	snprintf(path, sizeof(path), "%s/ledger.db", folder);
	if (allow_list_parse(slice_str(text), &allow, NULL) != ERR_OK ||
		outgoing_new(&(struct outgoing_options){.ca_file = NULL}, &outgoing) != ERR_OK ||
		outgoing_new(&(struct outgoing_options){.ca_file = NULL}, &confirming) != ERR_OK ||
		ledger_open(&(struct ledger_place){.path = path}, &ledger) != ERR_OK ||
		!(server = server_new(2, 0)))
		return 1;
	open_sites();
	if (!server_start(server))
		return 1;
	believed();
	probes();
	what_the_store_says();
	what_becomes_of_a_grant();
	forbidden();
	forged_keys();
	bad_grants();
	bad_signatures();
	keys_that_fail();
	new_key();
	trusted();
	back_ends();
	large();
	genuine();
	server_stop(server, NULL);
	server_drain(server, NULL, 10000);
	outgoing_stop(outgoing, 0);
	outgoing_stop(confirming, 0);
	ledger_close(ledger);
	server_free(server);
	struct site *sites[] = {&plain, &other_answer, &told, &told_badly, &told_oddly, &classic,
		&classic_too, &asking, &automatic, &insisting};
	for (size_t i = 0; i < ARRAY_LEN(sites); i++)
		app_free(sites[i]->app);
	outgoing_free(outgoing);
	outgoing_free(confirming);
	allow_list_free(allow);
	loopback_stop(&key_server);
	loopback_stop(&back_end);
	loopback_stop(&stranger);
	loopback_stop(&store);
	loopback_stop(&forbidding);
	rsa_private_free(keys[0]);
	rsa_private_free(keys[1]);
	unlink(path);
	rmdir(folder);
	return tap_done();
}
