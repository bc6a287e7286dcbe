/* SPDX-License-Identifier: Apache-2.0 */
/* The ledger of uploads: what it keeps, what it refuses to keep twice, that it never forgets. */
#include "app/ledger/ledger.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "backend.h"
#include "base/limits.h"
#include "tap.h"
#include "waiting.h"

struct call {
	struct ledger_entry entry;
	bool done;
};

static struct waiting here;

static void on_done(struct task *task)
{
	struct ledger_entry *entry = CONTAINER_OF(task, struct ledger_entry, done);
	CONTAINER_OF(entry, struct call, entry)->done = true;
}

static struct call call_of(const char *grant_id, const char *request_id)
{
	return (struct call){.entry = {.received_ms = 1700000000123,
				     .grant_id = slice_str(grant_id),
				     .request_id = slice_str(request_id),
				     .bucket = S("uploads"),
				     .object = S("dir/\xe4\xb8\xad'\".png"),
				     .etag = S("ABC"),
				     .mime_type = S("image/png"),
				     .size = 5,
				     .width = 7,
				     .height = -1,
				     .client_ip = S("::1"),
				     .body = S("a=b\0c"),
				     .home = &here.executor,
				     .done.run = on_done}};
}

static enum ledger_result record(
	struct ledger *ledger, const char *grant_id, const char *request_id)
{
	struct call call = call_of(grant_id, request_id);
	ledger_record(ledger, &call.entry);
	waiting_until(&here, &call.done);
	return call.entry.result;
}

static void keeps(void)
{
	struct ledger *ledger = NULL;
	struct stat st;
	OK(ledger_open(backend_place(), &ledger) == ERR_OK, "makes its file");
	if (backend_is_file())
		OK(stat(backend_path(), &st) == 0 && (st.st_mode & 0777) == 0600,
			"for its owner alone");
	IS_INT(record(ledger, "g1", "r1"), LEDGER_RECORDED, "records");
	IS_INT(record(ledger, "g1", "r1"), LEDGER_REPEATED, "notices the same callback again");
	IS_INT(record(ledger, "g1", "r2"), LEDGER_RECORDED, "another request under the grant");
	IS_INT(record(ledger, "g2", "r1"), LEDGER_RECORDED, "another grant");
	IS_INT(record(ledger, "", "r1"), LEDGER_RECORDED, "no grant");
	IS_INT(record(ledger, "", "r1"), LEDGER_RECORDED, "says nothing about repetition");
	ledger_close(ledger);
	OK(ledger_open(backend_place(), &ledger) == ERR_OK, "opens again");
	IS_INT(record(ledger, "g1", "r2"), LEDGER_REPEATED, "remembers");
	ledger_close(ledger);
	IS(slice_str(backend_query("SELECT count(*) FROM uploads")), S("5"), "five rows");
	IS(slice_str(backend_query(
		   "SELECT received_ms || bucket || object || etag || mime_type || size || "
		   "width || coalesce(CAST(height AS TEXT), '-') || client_ip || hex(body) FROM "
		   "uploads "
		   "WHERE grant_id = 'g2'")),
		S("1700000000123uploadsdir/\xe4\xb8\xad'\".pngABCimage/png57-::1613D620063"),
		"as they were given");
}

/* What the store has confirmed is recorded once under a grant, whatever the request is called. */
static void states(void)
{
	struct ledger *ledger = NULL;
	struct call call;
	static char ids[100][8];
	if (ledger_open(backend_place(), &ledger) != ERR_OK)
		return;
	int results[LEDGER_FAILED + 1] = {0};
	for (int i = 0; i < 100; i++) {
		snprintf(ids[i], sizeof(ids[i]), "s%d", i);
		call = call_of("states", ids[i]);
		call.entry.confirmed = true;
		call.entry.last_modified = 1700000000;
		ledger_record(ledger, &call.entry);
		waiting_until(&here, &call.done);
		results[call.entry.result]++;
	}
	IS_INT(results[LEDGER_RECORDED], 1,
		"one upload with a hundred request ids is recorded once");
	IS_INT(results[LEDGER_KNOWN], 99, "and is known otherwise");
	call = call_of("states", "s0");
	call.entry.confirmed = true;
	ledger_record(ledger, &call.entry);
	waiting_until(&here, &call.done);
	IS_INT(call.entry.result, LEDGER_REPEATED, "the same callback is a repetition");
	for (int i = 0; i < 6; i++) {
		call = call_of(i == 5 ? "states too" : "states", ids[i + 10]);
		call.entry.confirmed = true;
		call.entry.last_modified = i == 0 ? 1700000001 : 1700000000;
		call.entry.version_id = i == 1 ? S("v") : S("");
		call.entry.etag = i == 2 ? S("other") : S("ABC");
		call.entry.object = i == 3 ? S("other") : call.entry.object;
		call.entry.bucket = i == 4 ? S("other") : S("uploads");
		ledger_record(ledger, &call.entry);
		waiting_until(&here, &call.done);
		IS_INT(call.entry.result, LEDGER_RECORDED, "another state");
	}
	ledger_close(ledger);
}

