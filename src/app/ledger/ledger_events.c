/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The outbox: what happened to uploads and grants, for the operator's back end, each in the
 * transaction that it is about. Of the rows of a key that wait only the oldest has a `due_ms`.
 */
#include <stdlib.h>

#include "app/ledger/ledger_internal.h"
#include "base/encode.h"
#include "base/limits.h"
#include "base/strbuf.h"
#include "crypto/random.h"

#define PAGE_BYTES_MAX MIB(4)
#define NAME_START "evt_"
#define NAME_RANDOM 24
#define DATA_BYTES_MAX MIB(4)
/* Old rows that are deleted with each page, of each state. */
#define SWEEP_ROWS 64

static const char insert_sql[] =
	"INSERT INTO events (name, source, type, key, created_ms, since_ms, data, state, due_ms)"
	" VALUES (?1, ?2, ?3, ?4, ?5, ?5, ?6, ?7, CASE WHEN CAST(?7 AS TEXT) = 'waiting'"
	" AND NOT EXISTS (SELECT 1 FROM events WHERE state = 'waiting' AND key = ?4)"
	" THEN CAST(?5 AS BIGINT) END)";
static const char count_sql[] = "SELECT count(*) FROM events";
static const char due_sql[] =
	"SELECT id, name, source, type, key, data, created_ms, since_ms, tries FROM events"
	" WHERE due_ms <= ?1 ORDER BY due_ms, id LIMIT ?2";
static const char next_sql[] = "SELECT min(due_ms) FROM events WHERE due_ms > ?1";
static const char depth_sql[] =
	"SELECT (SELECT count(*) FROM events WHERE state = 'waiting'),"
	" (SELECT count(*) FROM events WHERE state = 'dead'),"
	" (SELECT since_ms FROM events WHERE state = 'waiting' ORDER BY id LIMIT 1)";
static const char end_sql[] =
	"UPDATE events SET state = ?2, tries = tries + ?3, due_ms = ?4, ended_ms = ?5, fault = ?6"
	" WHERE id = ?1 AND state = 'waiting'";
/* Whoever is now the oldest of the key. */
static const char head_sql[] =
	"UPDATE events SET due_ms = ?2 WHERE due_ms IS NULL AND id = (SELECT min(id) FROM events"
	" WHERE state = 'waiting' AND key = (SELECT key FROM events WHERE id = ?1))";
static const char delete_sql[] =
	"DELETE FROM events WHERE id IN (SELECT id FROM events WHERE state = ?1 ORDER BY id"
	" LIMIT ?2) AND (created_ms < ?3 OR CAST(?4 AS BIGINT) = 1)";

#define STATEMENTS(events)                                                            \
	{                                                                             \
		{&(events)->insert, insert_sql}, {&(events)->count, count_sql},       \
			{&(events)->due, due_sql}, {&(events)->next, next_sql},       \
			{&(events)->depth, depth_sql}, {&(events)->end, end_sql},     \
			{&(events)->head, head_sql}, {&(events)->delete, delete_sql}, \
		{                                                                     \
			0                                                             \
		}                                                                     \
	}

/* ---- Writing ----------------------------------------------------------------------------------
 */

struct row {
	struct slice type, key, data;
	int64_t created_ms;
};

static bool insert(struct ledger *ledger, const struct row *row)
{
	struct ledger_outbox *e = &ledger->events;
	char name[sizeof(NAME_START) - 1 + NAME_RANDOM] = NAME_START;
	random_hex_upper(name + sizeof(NAME_START) - 1, NAME_RANDOM);
	const struct sql_value values[] = {sql_text(slice_of(name, sizeof(name))),
		sql_text(e->source), sql_text(row->type), sql_text(row->key),
		sql_number(row->created_ms), sql_text(row->data),
		sql_text(e->with_target ? S("waiting") : S("kept"))};
	e->fresh = true;
	e->rows++;
	return sql_run(e->insert, values, ARRAY_LEN(values));
}

/* What it tells of must not be there without it: then nothing of the transaction is. */
static bool told(struct ledger *ledger, bool ok)
{
	ledger->broken = ledger->broken || !ok;
	return ok;
}

/* Counts an event that there is no room for. */
static bool has_room(struct ledger_outbox *e)
{
	bool room = e->rows < e->max;
	if (!room)
		atomic_fetch_add(&e->dropped, 1);
	return room;
}

bool ledger_events_of_upload(struct ledger *ledger, int64_t id, const struct ledger_entry *entry,
	const struct ledger_upload_grant *grant)
{
	struct ledger_outbox *e = &ledger->events;
	SCOPED_STRBUF(data, DATA_BYTES_MAX);
	if (!ledger_events_are_kept(ledger) || !has_room(e))
		return true;
	ledger_event_data_of_upload(&data, id, entry, grant);
	const struct row row = {.type = entry->found ? S("upload.found") : S("upload.confirmed"),
		.key = entry->object,
		.data = strbuf_slice(&data),
		.created_ms = entry->received_ms};
	return told(ledger, !strbuf_broken(&data) && insert(ledger, &row));
}

