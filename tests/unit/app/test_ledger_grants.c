/* SPDX-License-Identifier: Apache-2.0 */
/* The table of grants: what becomes of each, what is forgotten, and files from before it was. */
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>

#include "app/ledger/ledger.h"
#include "backend.h"
#include "base/limits.h"
#include "tap.h"
#include "waiting.h"

#define DAY_S 86400
#define NOW_S 1700000000

static struct waiting here;
static struct ledger *ledger;

struct issue {
	struct ledger_grant grant;
	bool done;
};

static void on_issued(struct task *task)
{
	struct ledger_grant *grant = CONTAINER_OF(task, struct ledger_grant, done);
	CONTAINER_OF(grant, struct issue, grant)->done = true;
}

/* Whether it was written down, at `now` seconds; `look_at`: when to look at the store. */
static bool issue_to_look(const char *id, int64_t now, int64_t look_at)
{
	struct issue i = {.grant = {.id = slice_str(id),
				  .subject = S("ann"),
				  .dir = S("users/ann/"),
				  .issued_ms = now * 1000,
				  .expires = now + 300,
				  .due = now + 300 + DAY_S,
				  .key = look_at > 0 ? S("users/ann/a.png") : S(""),
				  .look_at = look_at,
				  .home = &here.executor,
				  .done.run = on_issued}};
	ledger_issue(ledger, &i.grant);
	waiting_until(&here, &i.done);
	return i.grant.recorded;
}

static bool issue(const char *id, int64_t now)
{
	return issue_to_look(id, now, 0);
}

struct question {
	struct ledger_question question;
	bool done;
};

static void on_answer(struct task *task)
{
	struct ledger_question *q = CONTAINER_OF(task, struct ledger_question, done);
	CONTAINER_OF(q, struct question, question)->done = true;
}

static void ask(const char *id, struct question *ret)
{
	*ret = (struct question){
		.question = {.id = slice_str(id), .home = &here.executor, .done.run = on_answer}};
	ledger_ask(ledger, &ret->question);
	waiting_until(&here, &ret->done);
}

static void is_state(const char *id, const char *want)
{
	struct question q;
	ask(id, &q);
	IS(q.question.found ? q.question.state : S("(none)"), slice_str(want), id);
	ledger_question_release(&q.question);
}

struct call {
	struct ledger_entry entry;
	bool done;
};

static void on_recorded(struct task *task)
{
	struct ledger_entry *entry = CONTAINER_OF(task, struct ledger_entry, done);
	CONTAINER_OF(entry, struct call, entry)->done = true;
}

static enum ledger_result record(const char *grant_id, const char *request_id)
{
	struct call call = {.entry = {.received_ms = NOW_S * 1000ll,
				    .grant_id = slice_str(grant_id),
				    .request_id = slice_str(request_id),
				    .bucket = S("uploads"),
				    .object = S("users/ann/a.png"),
				    .etag = S("ABC"),
				    .mime_type = S("image/png"),
				    .size = 5,
				    .width = -1,
				    .height = -1,
				    .home = &here.executor,
				    .done.run = on_recorded}};
	ledger_record(ledger, &call.entry);
	waiting_until(&here, &call.done);
	return call.entry.result;
}

static void open_ledger(int64_t max)
{
	if (ledger_open(backend_place(), &ledger) != ERR_OK)
		abort();
	ledger_keep_grants(ledger, max, 7 * DAY_S);
}

static void reopen(int64_t max)
{
	ledger_close(ledger);
	open_ledger(max);
}

static void set_state(const char *id, enum grant_state state, const char *reason)
{
	ledger_set_state(ledger, &(const struct ledger_change){.id = slice_str(id),
					 .state = state,
					 .reason = reason,
					 .now_ms = NOW_S * 1000ll});
}

static void states(void)
{
	struct question q;
	open_ledger(100);
	OK(issue("01", NOW_S), "a grant is written down");
	OK(!issue("01", NOW_S), "but not twice");
	ask("01", &q);
	IS(q.question.subject, S("ann"), "who asked for it");
	IS_INT(q.question.issued_ms, NOW_S * 1000ll, "when");
	IS_INT(q.question.expires, NOW_S + 300, "until when");
	IS_INT(q.question.uploads, 0, "no uploads");
	ledger_question_release(&q.question);
	is_state("01", "issued");
	is_state("02", "(none)");
	set_state("01", GRANT_PENDING, "the store cannot be asked");
	is_state("01", "pending");
	IS_INT(record("01", "r"), LEDGER_RECORDED, "its upload");
	is_state("01", "confirmed");
	set_state("01", GRANT_REJECTED, "too late");
	is_state("01", "confirmed");
	ask("01", &q);
	IS_INT(q.question.uploads, 1, "one upload");
	IS(q.question.object, S("users/ann/a.png"), "of that name");
	IS(q.question.reason, S(""), "and nothing is wrong");
	ledger_question_release(&q.question);

	OK(issue("03", NOW_S), "another");
	set_state("03", GRANT_REJECTED, "the store has no such object");
	ask("03", &q);
	IS(q.question.state, S("rejected"), "is rejected");
	IS(q.question.reason, S("the store has no such object"), "with a reason");
	ledger_question_release(&q.question);
	IS_INT(record("03", "r"), LEDGER_RECORDED, "a later upload");
	is_state("03", "confirmed");
	IS_INT(record("99", "r"), LEDGER_RECORDED, "one of a grant that is not written down");
	ask("99", &q);
	OK(!q.question.found && q.question.uploads == 1, "is counted all the same");
	ledger_question_release(&q.question);
	ledger_close(ledger);
	backend_clear();
}

