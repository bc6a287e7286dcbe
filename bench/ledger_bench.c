/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How many uploads a second the ledger records, durable before they are answered:
 *
 *	ledger_bench FILE|URL [UPLOADS [IN_FLIGHT]]
 *
 * The file, or the database of PostgreSQL, should have no ledger yet. Each upload is of a grant of
 *its own, with an event.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app/ledger/ledger.h"
#include "base/clock.h"
#include "waiting.h"

enum {
	IN_FLIGHT_MAX = 4096
};

struct call {
	struct ledger_entry entry;
	char id[32];
	bool done;
};

static struct waiting here;

static void on_done(struct task *task)
{
	struct ledger_entry *entry = CONTAINER_OF(task, struct ledger_entry, done);
	CONTAINER_OF(entry, struct call, entry)->done = true;
}

static void record(struct ledger *ledger, struct call *call, long number)
{
	(void)snprintf(call->id, sizeof(call->id), "%024ld", number);
	call->done = false;
	call->entry = (struct ledger_entry){.received_ms = clock_wall_ms(&clock_system),
		.grant_id = slice_str(call->id),
		.request_id = slice_str(call->id),
		.bucket = S("uploads"),
		.object = slice_str(call->id),
		.etag = S("5D41402ABC4B2A76B9719D911017C592"),
		.mime_type = S("image/png"),
		.size = 5,
		.width = -1,
		.height = -1,
		.client_ip = S("127.0.0.1"),
		.body = S("bucket=uploads&object=a.png"),
		.home = &here.executor,
		.done.run = on_done};
	ledger_record(ledger, &call->entry);
}

/* How many were recorded. */
static long run(struct ledger *ledger, long uploads, long in_flight)
{
	static struct call calls[IN_FLIGHT_MAX];
	long recorded = 0;
	for (long i = 0; i < uploads + in_flight; i++) {
		struct call *call = &calls[i % in_flight];
		if (i >= in_flight) {
			waiting_until(&here, &call->done);
			recorded += call->entry.result == LEDGER_RECORDED;
		}
		if (i < uploads)
			record(ledger, call, i);
		else
			call->done = true;
	}
	return recorded;
}

int main(int argc, char **argv)
{
	struct ledger *ledger;
	const struct ledger_events_options events = {
		.max = 100000000, .keep_seconds = 1000, .source = S("bench"), .with_target = true};
	long uploads = argc > 2 ? strtol(argv[2], NULL, 10) : 20000;
	long in_flight = argc > 3 ? strtol(argv[3], NULL, 10) : 256;
	if (argc < 2 || uploads < in_flight || in_flight < 1 || in_flight > IN_FLIGHT_MAX) {
		fprintf(stderr, "usage: ledger_bench FILE|URL [UPLOADS [IN_FLIGHT]]\n");
		return 2;
	}
	bool is_url = strstr(argv[1], "://") != NULL;
	const struct ledger_place place = {
		.path = is_url ? NULL : argv[1], .url = is_url ? argv[1] : NULL};
	waiting_init(&here);
	if (ledger_open(&place, &ledger) != ERR_OK || ledger_keep_events(ledger, &events) != ERR_OK)
		return 1;
	int64_t begin_ms = clock_monotonic_ms();
	long recorded = run(ledger, uploads, in_flight);
	int64_t ms = clock_monotonic_ms() - begin_ms;
	ledger_close(ledger);
	printf("%ld of %ld uploads, %ld in flight: %lld a second\n", recorded, uploads, in_flight,
		(long long)(ms > 0 ? recorded * 1000 / ms : 0));
	return recorded == uploads ? 0 : 1;
}
