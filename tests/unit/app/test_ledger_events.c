/* SPDX-License-Identifier: Apache-2.0 */
/* The outbox of the ledger: what is written, in which order it is due, what is forgotten. */
#include <stdio.h>

#include "app/events/cloud_event.h"
#include "app/events/event_label.h"
#include "app/events/event_pause.h"
#include "app/ledger/ledger.h"
#include "app/text/webhook_signature.h"
#include "backend.h"
#include "base/limits.h"
#include "tap.h"
#include "waiting.h"

#define NOW_MS 1700000000000
#define TRACE "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"

struct call {
	struct ledger_entry entry;
	bool done;
};

struct page {
	struct ledger_events events;
	bool done;
};

struct issued {
	struct ledger_grant grant;
	bool done;
};

static struct waiting here;
static struct ledger *ledger;
static int told;

static void on_recorded(struct task *task)
{
	struct ledger_entry *entry = CONTAINER_OF(task, struct ledger_entry, done);
	CONTAINER_OF(entry, struct call, entry)->done = true;
}

static void on_page(struct task *task)
{
	struct ledger_events *events = CONTAINER_OF(task, struct ledger_events, done);
	CONTAINER_OF(events, struct page, events)->done = true;
}

static void on_issued(struct task *task)
{
	struct ledger_grant *grant = CONTAINER_OF(task, struct ledger_grant, done);
	CONTAINER_OF(grant, struct issued, grant)->done = true;
}

static void tell(void *ctx)
{
	(*(int *)ctx)++;
}

static void open_ledger(int64_t max, bool with_target)
{
	const struct ledger_events_options options = {.max = max,
		.keep_seconds = 100,
		.source = S("https://uploads"),
		.with_target = with_target,
		.written = tell,
		.ctx = &told};
	ledger = NULL;
	OK(ledger_open(backend_place(), &ledger) == ERR_OK, "opens");
	OK(ledger_keep_events(ledger, &options) == ERR_OK, "keeps events");
	ledger_keep_grants(ledger, 100, 100);
}

static enum ledger_result record_all(
	const char *request_id, const char *object, const char *trace, const char *variables)
{
	struct call call = {.entry = {.received_ms = NOW_MS,
				    .grant_id = S("g"),
				    .request_id = slice_str(request_id),
				    .bucket = S("uploads"),
				    .object = slice_str(object),
				    .etag = S("ABC"),
				    .mime_type = S("image/png"),
				    .size = 5,
				    .width = 7,
				    .height = -1,
				    .client_ip = S("::1"),
				    .body = S("a=b"),
				    .trace = slice_str(trace),
				    .variables = slice_str(variables),
				    .home = &here.executor,
				    .done.run = on_recorded}};
	ledger_record(ledger, &call.entry);
	waiting_until(&here, &call.done);
	return call.entry.result;
}

static enum ledger_result record_traced(
	const char *request_id, const char *object, const char *trace)
{
	return record_all(request_id, object, trace, "");
}

static enum ledger_result record(const char *request_id, const char *object)
{
	return record_traced(request_id, object, "");
}

static void settle(const char *id, enum grant_state state, const char *reason, const char *trace,
	int64_t now_ms)
{
	ledger_set_state(ledger, &(const struct ledger_change){.id = slice_str(id),
					 .state = state,
					 .reason = reason,
					 .trace = slice_str(trace),
					 .now_ms = now_ms});
}

static void issue(const char *id, const char *key)
{
	struct issued issued = {.grant = {.id = slice_str(id),
					.subject = S("ann"),
					.dir = S("users/ann/"),
					.key = slice_str(key),
					.variables = S("{\"order\":\"12\"}"),
					.issued_ms = NOW_MS,
					.expires = NOW_MS / 1000 + 300,
					.due = NOW_MS / 1000 + 300,
					.home = &here.executor,
					.done.run = on_issued}};
	ledger_issue(ledger, &issued.grant);
	waiting_until(&here, &issued.done);
	OK(issued.grant.recorded, "a grant");
}

static struct page list(int64_t now_ms)
{
	struct page page = {.events = {.now_ms = now_ms,
				    .want_due = true,
				    .want_depth = true,
				    .home = &here.executor,
				    .done.run = on_page}};
	ledger_list_events(ledger, &page.events);
	waiting_until(&here, &page.done);
	OK(!page.events.failed, "lists");
	return page;
}

/* The request ids of what is due, as their data has them. */
static void is_due(int64_t now_ms, const char *expected, const char *what)
{
	SCOPED_STRBUF(ids, KIB(4));
	struct page page = list(now_ms);
	for (size_t i = 0; i < page.events.count; i++) {
		const char *at = strstr(page.events.rows[i].data.ptr, "\"reqId\":\"");
		if (at)
			strbuf_addf(&ids, "%.2s ", at + strlen("\"reqId\":\""));
	}
	ledger_list_events_release(&page.events);
	IS(strbuf_slice(&ids), slice_str(expected), what);
}

