/* SPDX-License-Identifier: Apache-2.0 */
#include "app/ledger/ledger.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>

#include "app/ledger/ledger_internal.h"
#include "base/clock.h"
#include "base/limits.h"
#include "base/log.h"

/* How long another process (a person with the sqlite3 shell) may hold the lock. */
#define BUSY_MS 5000
#define SCHEMA_VERSION 5
#define PAGE_BYTES 4096 /* SQLite's default */

static const char pragmas[] = "PRAGMA journal_mode = WAL;"
			      "PRAGMA synchronous = FULL;"
			      "BEGIN IMMEDIATE;";

static const char schema[] =
	"CREATE TABLE IF NOT EXISTS uploads ("
	" id INTEGER PRIMARY KEY,"
	" received_ms INTEGER NOT NULL,"
	" grant_id TEXT,"
	" request_id TEXT,"
	" bucket TEXT NOT NULL,"
	" object TEXT NOT NULL,"
	" etag TEXT NOT NULL,"
	" mime_type TEXT NOT NULL,"
	" size INTEGER,"
	" width INTEGER,"
	" height INTEGER,"
	" client_ip TEXT NOT NULL,"
	" body BLOB NOT NULL,"
	" UNIQUE (grant_id, request_id)"
	") STRICT;"
	"CREATE TRIGGER IF NOT EXISTS uploads_no_update BEFORE UPDATE ON uploads"
	" BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END;"
	"CREATE TRIGGER IF NOT EXISTS uploads_no_delete BEFORE DELETE ON uploads"
	" BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END;";

/* What version 1 had not. */
static const char upgrade_1[] =
	"ALTER TABLE uploads ADD COLUMN confirmed INTEGER NOT NULL DEFAULT 0;"
	"ALTER TABLE uploads ADD COLUMN last_modified INTEGER;"
	"ALTER TABLE uploads ADD COLUMN version_id TEXT;"
	"CREATE UNIQUE INDEX uploads_state ON uploads"
	" (grant_id, bucket, object, etag, last_modified, version_id) WHERE confirmed = 1;"
	"CREATE INDEX uploads_of_grant ON uploads (grant_id, size);";

/* Whether the callback, and the state of the object, are there; what the grant has been used for.
 */
static const char look_sql[] =
	"SELECT EXISTS (SELECT 1 FROM uploads WHERE grant_id = ?1 AND request_id = ?2),"
	" EXISTS (SELECT 1 FROM uploads WHERE confirmed = 1 AND grant_id = ?1 AND bucket = ?3"
	"  AND object = ?4 AND etag = ?5 AND last_modified = ?6 AND version_id = ?7),"
	" count(*), total(size) FROM uploads WHERE grant_id = ?1";

static const char insert_sql[] =
	"INSERT INTO uploads (received_ms, grant_id, request_id, bucket, object, etag, mime_type,"
	" size, width, height, client_ip, body, confirmed, last_modified, version_id,"
	" source) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16)";

/* ---- On the ledger's thread -------------------------------------------------------------------
 */

bool ledger_step(sqlite3_stmt *statement)
{
	int result = sqlite3_step(statement);
	(void)sqlite3_reset(statement);
	return result == SQLITE_DONE;
}

bool ledger_bind_text(sqlite3_stmt *statement, int at, struct slice text)
{
	return sqlite3_bind_text64(statement, at, text.len > 0 ? text.ptr : "", text.len,
		       SQLITE_STATIC, SQLITE_UTF8) == SQLITE_OK;
}

/* Empty is NULL, which is never equal to another NULL. */
static bool bind_id(sqlite3_stmt *statement, int at, struct slice text)
{
	return text.len > 0 ? ledger_bind_text(statement, at, text)
			    : sqlite3_bind_null(statement, at) == SQLITE_OK;
}

static bool bind_number(sqlite3_stmt *statement, int at, int64_t number)
{
	return (number >= 0 ? sqlite3_bind_int64(statement, at, number)
			    : sqlite3_bind_null(statement, at)) == SQLITE_OK;
}

static bool bind_entry(sqlite3_stmt *s, const struct ledger_entry *entry)
{
	return sqlite3_bind_int64(s, 1, entry->received_ms) == SQLITE_OK &&
	       bind_id(s, 2, entry->grant_id) && bind_id(s, 3, entry->request_id) &&
	       ledger_bind_text(s, 4, entry->bucket) && ledger_bind_text(s, 5, entry->object) &&
	       ledger_bind_text(s, 6, entry->etag) && ledger_bind_text(s, 7, entry->mime_type) &&
	       bind_number(s, 8, entry->size) && bind_number(s, 9, entry->width) &&
	       bind_number(s, 10, entry->height) && ledger_bind_text(s, 11, entry->client_ip) &&
	       sqlite3_bind_blob64(s, 12, entry->body.len > 0 ? entry->body.ptr : "",
		       entry->body.len, SQLITE_STATIC) == SQLITE_OK &&
	       sqlite3_bind_int(s, 13, entry->confirmed) == SQLITE_OK &&
	       ledger_bind_text(s, 16, entry->found ? S("store") : S("callback")) &&
	       (!entry->confirmed ||
		       (sqlite3_bind_int64(s, 14, entry->last_modified) == SQLITE_OK &&
			       ledger_bind_text(s, 15, entry->version_id)));
}

