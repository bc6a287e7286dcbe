/* SPDX-License-Identifier: Apache-2.0 */
/* Two copies of the server with one ledger: what is true for both, who leads, what a fault costs.
 */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "app/ledger/ledger.h"
#include "backend.h"
#include "tap.h"
#include "waiting.h"

#define NOW_MS 1700000000000
#define TRIES 600 /* of 100 ms */

enum {
	COPIES = 2,
	MANY = 60
};

struct call {
	struct ledger_entry entry;
	bool done;
};

struct page {
	struct ledger_events events;
	bool done;
};

struct due {
	struct ledger_due due;
	bool done;
};

static struct waiting here;
static struct ledger *copies[COPIES];

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

static void on_due(struct task *task)
{
	struct ledger_due *due = CONTAINER_OF(task, struct ledger_due, done);
	CONTAINER_OF(due, struct due, due)->done = true;
}

static struct ledger *open_copy(void)
{
	struct ledger *ledger = NULL;
	const struct ledger_events_options options = {
		.max = 10000, .keep_seconds = 100, .source = S("s"), .with_target = true};
	if (ledger_open(backend_place(), &ledger) != ERR_OK ||
		ledger_keep_events(ledger, &options) != ERR_OK)
		abort();
	ledger_keep_grants(ledger, 1000, 100);
	return ledger;
}

static void open_copies(void)
{
	backend_clear();
	for (int i = 0; i < COPIES; i++)
		copies[i] = open_copy();
}

static void close_copies(void)
{
	for (int i = 0; i < COPIES; i++)
		ledger_close(copies[i]);
}

static struct call call_of(const char *grant_id, const char *request_id, const char *object)
{
	return (struct call){.entry = {.received_ms = NOW_MS,
				     .grant_id = slice_str(grant_id),
				     .request_id = slice_str(request_id),
				     .bucket = S("uploads"),
				     .object = slice_str(object),
				     .size = 5,
				     .width = -1,
				     .height = -1,
				     .home = &here.executor,
				     .done.run = on_recorded}};
}

static enum ledger_result record(struct ledger *ledger, const char *request_id, const char *object)
{
	struct call call = call_of("g", request_id, object);
	ledger_record(ledger, &call.entry);
	waiting_until(&here, &call.done);
	return call.entry.result;
}

/* The results of the same callbacks, which both copies get at the same time. */
static void race(int results[LEDGER_FAILED + 1], const char *grant_id, int64_t max_uploads)
{
	static struct call calls[COPIES][MANY];
	static char ids[MANY][16];
	for (int i = 0; i < MANY; i++) {
		snprintf(ids[i], sizeof(ids[i]), "r%d", i);
		for (int copy = 0; copy < COPIES; copy++) {
			calls[copy][i] = call_of(grant_id, ids[i], ids[i]);
			calls[copy][i].entry.max_uploads = max_uploads;
			ledger_record(copies[copy], &calls[copy][i].entry);
			usleep(500);
		}
	}
	for (int copy = 0; copy < COPIES; copy++)
		for (int i = 0; i < MANY; i++) {
			waiting_until(&here, &calls[copy][i].done);
			results[calls[copy][i].entry.result]++;
		}
}

static void races(void)
{
	int results[LEDGER_FAILED + 1] = {0};
	open_copies();
	race(results, "once", 0);
	IS_INT(results[LEDGER_RECORDED], MANY, "each upload is recorded once");
	IS_INT(results[LEDGER_REPEATED], (COPIES - 1) * MANY, "the other copy knows of it");
	int bounded[LEDGER_FAILED + 1] = {0};
	race(bounded, "bounded", 20);
	IS_INT(bounded[LEDGER_RECORDED], 20, "a grant is used up for both");
	close_copies();
	IS(slice_str(backend_query("SELECT count(*) FROM uploads")), S("80"), "so many rows");
	IS(slice_str(backend_query("SELECT count(*) FROM events")), S("80"), "and events");
}

/* ---- Who leads --------------------------------------------------------------------------------
 */

static size_t count_events(struct ledger *ledger)
{
	struct page page = {.events = {.now_ms = NOW_MS,
				    .want_due = true,
				    .home = &here.executor,
				    .done.run = on_page}};
	ledger_list_events(ledger, &page.events);
	waiting_until(&here, &page.done);
	size_t count = page.events.failed ? 0 : page.events.count;
	ledger_list_events_release(&page.events);
	return count;
}

static bool due_fails(struct ledger *ledger)
{
	struct due due = {.due = {.now = 1, .home = &here.executor, .done.run = on_due}};
	ledger_list_due(ledger, &due.due);
	waiting_until(&here, &due.done);
	ledger_due_release(&due.due);
	return due.due.failed;
}

static bool leads(struct ledger *ledger)
{
	struct ledger_stats stats;
	ledger_stats(ledger, &stats);
	return stats.leads;
}