bool ledger_events_of_grant(struct ledger *ledger, const struct ledger_event_grant *grant)
{
	struct ledger_outbox *e = &ledger->events;
	SCOPED_STRBUF(data, DATA_BYTES_MAX);
	if (!ledger_events_are_kept(ledger) || !has_room(e))
		return true;
	ledger_event_data_of_grant(&data, grant);
	const struct row row = {.type = slice_eq(grant->state, S("expired")) ? S("grant.expired")
									     : S("grant.rejected"),
		.key = grant->key.len > 0 ? grant->key : grant->id,
		.data = strbuf_slice(&data),
		.created_ms = grant->changed_ms};
	return told(ledger, !strbuf_broken(&data) && insert(ledger, &row));
}

void ledger_events_recount(struct ledger *ledger)
{
	struct ledger_outbox *e = &ledger->events;
	if (!e->count)
		return;
	if (sql_first(e->count, NULL, 0) == SQL_ROW)
		e->rows = sql_get_number(e->count, 0);
	sql_end(e->count);
}

void ledger_events_written(struct ledger *ledger)
{
	struct ledger_outbox *e = &ledger->events;
	if (e->fresh && e->written)
		e->written(e->written_ctx);
	e->fresh = false;
}

enum err ledger_keep_events(struct ledger *ledger, const struct ledger_events_options *options)
{
	struct ledger_outbox *e = &ledger->events;
	const struct ledger_statement statements[] = STATEMENTS(e);
	e->max = options->max;
	e->keep_ms = options->keep_seconds * 1000;
	e->with_target = options->with_target;
	e->source = options->source;
	e->written = options->written;
	e->written_ctx = options->ctx;
	if (!ledger_prepare(ledger, statements)) {
		(void)ledger_fault(ledger, "events");
		return ERR_INTERNAL;
	}
	/* A connection is the ledger's thread's, which counts in its next transaction. */
	if (ledger->sql->shared)
		ledger->counted_ms = INT64_MIN / 2;
	else
		ledger_events_recount(ledger);
	return ERR_OK;
}

void ledger_events_release(struct ledger *ledger)
{
	const struct ledger_statement statements[] = STATEMENTS(&ledger->events);
	ledger_release(statements);
}

uint64_t ledger_events_dropped(const struct ledger *ledger)
{
	return atomic_load(&ledger->events.dropped);
}

/* ---- What is due ------------------------------------------------------------------------------
 */

/* Texts are repaired: files of earlier versions have what is not UTF-8. */
static bool column(struct ledger_events *page, struct sql_statement *s, int at, struct slice *ret)
{
	struct slice raw = sql_get_text(s, at);
	SCOPED_STRBUF(repaired, PAGE_BYTES_MAX);
	if (!utf8_valid(raw)) {
		utf8_repair(&repaired, raw);
		raw = strbuf_slice(&repaired);
	}
	*ret = arena_copy(&page->arena_, raw);
	return ret->ptr != NULL && !strbuf_broken(&repaired);
}

static bool read_row(struct ledger_events *page, struct sql_statement *s)
{
	struct ledger_event *row = &page->rows[page->count];
	row->id = sql_get_number(s, 0);
	row->created_ms = sql_get_number(s, 6);
	row->since_ms = sql_get_number(s, 7);
	row->tries = sql_get_number(s, 8);
	if (!column(page, s, 1, &row->name) || !column(page, s, 2, &row->source) ||
		!column(page, s, 3, &row->type) || !column(page, s, 4, &row->key) ||
		!column(page, s, 5, &row->data))
		return false;
	page->count++;
	return true;
}

/* A page that is full of large ones is a page all the same. */
static bool read_due(struct ledger_events *page, struct sql_statement *s)
{
	const struct sql_value values[] = {sql_number(page->now_ms), sql_number(LEDGER_EVENTS_MAX)};
	enum sql_step step = sql_first(s, values, ARRAY_LEN(values));
	bool read = true;
	while (read && page->count < LEDGER_EVENTS_MAX && step == SQL_ROW) {
		read = read_row(page, s);
		if (read)
			step = sql_next(s);
	}
	sql_end(s);
	return step != SQL_FAULT && (read || page->count > 0);
}

static bool read_next(struct ledger_events *page, struct sql_statement *s)
{
	const struct sql_value now_ms = sql_number(page->now_ms);
	bool ok = sql_first(s, &now_ms, 1) == SQL_ROW;
	page->next_due_ms = ok && !sql_is_null(s, 0) ? sql_get_number(s, 0) : INT64_MAX;
	sql_end(s);
	return ok;
}

