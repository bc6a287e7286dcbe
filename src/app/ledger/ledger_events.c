/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The outbox: what happened to uploads and grants, for the operator's back end. Triggers of this
 * connection alone write a row in the transaction that it is about; without events nothing is
 * written. Of the rows of a key that wait only the oldest has a `due_ms`.
 */
#include <stdlib.h>

#include "app/ledger/ledger_internal.h"
#include "base/encode.h"
#include "base/limits.h"
#include "base/log.h"

#define PAGE_BYTES_MAX MIB(4)
/* Old rows that are deleted with each page, of each state. */
#define SWEEP_ROWS 64

const char ledger_events_schema[] =
	"CREATE TABLE events ("
	" id INTEGER PRIMARY KEY AUTOINCREMENT,"
	" name TEXT NOT NULL,"
	" source TEXT NOT NULL,"
	" type TEXT NOT NULL CHECK (type IN"
	"  ('upload.confirmed', 'upload.found', 'grant.rejected', 'grant.expired')),"
	" key TEXT NOT NULL,"
	" created_ms INTEGER NOT NULL,"
	" data TEXT NOT NULL,"
	" state TEXT NOT NULL CHECK (state IN ('waiting', 'delivered', 'dead', 'kept')),"
	" tries INTEGER NOT NULL DEFAULT 0,"
	" since_ms INTEGER NOT NULL,"
	" due_ms INTEGER,"
	" ended_ms INTEGER,"
	" fault TEXT"
	") STRICT;"
	"CREATE INDEX events_state ON events (state, id);"
	"CREATE INDEX events_due ON events (due_ms, id) WHERE due_ms IS NOT NULL;"
	"CREATE INDEX events_key ON events (key, id) WHERE state = 'waiting';"
	"CREATE TABLE event_followers ("
	" name TEXT PRIMARY KEY,"
	" position INTEGER NOT NULL,"
	" changed_ms INTEGER NOT NULL"
	") STRICT, WITHOUT ROWID;"
	"PRAGMA user_version = 5;";

/* The values of a row, as SQL. */
#define ROW(type, key, time, data)                                                                \
	"INSERT INTO events (name, source, type, key, created_ms, since_ms, data, state, due_ms)" \
	" SELECT 'evt_' || lower(hex(randomblob(12))), event_source(), " type ", " key ", " time  \
	", " time ", json_object(" data "), event_state(),"                                       \
	" CASE WHEN event_state() = 'waiting' AND NOT EXISTS"                                     \
	" (SELECT 1 FROM events WHERE state = 'waiting' AND key = " key ") THEN " time " END;"
#define OF_GRANT(column) "coalesce((SELECT " column " FROM grants WHERE id = NEW.grant_id), '')"

static const char triggers[] =
	"CREATE TEMP TRIGGER events_of_uploads AFTER INSERT ON main.uploads WHEN event_room()"
	" BEGIN " ROW(
		"CASE NEW.source WHEN 'store' THEN 'upload.found' ELSE 'upload.confirmed' END",
		"NEW.object", "NEW.received_ms",
		"'id', NEW.id, 'bucket', NEW.bucket, 'object', NEW.object, 'etag', NEW.etag,"
		" 'size', NEW.size, 'mimeType', NEW.mime_type, 'width', NEW.width,"
		" 'height', NEW.height, 'clientIp', NEW.client_ip,"
		" 'reqId', coalesce(NEW.request_id, ''), 'grantId', coalesce(NEW.grant_id, ''),"
		" 'versionId', coalesce(NEW.version_id, ''), 'lastModified', NEW.last_modified,"
		" 'confirmed', json(CASE NEW.confirmed WHEN 1 THEN 'true' ELSE 'false' END),"
		" 'source', NEW.source, 'receivedMs', NEW.received_ms,"
		" 'subject', " OF_GRANT("subject") ", 'profile', " OF_GRANT(
			"profile")) " END;"
				    "CREATE TEMP TRIGGER events_of_grants AFTER UPDATE OF state ON "
				    "main.grants"
				    " WHEN NEW.state IN ('rejected', 'expired') AND NEW.state <> "
				    "OLD.state AND event_room()"
				    " BEGIN " ROW("'grant.' || NEW.state",
					    "CASE NEW.key WHEN '' THEN NEW.id ELSE NEW.key END",
					    "NEW.changed_ms",
					    "'grantId', NEW.id, 'state', NEW.state, 'reason', "
					    "coalesce(NEW.reason, ''),"
					    " 'subject', NEW.subject, 'profile', NEW.profile, "
					    "'dir', NEW.dir, 'key', NEW.key,"
					    " 'issuedMs', NEW.issued_ms, 'expires', NEW.expires,"
					    " 'changedMs', NEW.changed_ms") " END;";

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
	" LIMIT ?2) AND (created_ms < ?3 OR ?4)";

/* ---- Writing ----------------------------------------------------------------------------------
 */