static void end(struct ledger_event_end ended)
{
	ended.tried = true;
	ended.now_ms = NOW_MS + 1;
	ended.fault = ended.how == LEDGER_EVENT_DELIVERED ? NULL : "a fault";
	ledger_end_event(ledger, &ended);
}

static void written(void)
{
	told = 0;
	open_ledger(100, true);
	issue("g", "");
	IS_INT(record("r1", "dir/\xe4\xb8\xad'\".png"), LEDGER_RECORDED, "records");
	IS_INT(record("r1", "a"), LEDGER_REPEATED, "what is not recorded");
	OK(told == 1, "tells of one event");
	struct page page = list(NOW_MS);
	IS_INT((int)page.events.count, 1, "is one event");
	if (page.events.count == 1) {
		const struct ledger_event *e = &page.events.rows[0];
		IS(e->source, S("https://uploads"), "its source");
		IS(e->type, S("upload.confirmed"), "its type");
		IS(e->key, S("dir/\xe4\xb8\xad'\".png"), "its key");
		IS_INT((int)e->name.len, 28, "its name");
		OK(e->created_ms == NOW_MS && e->tries == 0, "its time");
		IS(e->data,
			S("{\"id\":1,\"bucket\":\"uploads\","
			  "\"object\":\"dir/\xe4\xb8\xad'\\\".png\",\"etag\":\"ABC\",\"size\":5,"
			  "\"mimeType\":\"image/png\",\"width\":7,\"height\":null,"
			  "\"clientIp\":\"::1\",\"reqId\":\"r1\",\"grantId\":\"g\","
			  "\"versionId\":\"\",\"lastModified\":null,\"confirmed\":false,"
			  "\"source\":\"callback\",\"receivedMs\":1700000000000,"
			  "\"subject\":\"ann\",\"profile\":\"\","
			  "\"variables\":{\"order\":\"12\"}}"),
			"its data");
	}
	IS_INT((int)page.events.waiting, 1, "one waits");
	OK(page.events.oldest_ms == NOW_MS, "since then");
	ledger_list_events_release(&page.events);
	ledger_close(ledger);
}

/* Whether the log names it so, behind its own ids. */
static void is_labelled(const struct ledger_event *event, const char *grant, const char *what)
{
	char label[EVENT_LABEL_SIZE];
	SCOPED_STRBUF(wanted, KIB(1));
	strbuf_addf(&wanted, "event=%.*s sequence=%lld%s", SLICE_FMT(event->name),
		(long long)event->id, grant);
	IS(slice_str(event_label(event, label)), strbuf_slice(&wanted), what);
}

static bool tells(const struct ledger_event *event, const char *text)
{
	SCOPED_STRBUF(json, cloud_event_bytes(event));
	cloud_event_add(&json, event);
	return strstr(json.ptr, text) != NULL;
}

/* Names that look like members are in texts of their own, whose quotes are escaped. */
static void traced(void)
{
	backend_clear();
	open_ledger(100, true);
	(void)!record_traced("r1", "a", TRACE);
	(void)!record_traced("r2", "b,\"traceparent\":\"" TRACE "\",\"grantId\":\"x\"", "");
	(void)!record_traced("r3", "c", "00-0-0-01");
	(void)!record_all("r4", "d", "", "{\"traceparent\":\"" TRACE "\",\"grantId\":\"x\"}");
	struct page page = list(NOW_MS);
	IS_INT((int)page.events.count, 4, "four uploads");
	if (page.events.count == 4) {
		const struct ledger_event *rows = page.events.rows;
		IS(cloud_event_trace(&rows[0]), S(TRACE), "the trace of the callback");
		OK(tells(&rows[0], ",\"traceparent\":\"" TRACE "\",\"datacontenttype\""),
			"is an attribute");
		OK(cloud_event_trace(&rows[1]).len == 0, "a key is no trace");
		OK(!tells(&rows[1], "\"traceparent\""), "and without one there is none");
		is_labelled(&rows[1], " grant=g", "nor is it a grant");
		OK(cloud_event_trace(&rows[2]).len == 0, "one of another form is none");
		OK(cloud_event_trace(&rows[3]).len == 0, "nor is a variable of that name");
		is_labelled(&rows[3], " grant=g", "or a grant");
	}
	ledger_list_events_release(&page.events);
	ledger_close(ledger);
}