static bool read_depth(struct ledger_events *page, struct sql_statement *s)
{
	bool ok = sql_first(s, NULL, 0) == SQL_ROW;
	if (ok) {
		page->waiting = sql_get_number(s, 0);
		page->dead = sql_get_number(s, 1);
		page->oldest_ms = sql_get_number(s, 2);
	}
	sql_end(s);
	return ok;
}

/* The oldest of a state: what is too old, and what is in the way. */
static bool sweep(struct ledger *ledger, const char *state, int64_t now_ms)
{
	struct ledger_outbox *e = &ledger->events;
	const struct sql_value values[] = {sql_text(slice_str(state)), sql_number(SWEEP_ROWS),
		sql_number(now_ms - e->keep_ms), sql_number(e->rows >= e->max)};
	bool ok = sql_run(e->delete, values, ARRAY_LEN(values));
	if (ok)
		e->rows -= sql_changes(e->delete);
	return ok;
}

/* For the one copy that delivers. */
static bool take(struct ledger *ledger, struct ledger_events *page)
{
	const struct ledger_outbox *e = &ledger->events;
	return sweep(ledger, "delivered", page->now_ms) && sweep(ledger, "kept", page->now_ms) &&
	       sweep(ledger, "dead", page->now_ms) &&
	       (!page->want_due || (read_due(page, e->due) && read_next(page, e->next)));
}

static void run_take(struct ledger *ledger, struct ledger_job *job)
{
	struct ledger_events *page = CONTAINER_OF(job, struct ledger_events, job_);
	page->count = 0;
	page->next_due_ms = INT64_MAX;
	arena_reset(&page->arena_);
	bool ok = (!ledger_leads(ledger) || take(ledger, page)) &&
		  (!page->want_depth || read_depth(page, ledger->events.depth));
	page->failed = !ok;
	if (!ok)
		(void)ledger_fault(ledger, "events");
}

static void finish_take(struct ledger_job *job, bool synced)
{
	struct ledger_events *page = CONTAINER_OF(job, struct ledger_events, job_);
	page->failed = page->failed || !synced;
	executor_post(page->home, &page->done);
}

void ledger_list_events(struct ledger *ledger, struct ledger_events *page)
{
	page->count = 0;
	page->next_due_ms = INT64_MAX;
	arena_init(&page->arena_, NULL, 0, PAGE_BYTES_MAX);
	page->job_ = (struct ledger_job){.run = run_take, .finish = finish_take};
	ledger_post(ledger, &page->job_);
}

void ledger_list_events_release(struct ledger_events *page)
{
	arena_reset(&page->arena_);
}

/* ---- How it ended -----------------------------------------------------------------------------
 */

struct ending {
	struct ledger_job job;
	struct ledger_event_end end; /* `fault` is behind it */
	char fault[];
};

static bool note_end(struct ledger *ledger, const struct ledger_event_end *end)
{
	static const char *const states[] = {[LEDGER_EVENT_LATER] = "waiting",
		[LEDGER_EVENT_DELIVERED] = "delivered",
		[LEDGER_EVENT_DEAD] = "dead"};
	bool later = end->how == LEDGER_EVENT_LATER;
	const struct sql_value values[] = {sql_number(end->id),
		sql_text(slice_str(states[end->how])), sql_number(end->tried),
		later ? sql_number(end->due_ms) : sql_null(),
		later ? sql_null() : sql_number(end->now_ms),
		end->fault ? sql_text(slice_str(end->fault)) : sql_null()};
	return sql_run(ledger->events.end, values, ARRAY_LEN(values));
}

static bool find_head(struct ledger *ledger, const struct ledger_event_end *end)
{
	const struct sql_value values[] = {sql_number(end->id), sql_number(end->now_ms)};
	return sql_run(ledger->events.head, values, ARRAY_LEN(values));
}

static void run_end(struct ledger *ledger, struct ledger_job *job)
{
	const struct ledger_event_end *end = &CONTAINER_OF(job, struct ending, job)->end;
	bool ok =
		note_end(ledger, end) && (end->how == LEDGER_EVENT_LATER || find_head(ledger, end));
	if (!ok)
		(void)ledger_fault(ledger, "event");
}

static void finish_end(struct ledger_job *job, bool synced UNUSED)
{
	free(CONTAINER_OF(job, struct ending, job));
}

void ledger_end_event(struct ledger *ledger, const struct ledger_event_end *end)
{
	size_t fault_size = end->fault ? strlen(end->fault) + 1 : 0;
	struct ending *ending = calloc(1, sizeof(*ending) + fault_size);
	if (!ending)
		return;
	ending->job = (struct ledger_job){.run = run_end, .finish = finish_end};
	ending->end = *end;
	if (end->fault)
		ending->end.fault = memcpy(ending->fault, end->fault, fault_size);
	ledger_post(ledger, &ending->job);
}