/* Uploads and bytes of a grant are bounded, in one batch too. */
static void bounded(void)
{
	static struct call calls[20];
	static char ids[20][8];
	struct ledger *ledger = NULL;
	int results[LEDGER_FAILED + 1] = {0};
	if (ledger_open(backend_place(), &ledger) != ERR_OK)
		return;
	for (int i = 0; i < 20; i++) {
		snprintf(ids[i], sizeof(ids[i]), "b%d", i);
		calls[i] = call_of("bounded", ids[i]);
		calls[i].entry.max_uploads = 15;
		calls[i].entry.max_bytes = 1 << 20;
		ledger_record(ledger, &calls[i].entry);
	}
	for (int i = 0; i < 20; i++) {
		waiting_until(&here, &calls[i].done);
		results[calls[i].entry.result]++;
	}
	IS_INT(results[LEDGER_RECORDED], 15, "as many as the grant is good for");
	IS_INT(results[LEDGER_EXHAUSTED], 5, "and no more");
	for (int i = 0; i < 3; i++) {
		calls[0] = call_of("bytes", ids[i]);
		calls[0].entry.max_uploads = 1000;
		calls[0].entry.max_bytes = 10;
		ledger_record(ledger, &calls[0].entry);
		waiting_until(&here, &calls[0].done);
		IS_INT(calls[0].entry.result, i < 2 ? LEDGER_RECORDED : LEDGER_EXHAUSTED,
			"two files of 5 bytes in 10 bytes");
	}
	calls[0] = call_of("late", "late");
	calls[0].entry.deadline_ms = 1;
	ledger_record(ledger, &calls[0].entry);
	waiting_until(&here, &calls[0].done);
	IS_INT(calls[0].entry.result, LEDGER_LATE, "what comes too late is not recorded");
	IS(slice_str(backend_query("SELECT count(*) FROM uploads WHERE grant_id = 'late'")), S("0"),
		"at all");
	ledger_close(ledger);
}

/* A ledger of version 1 keeps its rows and learns the rest. */
static void upgraded(void)
{
	struct ledger *ledger = NULL;
	backend_clear();
	(void)backend_query(
		"CREATE TABLE uploads (id INTEGER PRIMARY KEY, received_ms INTEGER NOT NULL, "
		"grant_id TEXT, request_id TEXT, bucket TEXT NOT NULL, object TEXT NOT NULL, "
		"etag TEXT NOT NULL, mime_type TEXT NOT NULL, size INTEGER, width INTEGER, "
		"height INTEGER, client_ip TEXT NOT NULL, body BLOB NOT NULL, "
		"UNIQUE (grant_id, request_id)) STRICT");
	(void)backend_query(
		"INSERT INTO uploads VALUES (1, 2, 'g', 'r', 'b', 'o', 'e', '', 3, 4, 5, '', x'')");
	(void)backend_query("PRAGMA user_version = 1");
	OK(ledger_open(backend_place(), &ledger) == ERR_OK, "opens an old one");
	IS_INT(record(ledger, "g", "r"), LEDGER_REPEATED, "knows what it had");
	IS_INT(record(ledger, "g", "r2"), LEDGER_RECORDED, "records");
	ledger_close(ledger);
	OK(ledger_open(backend_place(), &ledger) == ERR_OK, "opens it again");
	ledger_close(ledger);
	IS(slice_str(backend_query("SELECT group_concat(confirmed) FROM uploads")), S("0,0"),
		"both are there");
	backend_clear();
}

/* What a later version has written is not for us. */
static void later_version(void)
{
	struct ledger *ledger = NULL;
	backend_clear();
	OK(ledger_open(backend_place(), &ledger) == ERR_OK, "a ledger");
	ledger_close(ledger);
	(void)backend_query(backend_is_file() ? "PRAGMA user_version = 8"
					      : "UPDATE ledger_version SET version = 8");
	ledger = NULL;
	OK(ledger_open(backend_place(), &ledger) == ERR_INTERNAL && !ledger,
		"one of a later version is left alone");
	backend_clear();
}

static void append_only(void)
{
	IS(slice_str(backend_query("UPDATE uploads SET size = 1")), S("the ledger is append-only"),
		"no row can be changed");
	IS(slice_str(backend_query("DELETE FROM uploads")), S("the ledger is append-only"),
		"no row can be removed");
	IS(slice_str(backend_query("SELECT count(*) FROM uploads")), S("5"), "all are there");
}