static void forgetting(void)
{
	open_ledger(1000);
	for (int i = 0; i < 100; i++) {
		char id[20];
		snprintf(id, sizeof(id), "a%02d", i);
		if (!issue(id, NOW_S))
			abort();
	}
	set_state("a00", GRANT_REJECTED, "why");
	set_state("a01", GRANT_PENDING, "why");
	IS_INT(record("a02", "r"), LEDGER_RECORDED, "one of many is used");
	/* Time goes on by the grants that are given. */
	int64_t due = NOW_S + 300 + DAY_S;
	OK(issue("b", due - 1), "before the first is due");
	is_state("a03", "issued");
	for (int i = 0; i < 10; i++) {
		char id[20];
		snprintf(id, sizeof(id), "c%d", i);
		OK(issue(id, due), "when they are due");
	}
	IS(slice_str(backend_query("SELECT count(*) FROM grants WHERE state = 'expired'")), S("97"),
		"all that were not used expire");
	is_state("a00", "rejected");
	is_state("a01", "pending");
	is_state("a02", "confirmed");
	OK(issue("d", due + 7 * DAY_S - 1), "before the week is over");
	is_state("a03", "expired");
	IS_INT(record("a04", "r"), LEDGER_RECORDED, "even then an upload counts");
	for (int i = 0; i < 10; i++) {
		char id[20];
		snprintf(id, sizeof(id), "e%d", i);
		OK(issue(id, due + 7 * DAY_S), "after the week");
	}
	IS(slice_str(backend_query("SELECT group_concat(id) FROM"
				   " (SELECT id FROM grants WHERE id LIKE 'a%' ORDER BY id) AS a")),
		S("a01,a02,a04"), "what came to something stays");
	ledger_close(ledger);
	backend_clear();
}

struct due {
	struct ledger_due due;
	bool done;
};

static void on_due(struct task *task)
{
	struct ledger_due *due = CONTAINER_OF(task, struct ledger_due, done);
	CONTAINER_OF(due, struct due, due)->done = true;
}

static void list_due(struct due *d)
{
	d->done = false;
	d->due.home = &here.executor;
	d->due.done.run = on_due;
	ledger_list_due(ledger, &d->due);
	waiting_until(&here, &d->done);
}

/* Each row of its pages once, though nothing is written of any; how many there are. */
static size_t count_due(int64_t now)
{
	struct due d = {.due = {.now = now}};
	size_t count = 0;
	do {
		list_due(&d);
		count += d.due.count;
		if (d.due.count > 0) {
			const struct ledger_due_grant *last = &d.due.rows[d.due.count - 1];
			d.due.after_look_at = last->look_at;
			snprintf(d.due.after_id, sizeof(d.due.after_id), "%.*s",
				SLICE_FMT(last->id));
		}
		ledger_due_release(&d.due);
	} while (d.due.count == LEDGER_DUE_MAX && count < 1000);
	return count;
}

/* The server was down for longer than the grants live. */
static void looked_at_first(void)
{
	int64_t due = NOW_S + 300 + DAY_S, end = due + 7 * DAY_S;
	open_ledger(1000);
	for (int i = 0; i < 100; i++) {
		char id[20];
		snprintf(id, sizeof(id), "%02d", i);
		if (!issue_to_look(id, NOW_S, NOW_S + 400 + i / 50))
			abort();
	}
	OK(issue("x", NOW_S), "one that nobody looks for");
	IS_INT(count_due(NOW_S + 399), 0, "none is to be looked at before its time");
	IS_INT(count_due(due + DAY_S), 100, "each is told of once in a pass");
	for (int i = 0; i < 10; i++)
		IS_INT(count_due(due + DAY_S), 100, "a day too late, and over and over");
	is_state("42", "issued");
	is_state("x", "expired");
	IS_INT(record("42", "r"), LEDGER_RECORDED, "what is found then");
	is_state("42", "confirmed");
	ledger_look_later(ledger, S("43"), -1);
	for (int i = 0; i < 10; i++)
		(void)count_due(due + DAY_S + 3601);
	is_state("43", "expired");
	is_state("44", "issued");
	for (int i = 0; i < 10; i++)
		(void)count_due(end + 3601);
	is_state("44", "expired");
	IS(slice_str(backend_query("SELECT count(*) FROM grants WHERE state = 'issued'")), S("0"),
		"what nobody has looked at for a week is not kept for ever");
	ledger_close(ledger);
	backend_clear();
}

