/* SPDX-License-Identifier: Apache-2.0 */
#include "app/ledger.h"

#include <errno.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/strbuf.h"
#include "net/worker.h"

/* How long another process (a person with the sqlite3 shell) may hold the lock. */
#define BUSY_MS 5000
#define SCHEMA_VERSION 2
#define PAGE_BYTES 4096 /* SQLite's default */

struct ledger {
	sqlite3 *db;
	sqlite3_stmt *begin, *look, *insert, *commit, *rollback;
	struct worker *worker;
	struct ledger_entry *batch, **batch_last; /* the worker's */
};

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
static const char upgrade[] =
	"ALTER TABLE uploads ADD COLUMN confirmed INTEGER NOT NULL DEFAULT 0;"
	"ALTER TABLE uploads ADD COLUMN last_modified INTEGER;"
	"ALTER TABLE uploads ADD COLUMN version_id TEXT;"
	"CREATE UNIQUE INDEX uploads_state ON uploads"
	" (grant_id, bucket, object, etag, last_modified, version_id) WHERE confirmed = 1;"
	"CREATE INDEX uploads_of_grant ON uploads (grant_id, size);"
	"PRAGMA user_version = 2;";

/* Whether the callback, and the state of the object, are there; what the grant has been used for.
 */
static const char look_sql[] =
	"SELECT EXISTS (SELECT 1 FROM uploads WHERE grant_id = ?1 AND request_id = ?2),"
	" EXISTS (SELECT 1 FROM uploads WHERE confirmed = 1 AND grant_id = ?1 AND bucket = ?3"
	"  AND object = ?4 AND etag = ?5 AND last_modified = ?6 AND version_id = ?7),"
	" count(*), total(size) FROM uploads WHERE grant_id = ?1";

static const char insert_sql[] =
	"INSERT INTO uploads (received_ms, grant_id, request_id, bucket, object, etag, mime_type,"
	" size, width, height, client_ip, body, confirmed, last_modified, version_id) VALUES (?1,"
	" ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15)";

/* ---- On the ledger's thread -------------------------------------------------------------------
 */

/* Runs a statement that gives no rows. */
static bool step(sqlite3_stmt *statement)
{
	int result = sqlite3_step(statement);
	(void)sqlite3_reset(statement);
	return result == SQLITE_DONE;
}

static bool bind_text(sqlite3_stmt *statement, int at, struct slice text)
{
	return sqlite3_bind_text64(statement, at, text.len > 0 ? text.ptr : "", text.len,
		       SQLITE_STATIC, SQLITE_UTF8) == SQLITE_OK;
}

/* Empty is NULL, which is never equal to another NULL. */
static bool bind_id(sqlite3_stmt *statement, int at, struct slice text)
{
	return text.len > 0 ? bind_text(statement, at, text)
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
	       bind_text(s, 4, entry->bucket) && bind_text(s, 5, entry->object) &&
	       bind_text(s, 6, entry->etag) && bind_text(s, 7, entry->mime_type) &&
	       bind_number(s, 8, entry->size) && bind_number(s, 9, entry->width) &&
	       bind_number(s, 10, entry->height) && bind_text(s, 11, entry->client_ip) &&
	       sqlite3_bind_blob64(s, 12, entry->body.len > 0 ? entry->body.ptr : "",
		       entry->body.len, SQLITE_STATIC) == SQLITE_OK &&
	       sqlite3_bind_int(s, 13, entry->confirmed) == SQLITE_OK &&
	       (!entry->confirmed ||
		       (sqlite3_bind_int64(s, 14, entry->last_modified) == SQLITE_OK &&
			       bind_text(s, 15, entry->version_id)));
}