/* Entries that are posted together, with repetitions among them. */
static void together(void)
{
	enum {
		MANY = 200
	};
	static struct call calls[MANY];
	static char ids[MANY][16];
	struct ledger *ledger = NULL;
	if (ledger_open(backend_place(), &ledger) != ERR_OK)
		return;
	int recorded = 0, repeated = 0;
	for (int i = 0; i < MANY; i++) {
		snprintf(ids[i], sizeof(ids[i]), "t%d", i / 2);
		calls[i] = call_of("together", ids[i]);
		ledger_record(ledger, &calls[i].entry);
	}
	for (int i = 0; i < MANY; i++) {
		waiting_until(&here, &calls[i].done);
		recorded += calls[i].entry.result == LEDGER_RECORDED;
		repeated += calls[i].entry.result == LEDGER_REPEATED;
	}
	IS_INT(recorded, MANY / 2, "each is recorded once");
	IS_INT(repeated, MANY / 2, "its repetition is noticed in the same batch");
	ledger_close(ledger);
}

static void bad_files(void)
{
	struct ledger *ledger = NULL;
	char bad[300];
	snprintf(bad, sizeof(bad), "%s/no/such/folder", backend_path());
	OK(ledger_open(&(struct ledger_place){.path = bad}, &ledger) == ERR_INTERNAL && !ledger,
		"a folder that is not there");
	snprintf(bad, sizeof(bad), "%s.text", backend_path());
	FILE *f = fopen(bad, "w");
	if (!f)
		abort();
	for (int i = 0; i < 1000; i++)
		fputs("this is no database\n", f);
	fclose(f);
	OK(ledger_open(&(struct ledger_place){.path = bad}, &ledger) == ERR_INTERNAL && !ledger,
		"a file that is no database");
	unlink(bad);
}

/* Another password than none is not asked for; a URL is not repeated in what is wrong with it. */
static void bad_urls(void)
{
	struct ledger *ledger = NULL;
	const char *const urls[] = {"http://ann:secret@host/", "postgresql://ann:secret@host:port%",
		"postgresql:///postgres?no_such_option=1",
		"postgresql:///postgres?user=postern&host=/no/such/folder"};
	for (size_t i = 0; i < ARRAY_LEN(urls); i++)
		OK(ledger_open(&(struct ledger_place){.url = urls[i]}, &ledger) == ERR_INTERNAL &&
				!ledger,
			"a URL that leads nowhere");
	for (size_t i = 0; i < 3; i++)
		OK(ledger_check_url(urls[i]) && !strstr(ledger_check_url(urls[i]), "secret"),
			"says so");
	OK(!ledger_check_url("postgresql://ann:secret@host:5433/ledger?sslmode=verify-full"),
		"and one that is right");
}

/* The table goes away under the ledger's feet: an upload is not confirmed. */
static void fault(void)
{
	struct ledger *ledger = NULL;
	OK(ledger_open(backend_place(), &ledger) == ERR_OK, "opens");
	(void)backend_query("DROP TABLE uploads");
	IS_INT(record(ledger, "g", "r"), LEDGER_FAILED, "a fault is told");
	ledger_close(ledger);
	backend_clear();
}

/* Without a file it forgets when it is closed, and does not grow for ever. */
static void in_memory(void)
{
	struct ledger *ledger = NULL;
	OK(ledger_open(&(struct ledger_place){.path = NULL}, &ledger) == ERR_OK,
		"a ledger in memory");
	IS_INT(record(ledger, "g1", "r1"), LEDGER_RECORDED, "records");
	IS_INT(record(ledger, "g1", "r1"), LEDGER_REPEATED, "and remembers");
	ledger_close(ledger);
	OK(ledger_open(&(struct ledger_place){.path = NULL}, &ledger) == ERR_OK, "the next one");
	IS_INT(record(ledger, "g1", "r1"), LEDGER_RECORDED, "knows nothing of it");
	static char body[MIB(1)];
	char id[16];
	enum ledger_result result = LEDGER_RECORDED;
	unsigned count = 0;
	while (result == LEDGER_RECORDED && count < 100) {
		struct call call = call_of("large", id);
		(void)snprintf(id, sizeof(id), "%u", count);
		call.entry.request_id = slice_str(id);
		call.entry.body = slice_of(body, sizeof(body));
		ledger_record(ledger, &call.entry);
		waiting_until(&here, &call.done);
		result = call.entry.result;
		count += result == LEDGER_RECORDED;
	}
	OK(result == LEDGER_FAILED && count >= 60 && count < 64, "up to its bound");
	IS_INT(record(ledger, "g1", "r1"), LEDGER_REPEATED, "it still knows what it has");
	ledger_close(ledger);
}

static void all(void)
{
	keeps();
	append_only();
	together();
	states();
	bounded();
	fault();
	later_version();
	if (backend_is_file()) {
		upgraded();
		bad_files();
		in_memory();
	} else {
		bad_urls();
	}
}

int main(void)
{
	waiting_init(&here);
	backend_each(all);
	return tap_done();
}