static void one_leads(void)
{
	open_copies();
	IS_INT(record(copies[1], "r1", "a"), LEDGER_RECORDED, "an upload");
	IS_INT(record(copies[0], "r2", "a"), LEDGER_RECORDED, "another of its key");
	IS_INT((int)count_events(copies[0]), 1, "the first copy has what is due");
	IS_INT((int)count_events(copies[1]), 0, "the other has nothing");
	OK(leads(copies[0]) && !leads(copies[1]), "the first leads");
	OK(!due_fails(copies[1]), "which is no fault");
	ledger_close(copies[0]);
	int tries = 0;
	while (count_events(copies[1]) == 0 && tries++ < TRIES)
		usleep(100000);
	OK(leads(copies[1]), "the other leads when that has gone");
	const struct ledger_event_end end = {
		.id = 1, .how = LEDGER_EVENT_DELIVERED, .now_ms = NOW_MS};
	ledger_end_event(copies[1], &end);
	IS_INT((int)count_events(copies[1]), 1, "and the next of the key is due");
	ledger_close(copies[1]);
}

/* ---- Faults -----------------------------------------------------------------------------------
 */

/* One that cannot be recorded is alone with it. */
static void one_fails(void)
{
	static struct call calls[20];
	static char ids[20][16];
	int results[LEDGER_FAILED + 1] = {0};
	open_copies();
	(void)backend_query("ALTER TABLE uploads ADD CHECK (object <> 'bad')");
	for (int i = 0; i < 20; i++) {
		snprintf(ids[i], sizeof(ids[i]), "r%d", i);
		calls[i] = call_of("g", ids[i], i == 7 ? "bad" : ids[i]);
		ledger_record(copies[0], &calls[i].entry);
	}
	for (int i = 0; i < 20; i++) {
		waiting_until(&here, &calls[i].done);
		results[calls[i].entry.result]++;
	}
	IS_INT(results[LEDGER_RECORDED], 19, "the others are recorded");
	IS_INT(calls[7].entry.result, LEDGER_FAILED, "that one is not");
	close_copies();
	IS(slice_str(backend_query("SELECT count(*) FROM events")), S("19"), "as many events");
}

/* A key may be anything, for others to make sense of. */
static void bad_texts(void)
{
	open_copies();
	struct call call = call_of("g", "r", "");
	call.entry.object = slice_of("a\xff\0b'", 5);
	ledger_record(copies[0], &call.entry);
	waiting_until(&here, &call.done);
	IS_INT(call.entry.result, LEDGER_RECORDED, "a key that is no text");
	close_copies();
	IS(slice_str(backend_query("SELECT object FROM uploads")), S("a\xef\xbf\xbd b'"),
		"is made one");
}

/* Until the database is there. */
static enum ledger_result record_at_last(struct ledger *ledger, const char *request_id)
{
	enum ledger_result result = record(ledger, request_id, request_id);
	for (int tries = 0; result == LEDGER_FAILED && tries < TRIES; tries++) {
		usleep(100000);
		result = record(ledger, request_id, request_id);
	}
	return result;
}

/* The server ends as by a power cut; everything goes on when it is back. */
static void restarted(void)
{
	open_copies();
	IS_INT(record(copies[0], "r1", "a"), LEDGER_RECORDED, "an upload");
	IS_INT((int)count_events(copies[0]), 1, "an event");
	backend_restart();
	IS_INT(record_at_last(copies[0], "r2"), LEDGER_RECORDED, "recorded once it is back");
	IS_INT(record_at_last(copies[0], "r2"), LEDGER_REPEATED, "and known");
	IS_INT(record_at_last(copies[1], "r1"), LEDGER_REPEATED, "nothing is forgotten");
	OK(count_events(copies[1]) == 2 || count_events(copies[0]) == 2, "one of them leads");
	struct ledger_stats stats;
	ledger_stats(copies[0], &stats);
	OK(stats.reachable, "and it can be reached");
	close_copies();
}

/* Without it nothing waits for longer than a try to connect. */
static void gone(void)
{
	struct ledger_stats stats;
	open_copies();
	backend_stop();
	IS_INT(record(copies[0], "r1", "a"), LEDGER_FAILED, "nothing is recorded");
	IS_INT(record(copies[0], "r2", "a"), LEDGER_FAILED, "and nothing is");
	ledger_stats(copies[0], &stats);
	OK(!stats.reachable, "which is told");
	backend_restart();
	for (int tries = 0; !stats.reachable && tries < TRIES; tries++) {
		usleep(100000);
		ledger_stats(copies[0], &stats);
	}
	OK(stats.reachable, "it is found by itself when it is back");
	close_copies();
}

static void all(void)
{
	races();
	if (backend_is_file())
		return;
	one_leads();
	one_fails();
	bad_texts();
	restarted();
	gone();
	backend_clear();
}

int main(void)
{
	waiting_init(&here);
	backend_each(all);
	return tap_done();
}