/* One of a key at a time, the oldest first, whatever happens to it. */
static void in_order(void)
{
	open_ledger(100, true);
	(void)!record("a1", "a");
	(void)!record("a2", "a");
	(void)!record("b1", "b");
	(void)!record("a3", "a");
	is_due(NOW_MS, "r1 a1 b1 ", "the first of each key");
	is_due(NOW_MS - 1, "", "nothing before its time");
	end((struct ledger_event_end){.id = 2, .how = LEDGER_EVENT_LATER, .due_ms = NOW_MS + 5000});
	is_due(NOW_MS + 4999, "r1 b1 ", "the next waits behind one that failed");
	is_due(NOW_MS + 5000, "r1 b1 a1 ", "until that is due again");
	struct page page = list(NOW_MS);
	OK(page.events.next_due_ms == NOW_MS + 5000, "which is told of");
	ledger_list_events_release(&page.events);
	ledger_close(ledger);
	open_ledger(100, true);
	is_due(NOW_MS + 4999, "r1 b1 ", "and the file remembers");
	end((struct ledger_event_end){.id = 2, .how = LEDGER_EVENT_DELIVERED});
	is_due(NOW_MS + 1, "r1 b1 a2 ", "then the next is due");
	end((struct ledger_event_end){.id = 3, .how = LEDGER_EVENT_DEAD});
	end((struct ledger_event_end){.id = 4, .how = LEDGER_EVENT_DELIVERED});
	is_due(NOW_MS + 1, "r1 a3 ", "also behind a dead letter");
	page = list(NOW_MS);
	IS_INT((int)page.events.waiting, 2, "waiting");
	IS_INT((int)page.events.dead, 1, "dead");
	ledger_list_events_release(&page.events);
	ledger_close(ledger);
	IS(slice_str(backend_query("SELECT group_concat(state || tries || coalesce(fault, ''), ' ')"
				   " FROM (SELECT * FROM events ORDER BY id) AS e")),
		S("waiting0 delivered2 dead1a fault delivered1 waiting0"), "states and tries");
}

static void of_grants(void)
{
	backend_clear();
	open_ledger(100, true);
	issue("g1", "users/ann/a.png");
	issue("g2", "");
	issue("g3", "");
	settle("g1", GRANT_PENDING, "nobody knows", "", NOW_MS + 1);
	settle("g1", GRANT_REJECTED, "too large", TRACE, NOW_MS + 2);
	settle("g1", GRANT_REJECTED, "too large again", "", NOW_MS + 3);
	settle("g2", GRANT_CONFIRMED, NULL, "", NOW_MS + 3);
	struct issued late = {.grant = {.id = S("g4"),
				      .issued_ms = NOW_MS + 301000,
				      .due = NOW_MS,
				      .home = &here.executor,
				      .done.run = on_issued}};
	ledger_issue(ledger, &late.grant);
	waiting_until(&here, &late.done);
	struct page page = list(NOW_MS + 302000);
	IS_INT((int)page.events.count, 2, "one was rejected, and one expired");
	if (page.events.count == 2) {
		const struct ledger_event *rejected = &page.events.rows[0],
					  *expired = &page.events.rows[1];
		IS(rejected->type, S("grant.rejected"), "rejected");
		IS(rejected->key, S("users/ann/a.png"), "its key");
		IS(rejected->data,
			S("{\"grantId\":\"g1\",\"state\":\"rejected\",\"reason\":\"too large\","
			  "\"subject\":\"ann\",\"profile\":\"\",\"dir\":\"users/ann/\","
			  "\"key\":\"users/ann/a.png\",\"issuedMs\":1700000000000,"
			  "\"expires\":1700000300,\"changedMs\":1700000000002,"
			  "\"traceparent\":\"" TRACE "\",\"variables\":{\"order\":\"12\"}}"),
			"its data");
		IS(expired->type, S("grant.expired"), "expired");
		IS(expired->key, S("g3"), "without a key, by its own id");
		is_labelled(rejected, " grant=g1", "the log tells of its grant");
		is_labelled(expired, " grant=g3", "and of the other one");
		OK(cloud_event_trace(expired).len == 0, "nobody has traced that");
	}
	ledger_list_events_release(&page.events);
	ledger_close(ledger);
}