static bool bind_question(sqlite3_stmt *s, const struct ledger_entry *entry)
{
	return bind_id(s, 1, entry->grant_id) && bind_id(s, 2, entry->request_id) &&
	       ledger_bind_text(s, 3, entry->bucket) && ledger_bind_text(s, 4, entry->object) &&
	       ledger_bind_text(s, 5, entry->etag) &&
	       (!entry->confirmed || (sqlite3_bind_int64(s, 6, entry->last_modified) == SQLITE_OK &&
					     ledger_bind_text(s, 7, entry->version_id)));
}

/* With the answer to `look` at hand. */
static enum ledger_result judge(sqlite3_stmt *look, const struct ledger_entry *entry)
{
	double size = entry->size > 0 ? (double)entry->size : 0;
	if (sqlite3_column_int(look, 0))
		return LEDGER_REPEATED;
	if (sqlite3_column_int(look, 1))
		return LEDGER_KNOWN;
	if ((entry->max_uploads > 0 && sqlite3_column_int64(look, 2) >= entry->max_uploads) ||
		(entry->max_bytes > 0 &&
			sqlite3_column_double(look, 3) + size > (double)entry->max_bytes))
		return LEDGER_EXHAUSTED;
	return LEDGER_RECORDED;
}

/* Whether the entry may be recorded. Nothing is known about what has no grant. */
static enum ledger_result look(struct ledger *ledger, const struct ledger_entry *entry)
{
	enum ledger_result result = LEDGER_FAILED;
	if (entry->grant_id.len == 0)
		return LEDGER_RECORDED;
	if (bind_question(ledger->look, entry) && sqlite3_step(ledger->look) == SQLITE_ROW)
		result = judge(ledger->look, entry);
	(void)sqlite3_reset(ledger->look);
	(void)sqlite3_clear_bindings(ledger->look);
	return result;
}

static void insert_entry(struct ledger *ledger, struct ledger_job *job)
{
	struct ledger_entry *entry = CONTAINER_OF(job, struct ledger_entry, job_);
	if (entry->deadline_ms > 0 && clock_monotonic_ms() >= entry->deadline_ms) {
		entry->result = LEDGER_LATE;
		return;
	}
	entry->result = look(ledger, entry);
	if (entry->result == LEDGER_RECORDED &&
		(!bind_entry(ledger->insert, entry) || !ledger_step(ledger->insert)))
		entry->result = LEDGER_FAILED;
	/* The upload is what counts; a fault with the grant was logged. */
	if (entry->result == LEDGER_RECORDED)
		(void)!ledger_grants_set_state(ledger, entry->grant_id,
			entry->found ? GRANT_FOUND : GRANT_CONFIRMED, NULL, entry->received_ms);
	if (entry->result == LEDGER_FAILED)
		log_error("ledger: insert: %s", sqlite3_errmsg(ledger->db));
	(void)sqlite3_clear_bindings(ledger->insert);
}

static void finish_entry(struct ledger_job *job, bool synced)
{
	struct ledger_entry *entry = CONTAINER_OF(job, struct ledger_entry, job_);
	if (!synced)
		entry->result = LEDGER_FAILED;
	executor_post(entry->home, &entry->done);
}

static void on_job(struct task *task)
{
	struct ledger_job *job = CONTAINER_OF(task, struct ledger_job, task);
	struct ledger *ledger = job->ledger;
	job->next = NULL;
	*ledger->batch_last = job;
	ledger->batch_last = &job->next;
}

static bool run_batch(struct ledger *ledger)
{
	if (!ledger_step(ledger->begin))
		return false;
	for (struct ledger_job *job = ledger->batch; job; job = job->next)
		job->run(ledger, job);
	return ledger_grants_sweep(ledger) && ledger_step(ledger->commit);
}

static void on_batch(struct task *list, void *state)
{
	struct ledger *ledger = state;
	thread_queue_run(list);
	bool synced = run_batch(ledger);
	if (!synced) {
		log_error("ledger: transaction: %s", sqlite3_errmsg(ledger->db));
		if (!sqlite3_get_autocommit(ledger->db))
			(void)!ledger_step(ledger->rollback);
		ledger_grants_recount(ledger);
		ledger_events_recount(ledger);
	}
	ledger_events_written(ledger);
	struct ledger_job *job = ledger->batch;
	ledger->batch = NULL;
	ledger->batch_last = &ledger->batch;
	while (job) {
		struct ledger_job *next = job->next;
		job->finish(job, synced);
		job = next;
	}
}

/* ---- Opening and closing ----------------------------------------------------------------------
 */