static void event_state(sqlite3_context *context, int count UNUSED, sqlite3_value **values UNUSED)
{
	const struct ledger *ledger = sqlite3_user_data(context);
	sqlite3_result_text(
		context, ledger->events.with_target ? "waiting" : "kept", -1, SQLITE_STATIC);
}

static void event_source(sqlite3_context *context, int count UNUSED, sqlite3_value **values UNUSED)
{
	const struct ledger *ledger = sqlite3_user_data(context);
	sqlite3_result_text64(context, ledger->events.source.ptr, ledger->events.source.len,
		SQLITE_STATIC, SQLITE_UTF8);
}

/* Counts the row that the trigger is about to write. */
static void event_room(sqlite3_context *context, int count UNUSED, sqlite3_value **values UNUSED)
{
	struct ledger *ledger = sqlite3_user_data(context);
	struct ledger_outbox *e = &ledger->events;
	bool room = e->rows < e->max;
	if (room)
		e->rows++;
	else
		atomic_fetch_add(&e->dropped, 1);
	e->fresh = true;
	sqlite3_result_int(context, room);
}

void ledger_events_recount(struct ledger *ledger)
{
	struct ledger_outbox *e = &ledger->events;
	if (!e->count)
		return;
	if (sqlite3_step(e->count) == SQLITE_ROW)
		e->rows = sqlite3_column_int64(e->count, 0);
	(void)sqlite3_reset(e->count);
}

void ledger_events_written(struct ledger *ledger)
{
	struct ledger_outbox *e = &ledger->events;
	if (e->fresh && e->written)
		e->written(e->written_ctx);
	e->fresh = false;
}

static bool add_function(struct ledger *ledger, const char *name,
	void (*call)(sqlite3_context *context, int count, sqlite3_value **values))
{
	return sqlite3_create_function_v2(ledger->db, name, 0, SQLITE_UTF8, ledger, call, NULL,
		       NULL, NULL) == SQLITE_OK;
}

static bool prepare(struct ledger *ledger)
{
	struct ledger_outbox *e = &ledger->events;
	return add_function(ledger, "event_room", event_room) &&
	       add_function(ledger, "event_state", event_state) &&
	       add_function(ledger, "event_source", event_source) &&
	       sqlite3_exec(ledger->db, triggers, NULL, NULL, NULL) == SQLITE_OK &&
	       ledger_prepare(ledger, count_sql, &e->count) &&
	       ledger_prepare(ledger, due_sql, &e->due) &&
	       ledger_prepare(ledger, next_sql, &e->next) &&
	       ledger_prepare(ledger, depth_sql, &e->depth) &&
	       ledger_prepare(ledger, end_sql, &e->end) &&
	       ledger_prepare(ledger, head_sql, &e->head) &&
	       ledger_prepare(ledger, delete_sql, &e->delete);
}

enum err ledger_keep_events(struct ledger *ledger, const struct ledger_events_options *options)
{
	struct ledger_outbox *e = &ledger->events;
	e->max = options->max;
	e->keep_ms = options->keep_seconds * 1000;
	e->with_target = options->with_target;
	e->source = options->source;
	e->written = options->written;
	e->written_ctx = options->ctx;
	if (!prepare(ledger)) {
		log_error("ledger: events: %s", sqlite3_errmsg(ledger->db));
		return ERR_INTERNAL;
	}
	ledger_events_recount(ledger);
	return ERR_OK;
}

void ledger_events_release(struct ledger *ledger)
{
	struct ledger_outbox *e = &ledger->events;
	(void)sqlite3_finalize(e->count);
	(void)sqlite3_finalize(e->due);
	(void)sqlite3_finalize(e->next);
	(void)sqlite3_finalize(e->depth);
	(void)sqlite3_finalize(e->end);
	(void)sqlite3_finalize(e->head);
	(void)sqlite3_finalize(e->delete);
}

uint64_t ledger_events_dropped(const struct ledger *ledger)
{
	return atomic_load(&ledger->events.dropped);
}

/* ---- What is due ------------------------------------------------------------------------------
 */

/* Texts are repaired: a store may have passed on what is not UTF-8. */
static bool column(struct ledger_events *page, sqlite3_stmt *s, int at, struct slice *ret)
{
	const unsigned char *text = sqlite3_column_text(s, at);
	struct slice raw =
		slice_of(text ? (const char *)text : "", (size_t)sqlite3_column_bytes(s, at));
	SCOPED_STRBUF(repaired, PAGE_BYTES_MAX);
	if (!utf8_valid(raw)) {
		utf8_repair(&repaired, raw);
		raw = strbuf_slice(&repaired);
	}
	*ret = arena_copy(&page->arena_, raw);
	return ret->ptr != NULL && !strbuf_broken(&repaired);
}

static bool read_row(struct ledger_events *page, sqlite3_stmt *s)
{
	struct ledger_event *row = &page->rows[page->count];
	row->id = sqlite3_column_int64(s, 0);
	row->created_ms = sqlite3_column_int64(s, 6);
	row->since_ms = sqlite3_column_int64(s, 7);
	row->tries = sqlite3_column_int64(s, 8);
	if (!column(page, s, 1, &row->name) || !column(page, s, 2, &row->source) ||
		!column(page, s, 3, &row->type) || !column(page, s, 4, &row->key) ||
		!column(page, s, 5, &row->data))
		return false;
	page->count++;
	return true;
}