static bool bind_question(sqlite3_stmt *s, const struct ledger_entry *entry)
{
	return bind_id(s, 1, entry->grant_id) && bind_id(s, 2, entry->request_id) &&
	       bind_text(s, 3, entry->bucket) && bind_text(s, 4, entry->object) &&
	       bind_text(s, 5, entry->etag) &&
	       (!entry->confirmed || (sqlite3_bind_int64(s, 6, entry->last_modified) == SQLITE_OK &&
					     bind_text(s, 7, entry->version_id)));
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

static void insert_entry(struct ledger *ledger, struct ledger_entry *entry)
{
	if (entry->deadline_ms > 0 && clock_monotonic_ms() >= entry->deadline_ms) {
		entry->result = LEDGER_LATE;
		return;
	}
	entry->result = look(ledger, entry);
	if (entry->result == LEDGER_RECORDED &&
		(!bind_entry(ledger->insert, entry) || !step(ledger->insert)))
		entry->result = LEDGER_FAILED;
	if (entry->result == LEDGER_FAILED)
		log_error("ledger: insert: %s", sqlite3_errmsg(ledger->db));
	(void)sqlite3_clear_bindings(ledger->insert);
}

static void on_entry(struct task *task)
{
	struct ledger_entry *entry = CONTAINER_OF(task, struct ledger_entry, insert_);
	struct ledger *ledger = entry->ledger_;
	entry->next_ = NULL;
	*ledger->batch_last = entry;
	ledger->batch_last = &entry->next_;
}

static bool insert_batch(struct ledger *ledger)
{
	if (!step(ledger->begin))
		return false;
	for (struct ledger_entry *entry = ledger->batch; entry; entry = entry->next_)
		insert_entry(ledger, entry);
	return step(ledger->commit);
}

static void after_batch(void *state)
{
	struct ledger *ledger = state;
	bool synced = insert_batch(ledger);
	if (!synced) {
		log_error("ledger: transaction: %s", sqlite3_errmsg(ledger->db));
		if (!sqlite3_get_autocommit(ledger->db))
			(void)step(ledger->rollback);
	}
	struct ledger_entry *entry = ledger->batch;
	ledger->batch = NULL;
	ledger->batch_last = &ledger->batch;
	while (entry) {
		struct ledger_entry *next = entry->next_;
		if (!synced)
			entry->result = LEDGER_FAILED;
		executor_post(entry->home, &entry->done);
		entry = next;
	}
}

/* ---- Opening and closing ----------------------------------------------------------------------
 */

static bool prepare(struct ledger *ledger, const char *sql, sqlite3_stmt **ret)
{
	return sqlite3_prepare_v3(ledger->db, sql, -1, SQLITE_PREPARE_PERSISTENT, ret, NULL) ==
	       SQLITE_OK;
}

static int schema_version(struct ledger *ledger)
{
	sqlite3_stmt *statement;
	int version = -1;
	if (prepare(ledger, "PRAGMA user_version", &statement)) {
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
	       (version == SCHEMA_VERSION || run(ledger, upgrade)) && run(ledger, "COMMIT");
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
	       (path || set_bound(ledger)) && prepare(ledger, "BEGIN IMMEDIATE", &ledger->begin) &&
	       prepare(ledger, look_sql, &ledger->look) &&
	       prepare(ledger, insert_sql, &ledger->insert) &&
	       prepare(ledger, "COMMIT", &ledger->commit) &&
	       prepare(ledger, "ROLLBACK", &ledger->rollback);
}

enum err ledger_open(const char *path, struct ledger **ret)
{
	/* SQLite makes its other files with the mode of this one. */
	SCOPED_FD int fd = path ? open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600) : -1;
	if (path && fd < 0) {
		log_error("ledger: %s: %s", path, strerror(errno));
		return ERR_INTERNAL;
	}
	struct ledger *ledger = calloc(1, sizeof(*ledger));
	if (!ledger)
		return ERR_UNAVAILABLE;
	ledger->batch_last = &ledger->batch;
	if (!open_database(ledger, path)) {
		log_error("ledger: %s: %s", path ? path : "in memory", sqlite3_errmsg(ledger->db));
		ledger_close(ledger);
		return ERR_INTERNAL;
	}
	const struct worker_options options = {
		.name = "ledger", .after_batch = after_batch, .state = ledger};
	enum err e = worker_new(&options, &ledger->worker);
	if (e) {
		ledger_close(ledger);
		return e;
	}
	*ret = ledger;
	return ERR_OK;
}

void ledger_record(struct ledger *ledger, struct ledger_entry *entry)
{
	entry->ledger_ = ledger;
	entry->insert_.run = on_entry;
	executor_post(worker_executor(ledger->worker), &entry->insert_);
}

void ledger_close(struct ledger *ledger)
{
	if (!ledger)
		return;
	worker_free(ledger->worker);
	(void)sqlite3_finalize(ledger->begin);
	(void)sqlite3_finalize(ledger->look);
	(void)sqlite3_finalize(ledger->insert);
	(void)sqlite3_finalize(ledger->commit);
	(void)sqlite3_finalize(ledger->rollback);
	(void)sqlite3_close(ledger->db);
	free(ledger);
}
