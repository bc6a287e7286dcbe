/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How many rows a second the ledger writes, durable before they are answered:
 *
 *	ledger_bench grants|uploads|events FILE|URL [COUNT [IN_FLIGHT]]
 *
 * Grants are issued; or uploads are recorded, each of a grant of its own that was issued before;
 * events: with an event each. The file, or the database of PostgreSQL, keeps what it has.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app/ledger/ledger.h"
#include "base/clock.h"
#include "oss/callback/ticket.h"
#include "waiting.h"

enum {
	IN_FLIGHT_MAX = 4096,
	GRANT_SECONDS = 86400,
	ROWS_MAX = 100000000,
};

struct call {
	struct ledger_grant grant;
	struct ledger_entry entry;
	bool done;
	bool recorded;
};

typedef char grant_id[TICKET_ID_LENGTH];

struct work {
	struct ledger *ledger;
	grant_id *ids; /* of all grants */
	long count, in_flight;
	void (*begin)(const struct work *work, struct call *call, long number);
};

static struct waiting here;

static void on_issued(struct task *task)
{
	struct ledger_grant *grant = CONTAINER_OF(task, struct ledger_grant, done);
	struct call *call = CONTAINER_OF(grant, struct call, grant);
	call->recorded = grant->recorded;
	call->done = true;
}

static void issue(const struct work *work, struct call *call, long number)
{
	int64_t now_ms = clock_wall_ms(&clock_system);
	ticket_make_id(now_ms, work->ids[number]);
	call->grant = (struct ledger_grant){.id = slice_of(work->ids[number], TICKET_ID_LENGTH),
		.subject = S("user-17"),
		.dir = S("user-dir-prefix/"),
		.issued_ms = now_ms,
		.expires = now_ms / 1000 + GRANT_SECONDS,
		.due = now_ms / 1000 + GRANT_SECONDS + LEDGER_SLACK_SECONDS,
		.home = &here.executor,
		.done.run = on_issued};
	ledger_issue(work->ledger, &call->grant);
}

static void on_recorded(struct task *task)
{
	struct ledger_entry *entry = CONTAINER_OF(task, struct ledger_entry, done);
	struct call *call = CONTAINER_OF(entry, struct call, entry);
	call->recorded = entry->result == LEDGER_RECORDED;
	call->done = true;
}

static void record(const struct work *work, struct call *call, long number)
{
	struct slice id = slice_of(work->ids[number], TICKET_ID_LENGTH);
	call->entry = (struct ledger_entry){.received_ms = clock_wall_ms(&clock_system),
		.grant_id = id,
		.request_id = id,
		.bucket = S("uploads"),
		.object = id,
		.etag = S("5D41402ABC4B2A76B9719D911017C592"),
		.mime_type = S("image/png"),
		.size = 5,
		.width = -1,
		.height = -1,
		.client_ip = S("127.0.0.1"),
		.body = S("bucket=uploads&object=a.png"),
		.home = &here.executor,
		.done.run = on_recorded};
	ledger_record(work->ledger, &call->entry);
}

/* How many were written down. */
static long run(const struct work *work)
{
	static struct call calls[IN_FLIGHT_MAX];
	long recorded = 0;
	for (long i = 0; i < work->count + work->in_flight; i++) {
		struct call *call = &calls[i % work->in_flight];
		if (i >= work->in_flight) {
			waiting_until(&here, &call->done);
			recorded += call->recorded;
			call->recorded = false;
		}
		call->done = i >= work->count;
		if (i < work->count)
			work->begin(work, call, i);
	}
	return recorded;
}

static enum err open_ledger(const char *where, bool with_events, struct ledger **ret)
{
	const struct ledger_events_options events = {
		.max = ROWS_MAX, .keep_seconds = 1000, .source = S("bench"), .with_target = true};
	bool is_url = strstr(where, "://") != NULL;
	const struct ledger_place place = {
		.path = is_url ? NULL : where, .url = is_url ? where : NULL};
	enum err e = ledger_open(&place, ret);
	if (!e)
		ledger_keep_grants(*ret, ROWS_MAX, GRANT_SECONDS);
	return e || !with_events ? e : ledger_keep_events(*ret, &events);
}

int main(int argc, char **argv)
{
	const char *kind = argc > 1 ? argv[1] : "";
	bool with_events = strcmp(kind, "events") == 0;
	bool uploads = with_events || strcmp(kind, "uploads") == 0;
	struct work work = {.count = argc > 3 ? strtol(argv[3], NULL, 10) : 20000,
		.in_flight = argc > 4 ? strtol(argv[4], NULL, 10) : 256,
		.begin = issue};
	if ((!uploads && strcmp(kind, "grants") != 0) || argc < 3 || work.in_flight < 1 ||
		work.in_flight > IN_FLIGHT_MAX || work.count < work.in_flight) {
		fprintf(stderr, "usage: ledger_bench grants|uploads|events FILE|URL "
				"[COUNT [IN_FLIGHT]]\n");
		return 2;
	}
	waiting_init(&here);
	work.ids = calloc((size_t)work.count, sizeof(*work.ids));
	if (!work.ids || open_ledger(argv[2], with_events, &work.ledger) != ERR_OK)
		return 1;
	if (uploads && run(&work) < work.count)
		return 1;
	work.begin = uploads ? record : issue;
	int64_t begin_ms = clock_monotonic_ms();
	long recorded = run(&work);
	int64_t ms = clock_monotonic_ms() - begin_ms;
	ledger_close(work.ledger);
	free(work.ids);
	printf("%ld of %ld %s, %ld in flight: %lld a second\n", recorded, work.count, kind,
		work.in_flight, (long long)(ms > 0 ? recorded * 1000 / ms : 0));
	return recorded == work.count ? 0 : 1;
}