/* A page that is full of large ones is a page all the same. */
static bool read_due(struct ledger_events *page, sqlite3_stmt *s)
{
	int result = SQLITE_ROW;
	bool read = true;
	if (sqlite3_bind_int64(s, 1, page->now_ms) != SQLITE_OK ||
		sqlite3_bind_int64(s, 2, LEDGER_EVENTS_MAX) != SQLITE_OK)
		return false;
	while (read && page->count < LEDGER_EVENTS_MAX && (result = sqlite3_step(s)) == SQLITE_ROW)
		read = read_row(page, s);
	(void)sqlite3_reset(s);
	return (result == SQLITE_ROW || result == SQLITE_DONE) && (read || page->count > 0);
}

static bool read_next(struct ledger_events *page, sqlite3_stmt *s)
{
	bool ok = sqlite3_bind_int64(s, 1, page->now_ms) == SQLITE_OK &&
		  sqlite3_step(s) == SQLITE_ROW;
	page->next_due_ms = ok && sqlite3_column_type(s, 0) != SQLITE_NULL
				    ? sqlite3_column_int64(s, 0)
				    : INT64_MAX;
	(void)sqlite3_reset(s);
	return ok;
}

static bool read_depth(struct ledger_events *page, sqlite3_stmt *s)
{
	bool ok = sqlite3_step(s) == SQLITE_ROW;
	if (ok) {
		page->waiting = sqlite3_column_int64(s, 0);
		page->dead = sqlite3_column_int64(s, 1);
		page->oldest_ms = sqlite3_column_int64(s, 2);
	}
	(void)sqlite3_reset(s);
	return ok;
}

/* The oldest of a state: what is too old, and what is in the way. */
static bool sweep(struct ledger *ledger, const char *state, int64_t now_ms)
{
	struct ledger_outbox *e = &ledger->events;
	sqlite3_stmt *s = e->delete;
	bool ok = ledger_bind_text(s, 1, slice_str(state)) &&
		  sqlite3_bind_int64(s, 2, SWEEP_ROWS) == SQLITE_OK &&
		  sqlite3_bind_int64(s, 3, now_ms - e->keep_ms) == SQLITE_OK &&
		  sqlite3_bind_int(s, 4, e->rows >= e->max) == SQLITE_OK && ledger_step(s);
	if (ok)
		e->rows -= sqlite3_changes(ledger->db);
	return ok;
}

static void run_take(struct ledger *ledger, struct ledger_job *job)
{
	struct ledger_events *page = CONTAINER_OF(job, struct ledger_events, job_);
	struct ledger_outbox *e = &ledger->events;
	bool ok = sweep(ledger, "delivered", page->now_ms) && sweep(ledger, "kept", page->now_ms) &&
		  sweep(ledger, "dead", page->now_ms) &&
		  (!page->want_due || (read_due(page, e->due) && read_next(page, e->next))) &&
		  (!page->want_depth || read_depth(page, e->depth));
	page->failed = !ok;
	if (!ok)
		log_error("ledger: events: %s", sqlite3_errmsg(ledger->db));
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

static bool bind_end(sqlite3_stmt *s, const struct ledger_event_end *end)
{
	static const char *const states[] = {[LEDGER_EVENT_LATER] = "waiting",
		[LEDGER_EVENT_DELIVERED] = "delivered",
		[LEDGER_EVENT_DEAD] = "dead"};
	bool later = end->how == LEDGER_EVENT_LATER;
	return sqlite3_bind_int64(s, 1, end->id) == SQLITE_OK &&
	       ledger_bind_text(s, 2, slice_str(states[end->how])) &&
	       sqlite3_bind_int(s, 3, end->tried) == SQLITE_OK &&
	       (!later || sqlite3_bind_int64(s, 4, end->due_ms) == SQLITE_OK) &&
	       (later || sqlite3_bind_int64(s, 5, end->now_ms) == SQLITE_OK) &&
	       (!end->fault || ledger_bind_text(s, 6, slice_str(end->fault)));
}

static void run_end(struct ledger *ledger, struct ledger_job *job)
{
	const struct ledger_event_end *end = &CONTAINER_OF(job, struct ending, job)->end;
	struct ledger_outbox *e = &ledger->events;
	bool ok = bind_end(e->end, end) && ledger_step(e->end);
	(void)sqlite3_clear_bindings(e->end);
	if (ok && end->how != LEDGER_EVENT_LATER)
		ok = sqlite3_bind_int64(e->head, 1, end->id) == SQLITE_OK &&
		     sqlite3_bind_int64(e->head, 2, end->now_ms) == SQLITE_OK &&
		     ledger_step(e->head);
	if (!ok)
		log_error("ledger: event: %s", sqlite3_errmsg(ledger->db));
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