bool ledger_prepare(struct ledger *ledger, const char *sql, sqlite3_stmt **ret)
{
	return sqlite3_prepare_v3(ledger->db, sql, -1, SQLITE_PREPARE_PERSISTENT, ret, NULL) ==
	       SQLITE_OK;
}

static int schema_version(struct ledger *ledger)
{
	sqlite3_stmt *statement;
	int version = -1;
	if (ledger_prepare(ledger, "PRAGMA user_version", &statement)) {
		if (sqlite3_step(statement) == SQLITE_ROW)
			version = sqlite3_column_int(statement, 0);
		(void)sqlite3_finalize(statement);
	}
	return version;
}

static bool run(struct ledger *ledger, const char *sql)
{
	return sqlite3_exec(ledger->db, sql, NULL, NULL, NULL) == SQLITE_OK;
}

/* A file of a later version has what we do not know; it is left alone. */
static bool make_schema(struct ledger *ledger)
{
	if (!run(ledger, pragmas) || !run(ledger, schema))
		return false;
	int version = schema_version(ledger);
	if (version > SCHEMA_VERSION)
		log_error("ledger: the file is of version %d, and this is version %d", version,
			SCHEMA_VERSION);
	return version >= 0 && version <= SCHEMA_VERSION &&
	       (version >= 2 || run(ledger, upgrade_1)) &&
	       (version >= 3 || run(ledger, ledger_grants_schema)) &&
	       (version >= 4 || run(ledger, ledger_look_schema)) &&
	       (version >= 5 || run(ledger, ledger_events_schema)) && run(ledger, "COMMIT");
}

/* In memory it cannot grow for ever; above that it is like a full disk. */
static bool set_bound(struct ledger *ledger)
{
	SCOPED_STRBUF(sql, 128);
	strbuf_addf(&sql, "PRAGMA max_page_count = %zu",
		(size_t)LIMIT_LEDGER_MEMORY_BYTES / PAGE_BYTES);
	return !strbuf_broken(&sql) && run(ledger, sql.ptr);
}

static bool open_database(struct ledger *ledger, const char *path)
{
	return sqlite3_open_v2(path ? path : ":memory:", &ledger->db,
		       SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL) == SQLITE_OK &&
	       sqlite3_busy_timeout(ledger->db, BUSY_MS) == SQLITE_OK && make_schema(ledger) &&
	       (path || set_bound(ledger)) &&
	       ledger_prepare(ledger, "BEGIN IMMEDIATE", &ledger->begin) &&
	       ledger_prepare(ledger, look_sql, &ledger->look) &&
	       ledger_prepare(ledger, insert_sql, &ledger->insert) &&
	       ledger_prepare(ledger, "COMMIT", &ledger->commit) &&
	       ledger_prepare(ledger, "ROLLBACK", &ledger->rollback) &&
	       ledger_grants_prepare(ledger) && ledger_look_prepare(ledger);
}

/*
 * SQLite makes its other files with the mode of this one. It is closed before SQLite opens it:
 * closing it later would drop the process's locks, and another process that closes the file would
 * take the journal away as if nobody used it.
 */
static bool make_file(const char *path)
{
	SCOPED_FD int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0)
		log_error("ledger: %s: %s", path, strerror(errno));
	return fd >= 0;
}

enum err ledger_open(const char *path, struct ledger **ret)
{
	if (path && !make_file(path))
		return ERR_INTERNAL;
	struct ledger *ledger = calloc(1, sizeof(*ledger));
	if (!ledger)
		return ERR_UNAVAILABLE;
	ledger->batch_last = &ledger->batch;
	if (!open_database(ledger, path)) {
		log_error("ledger: %s: %s", path ? path : "in memory", sqlite3_errmsg(ledger->db));
		ledger_close(ledger);
		return ERR_INTERNAL;
	}
	const struct thread_queue_options options = {
		.name = "ledger", .duty = THREAD_DISK, .batch = on_batch, .state = ledger};
	enum err e = thread_queue_new(&options, &ledger->queue);
	if (e) {
		ledger_close(ledger);
		return e;
	}
	*ret = ledger;
	return ERR_OK;
}

void ledger_post(struct ledger *ledger, struct ledger_job *job)
{
	job->ledger = ledger;
	job->task.run = on_job;
	thread_queue_add(ledger->queue, &job->task);
}

void ledger_record(struct ledger *ledger, struct ledger_entry *entry)
{
	entry->job_ = (struct ledger_job){.run = insert_entry, .finish = finish_entry};
	ledger_post(ledger, &entry->job_);
}

void ledger_close(struct ledger *ledger)
{
	if (!ledger)
		return;
	thread_queue_free(ledger->queue);
	ledger_grants_release(ledger);
	ledger_look_release(ledger);
	ledger_events_release(ledger);
	(void)sqlite3_finalize(ledger->begin);
	(void)sqlite3_finalize(ledger->look);
	(void)sqlite3_finalize(ledger->insert);
	(void)sqlite3_finalize(ledger->commit);
	(void)sqlite3_finalize(ledger->rollback);
	(void)sqlite3_close(ledger->db);
	free(ledger);
}