/* While another program holds the file, rows that nobody waits for are kept, up to a bound. */
static void noted(void)
{
	static char dir[1000];
	size_t count = 0;
	char id[20];
	sqlite3 *other;
	memset(dir, 'd', sizeof(dir));
	open_ledger(1000000);
	if (sqlite3_open(backend_path(), &other) != SQLITE_OK ||
		sqlite3_exec(other, "BEGIN IMMEDIATE", NULL, NULL, NULL) != SQLITE_OK)
		abort();
	for (;;) {
		snprintf(id, sizeof(id), "%06zu", count);
		const struct ledger_grant grant = {.id = slice_str(id),
			.subject = S("ann"),
			.dir = slice_of(dir, sizeof(dir)),
			.issued_ms = NOW_S * 1000ll,
			.expires = NOW_S + 300,
			.due = NOW_S + 300 + DAY_S};
		if (!ledger_note(ledger, &grant))
			break;
		count++;
	}
	OK(count > 1000 && count * 1000 <= LIMIT_GRANTS_WAITING_BYTES, "%zu wait", count);
	sqlite3_exec(other, "COMMIT", NULL, NULL, NULL);
	sqlite3_close(other);
	is_state("000000", "issued");
	snprintf(id, sizeof(id), "%06zu", count - 1);
	is_state(id, "issued");
	snprintf(id, sizeof(id), "%06zu", count);
	is_state(id, "(none)");
	OK(issue(id, NOW_S), "there is room again");
	IS_INT(ledger_unwritten(ledger), 0, "none was lost");
	reopen(0);
	const struct ledger_grant one = {.id = S("a"), .subject = S(""), .dir = S("")};
	OK(ledger_note(ledger, &one), "one that is not wanted");
	is_state("a", "(none)");
	IS_INT(ledger_unwritten(ledger), 1, "is counted");
	ledger_close(ledger);
	backend_clear();
}

static void bounded(void)
{
	open_ledger(3);
	OK(issue("1", NOW_S) && issue("2", NOW_S) && issue("3", NOW_S), "three");
	OK(!issue("4", NOW_S), "and no more");
	is_state("4", "(none)");
	IS_INT(record("1", "r"), LEDGER_RECORDED, "one is used");
	OK(issue("4", NOW_S), "and makes room");
	set_state("2", GRANT_REJECTED, "why");
	OK(!issue("5", NOW_S), "one that is rejected does not");
	reopen(3);
	OK(!issue("5", NOW_S), "nor does a new start");
	reopen(4);
	OK(issue("5", NOW_S), "but a larger bound");
	reopen(0);
	OK(!issue("6", NOW_S), "none are wanted");
	ledger_close(ledger);
	backend_clear();
}

/* A file as version 2 of the schema made it. */
static const char *const version_2[] = {
	"CREATE TABLE uploads ( id INTEGER PRIMARY KEY, received_ms INTEGER NOT NULL, grant_id "
	"TEXT,"
	" request_id TEXT, bucket TEXT NOT NULL, object TEXT NOT NULL, etag TEXT NOT NULL,"
	" mime_type TEXT NOT NULL, size INTEGER, width INTEGER, height INTEGER,"
	" client_ip TEXT NOT NULL, body BLOB NOT NULL, confirmed INTEGER NOT NULL DEFAULT 0,"
	" last_modified INTEGER, version_id TEXT, UNIQUE (grant_id, request_id)) STRICT",
	"CREATE TRIGGER uploads_no_update BEFORE UPDATE ON uploads"
	" BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END",
	"CREATE TRIGGER uploads_no_delete BEFORE DELETE ON uploads"
	" BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END",
	"CREATE UNIQUE INDEX uploads_state ON uploads (grant_id, bucket, object, etag,"
	" last_modified, version_id) WHERE confirmed = 1",
	"CREATE INDEX uploads_of_grant ON uploads (grant_id, size)", "PRAGMA user_version = 2",
	"INSERT INTO uploads VALUES (1, 2, 'old', 'r', 'b', 'o', 'e', 't', 3, 4, 5, '::1', x'61', "
	"1,"
	" 1600000000, '')"};

static void upgraded(void)
{
	for (size_t i = 0; i < ARRAY_LEN(version_2); i++)
		IS(slice_str(backend_query(version_2[i])), S("(none)"), "version 2");
	open_ledger(10);
	OK(issue("1", NOW_S), "a grant in a file that had none");
	IS_INT(record("old", "r"), LEDGER_REPEATED, "knows what it had");
	IS_INT(record("1", "r"), LEDGER_RECORDED, "records");
	reopen(10);
	is_state("1", "confirmed");
	ledger_close(ledger);
	IS(slice_str(backend_query("SELECT group_concat(object || confirmed) FROM uploads")),
		S("o1,users/ann/a.png0"), "both uploads are there");
	IS(slice_str(backend_query("PRAGMA user_version")), S("7"),
		"and the version is one that older programs refuse");
	backend_clear();
}

static void all(void)
{
	states();
	forgetting();
	looked_at_first();
	bounded();
	if (backend_is_file()) {
		noted();
		upgraded();
	}
}

int main(void)
{
	waiting_init(&here);
	backend_each(all);
	return tap_done();
}