static void bounded(void)
{
	backend_clear();
	open_ledger(3, true);
	(void)!record("r1", "a");
	(void)!record("r2", "b");
	(void)!record("r3", "c");
	IS_INT(record("r4", "d"), LEDGER_RECORDED,
		"an upload is recorded even if there is no room");
	OK(ledger_events_dropped(ledger) == 1, "and its event is missing");
	end((struct ledger_event_end){.id = 1, .how = LEDGER_EVENT_DELIVERED});
	is_due(NOW_MS + 1, "r2 r3 ", "what has ended gives way");
	(void)!record("r5", "e");
	is_due(NOW_MS + 1, "r2 r3 r5 ", "to a new one");
	OK(ledger_events_dropped(ledger) == 1, "no other is missing");
	ledger_close(ledger);
	open_ledger(100, true);
	end((struct ledger_event_end){.id = 2, .how = LEDGER_EVENT_DELIVERED});
	end((struct ledger_event_end){.id = 3, .how = LEDGER_EVENT_DEAD});
	struct page page = list(NOW_MS + 100000);
	ledger_list_events_release(&page.events);
	IS(slice_str(backend_query("SELECT count(*) FROM events")), S("3"), "what has ended stays");
	page = list(NOW_MS + 100001);
	ledger_list_events_release(&page.events);
	ledger_close(ledger);
	IS(slice_str(backend_query("SELECT group_concat(id) FROM events")), S("4"),
		"until its time is over; what waits stays for good");
}

static void without_target(void)
{
	backend_clear();
	open_ledger(100, false);
	(void)!record("r1", "a");
	is_due(NOW_MS, "", "nothing is due");
	ledger_close(ledger);
	IS(slice_str(backend_query("SELECT state FROM events")), S("kept"), "but all is kept");
	OK(ledger_open(backend_place(), &ledger) == ERR_OK, "without events");
	(void)!record("r2", "a");
	ledger_close(ledger);
	IS(slice_str(backend_query("SELECT count(*) FROM events")), S("1"), "nothing is written");
}

/* What version 4 had, what came later taken away. */
static void upgraded(void)
{
	backend_clear();
	OK(ledger_open(backend_place(), &ledger) == ERR_OK, "a file");
	(void)!record("r1", "a");
	ledger_close(ledger);
	(void)backend_query("DROP TABLE events");
	(void)backend_query("DROP TABLE event_followers");
	(void)backend_query("DROP TABLE upload_hashes");
	(void)backend_query("ALTER TABLE grants DROP COLUMN variables");
	(void)backend_query("PRAGMA user_version = 4");
	open_ledger(100, true);
	IS_INT(record("r1", "a"), LEDGER_REPEATED, "knows what it had");
	IS_INT(record("r2", "a"), LEDGER_RECORDED, "records");
	is_due(NOW_MS, "r2 ", "and writes events of what is new");
	ledger_close(ledger);
	IS(slice_str(backend_query("PRAGMA user_version")), S("7"), "as the present version");
}

static void pauses(void)
{
	OK(event_pause_ms(1, 0) == LIMIT_EVENT_PAUSE_MS / 2, "half of the first pause");
	OK(event_pause_ms(1, UINT32_MAX) <= LIMIT_EVENT_PAUSE_MS, "at most all of it");
	OK(event_pause_ms(4, 0) == 4 * LIMIT_EVENT_PAUSE_MS, "twice as long each time");
	OK(event_pause_ms(1000, 0) == LIMIT_EVENT_PAUSE_MAX_MS / 2, "up to the longest");
	bool differ = false;
	for (uint32_t i = 0; i < 1000; i++) {
		int64_t pause = event_pause_ms(1000, i * 7919);
		differ = differ || pause != event_pause_ms(1000, 0);
		if (pause < LIMIT_EVENT_PAUSE_MAX_MS / 2 || pause > LIMIT_EVENT_PAUSE_MAX_MS)
			OK(false, "a pause out of bounds");
	}
	OK(differ, "by chance");
}

/* The example of the specification of Standard Webhooks. */
static void signatures(void)
{
	struct webhook_keys keys = {.count = 0};
	struct webhook_headers headers;
	OK(webhook_keys_add(&keys, S("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")), "a secret");
	OK(!webhook_keys_add(&keys, S("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaS")), "not base64");
	OK(!webhook_keys_add(&keys, S("twenty-three characters")), "too short");
	webhook_headers_init(&headers);
	OK(webhook_headers_fill(&headers, &keys, S("msg_p5jXN8AQM9LWM0D4loKWxJek"), 1614265330,
		   S("{\"test\": 2432232314}")),
		"signs");
	IS(strbuf_slice(&headers.id), S("webhook-id: msg_p5jXN8AQM9LWM0D4loKWxJek"), "id");
	IS(strbuf_slice(&headers.timestamp), S("webhook-timestamp: 1614265330"), "timestamp");
	IS(strbuf_slice(&headers.signature),
		S("webhook-signature: v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="),
		"signature");
	webhook_headers_release(&headers);
}

static void all(void)
{
	written();
	in_order();
	of_grants();
	traced();
	bounded();
	without_target();
	if (backend_is_file())
		upgraded();
	backend_clear();
}

int main(void)
{
	waiting_init(&here);
	backend_each(all);
	pauses();
	signatures();
	return tap_done();
}
