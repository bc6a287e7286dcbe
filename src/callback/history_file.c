/* SPDX-License-Identifier: Apache-2.0 */
/* The callback history in a SQLite file. */
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <sqlite3.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "base/log.h"
#include "callback/history_internal.h"

#define SCHEMA_VERSION 1

/* How long another process (a person with the sqlite3 shell) may hold the lock. */
#define BUSY_MS 1000

struct history_file {
	struct callback_history base;
	sqlite3 *db;
	sqlite3_stmt *begin, *insert, *trim, *commit, *rollback, *read;
	atomic_int_fast64_t last_id;
};

static struct history_file *of(struct callback_history *history)
{
	return CONTAINER_OF(history, struct history_file, base);
}

static const char schema[] = "PRAGMA journal_mode = WAL;"
			     "PRAGMA synchronous = NORMAL;"
			     "BEGIN IMMEDIATE;"
			     "CREATE TABLE IF NOT EXISTS callbacks ("
			     " id INTEGER PRIMARY KEY,"
			     " time_ms INTEGER NOT NULL,"
			     " bucket TEXT NOT NULL,"
			     " object TEXT NOT NULL,"
			     " event TEXT NOT NULL,"
			     " size INTEGER NOT NULL,"
			     " urls TEXT NOT NULL,"
			     " tries TEXT NOT NULL,"
			     " ok INTEGER NOT NULL,"
			     " answer BLOB NOT NULL,"
			     " answer_truncated INTEGER NOT NULL,"
			     " body BLOB,"
			     " host TEXT NOT NULL,"
			     " sni INTEGER NOT NULL,"
			     " json INTEGER NOT NULL,"
			     " request_id TEXT NOT NULL,"
			     " owner TEXT NOT NULL,"
			     " requester TEXT NOT NULL"
			     ") STRICT;"
			     "PRAGMA user_version = 1;"
			     "COMMIT;";

static const char insert_sql[] =
	"INSERT INTO callbacks (id, time_ms, bucket, object, event, size, urls, tries, ok, answer,"
	" answer_truncated, body, host, sni, json, request_id, owner, requester)"
	" VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18)";

static const char read_sql[] =
	"SELECT id, time_ms, bucket, object, event, size, urls, tries, ok, answer,"
	" answer_truncated, body, host, sni, json, request_id, owner, requester"
	" FROM callbacks WHERE id < ?1 ORDER BY id DESC LIMIT ?2";

/* The columns of both, in this order; a statement's parameters count from 1. */
enum column {
	COLUMN_ID,
	COLUMN_TIME,
	COLUMN_BUCKET,
	COLUMN_OBJECT,
	COLUMN_EVENT,
	COLUMN_SIZE,
	COLUMN_URLS,
	COLUMN_TRIES,
	COLUMN_OK,
	COLUMN_ANSWER,
	COLUMN_ANSWER_TRUNCATED,
	COLUMN_BODY,
	COLUMN_HOST,
	COLUMN_SNI,
	COLUMN_JSON,
	COLUMN_REQUEST_ID,
	COLUMN_OWNER,
	COLUMN_REQUESTER,
};

/* ---- Tries, as JSON: [[status, milliseconds, error], ...] -------------------------------------
 */

/* NULL without memory; the caller frees it. */
static char *format_tries(const struct callback_record *record)
{
	json_t *list = json_array();
	for (size_t i = 0; i < record->try_count; i++) {
		const struct callback_try *one = &record->tries[i];
		(void)json_array_append_new(
			list, json_pack("[i, I, s]", one->status, (json_int_t)one->ms, one->error));
	}
	char *text = list ? json_dumps(list, JSON_COMPACT) : NULL;
	json_decref(list);
	return text;
}

static void parse_tries(const char *text, struct callback_record *record)
{
	json_t *list = json_loads(text ? text : "", 0, NULL);
	size_t i;
	json_t *item;
	json_array_foreach(list, i, item)
	{
		struct callback_try *one = &record->tries[record->try_count];
		const char *error = "";
		json_int_t ms = 0;
		if (i >= ARRAY_LEN(record->tries) ||
			json_unpack(item, "[i, I, s]", &one->status, &ms, &error) != 0)
			break;
		one->ms = ms;
		(void)snprintf(one->error, sizeof(one->error), "%s", error);
		record->try_count++;
	}
	json_decref(list);
}

/* ---- Writing, on its thread ------------------------------------------------------------------ */

/* Runs a statement that gives no rows. */
static bool step(sqlite3_stmt *statement)
{
	int result = sqlite3_step(statement);
	(void)sqlite3_reset(statement);
	return result == SQLITE_DONE;
}

static bool bind_text(sqlite3_stmt *s, enum column column, struct slice text)
{
	return sqlite3_bind_text64(s, (int)column + 1, text.len ? text.ptr : "", text.len,
		       SQLITE_STATIC, SQLITE_UTF8) == SQLITE_OK;
}

static bool bind_number(sqlite3_stmt *s, enum column column, int64_t number)
{
	return sqlite3_bind_int64(s, (int)column + 1, number) == SQLITE_OK;
}

static bool bind_bytes(sqlite3_stmt *s, enum column column, struct slice bytes)
{
	return sqlite3_bind_blob64(s, (int)column + 1, bytes.len ? bytes.ptr : "", bytes.len,
		       SQLITE_STATIC) == SQLITE_OK;
}

static bool bind_record(sqlite3_stmt *s, const struct callback_record *record, const char *tries)
{
	return bind_number(s, COLUMN_ID, record->id) &&
	       bind_number(s, COLUMN_TIME, record->time_ms) &&
	       bind_text(s, COLUMN_BUCKET, record->bucket) &&
	       bind_text(s, COLUMN_OBJECT, record->object) &&
	       bind_text(s, COLUMN_EVENT, record->event) &&
	       bind_number(s, COLUMN_SIZE, (int64_t)record->size) &&
	       bind_text(s, COLUMN_URLS, record->urls) &&
	       bind_text(s, COLUMN_TRIES, slice_str(tries)) &&
	       bind_number(s, COLUMN_OK, record->ok) &&
	       bind_bytes(s, COLUMN_ANSWER, record->answer) &&
	       bind_number(s, COLUMN_ANSWER_TRUNCATED, record->answer_truncated) &&
	       (!record->sendable || bind_bytes(s, COLUMN_BODY, record->body)) &&
	       bind_text(s, COLUMN_HOST, record->host) && bind_number(s, COLUMN_SNI, record->sni) &&
	       bind_number(s, COLUMN_JSON, record->body_type == CALLBACK_JSON) &&
	       bind_text(s, COLUMN_REQUEST_ID, record->request_id) &&
	       bind_text(s, COLUMN_OWNER, record->owner) &&
	       bind_text(s, COLUMN_REQUESTER, record->requester);
}

static bool insert_record(struct history_file *history, const struct callback_record *record)
{
	char *tries = format_tries(record);
	bool ok = tries && bind_record(history->insert, record, tries) && step(history->insert);
	(void)sqlite3_clear_bindings(history->insert);
	free(tries);
	return ok &&
	       sqlite3_bind_int64(history->trim, 1, record->id - LIMIT_CALLBACK_HISTORY_ENTRIES) ==
		       SQLITE_OK &&
	       step(history->trim);
}

static bool begin_batch(struct callback_history *history)
{
	return step(of(history)->begin);
}

static bool write_record(struct callback_history *history, const struct callback_record *record)
{
	return insert_record(of(history), record);
}

static bool commit_batch(struct callback_history *history)
{
	return step(of(history)->commit);
}

static void end_batch(struct callback_history *history)
{
	if (!sqlite3_get_autocommit(of(history)->db))
		(void)step(of(history)->rollback);
}

static const char *fault(struct callback_history *history)
{
	return sqlite3_errmsg(of(history)->db);
}

/* ---- Reading, likewise ------------------------------------------------------------------------
 */

static struct slice text_of(sqlite3_stmt *s, enum column column, struct callback_record *record)
{
	const void *bytes = sqlite3_column_blob(s, (int)column);
	size_t len = (size_t)sqlite3_column_bytes(s, (int)column);
	return arena_copy(&record->arena, slice_of(bytes, bytes ? len : 0));
}

static int64_t number_of(sqlite3_stmt *s, enum column column)
{
	return sqlite3_column_int64(s, (int)column);
}

static struct callback_record *read_record(sqlite3_stmt *s)
{
	struct callback_record *record = callback_record_new();
	if (!record)
		return NULL;
	record->id = number_of(s, COLUMN_ID);
	record->time_ms = number_of(s, COLUMN_TIME);
	record->bucket = text_of(s, COLUMN_BUCKET, record);
	record->object = text_of(s, COLUMN_OBJECT, record);
	record->event = text_of(s, COLUMN_EVENT, record);
	record->size = (uint64_t)number_of(s, COLUMN_SIZE);
	record->urls = text_of(s, COLUMN_URLS, record);
	parse_tries((const char *)sqlite3_column_text(s, COLUMN_TRIES), record);
	record->ok = number_of(s, COLUMN_OK);
	record->answer = text_of(s, COLUMN_ANSWER, record);
	record->answer_truncated = number_of(s, COLUMN_ANSWER_TRUNCATED);
	record->sendable = sqlite3_column_type(s, COLUMN_BODY) != SQLITE_NULL;
	record->body = text_of(s, COLUMN_BODY, record);
	record->host = text_of(s, COLUMN_HOST, record);
	record->sni = number_of(s, COLUMN_SNI);
	record->body_type = number_of(s, COLUMN_JSON) ? CALLBACK_JSON : CALLBACK_FORM;
	record->request_id = text_of(s, COLUMN_REQUEST_ID, record);
	record->owner = text_of(s, COLUMN_OWNER, record);
	record->requester = text_of(s, COLUMN_REQUESTER, record);
	return record;
}

/* One more than the limit is read, to see whether there is more. */
static enum err read_records(struct history_file *history, struct callback_history_query *query)
{
	struct callback_record **last = &query->records;
	int result = SQLITE_DONE;
	int64_t before = query->before ? query->before : INT64_MAX;
	if (sqlite3_bind_int64(history->read, 1, before) != SQLITE_OK ||
		sqlite3_bind_int64(history->read, 2, (int64_t)query->limit + 1) != SQLITE_OK)
		return ERR_UNAVAILABLE;
	for (size_t i = 0; (result = sqlite3_step(history->read)) == SQLITE_ROW; i++) {
		query->more = i >= query->limit;
		if (query->more)
			continue;
		*last = read_record(history->read);
		if (!*last)
			return ERR_UNAVAILABLE;
		last = &(*last)->next;
	}
	return result == SQLITE_DONE ? ERR_OK : ERR_UNAVAILABLE;
}

static enum err read_page(struct callback_history *history, struct callback_history_query *query)
{
	struct history_file *file = of(history);
	enum err e = read_records(file, query);
	if (e != ERR_OK)
		log_error("callback history: read: %s", sqlite3_errmsg(file->db));
	(void)sqlite3_reset(file->read);
	return e;
}

static int64_t next_id(struct callback_history *history)
{
	return atomic_fetch_add_explicit(&of(history)->last_id, 1, memory_order_relaxed) + 1;
}

/* ---- Opening and closing ----------------------------------------------------------------------
 */

static bool prepare(struct history_file *history, const char *sql, sqlite3_stmt **ret)
{
	return sqlite3_prepare_v3(history->db, sql, -1, SQLITE_PREPARE_PERSISTENT, ret, NULL) ==
	       SQLITE_OK;
}

/* Ids go on where they were. */
static bool find_last_id(struct history_file *history)
{
	sqlite3_stmt *statement = NULL;
	bool found = prepare(history, "SELECT max(id) FROM callbacks", &statement) &&
		     sqlite3_step(statement) == SQLITE_ROW;
	if (found)
		atomic_store(&history->last_id, sqlite3_column_int64(statement, 0));
	(void)sqlite3_finalize(statement);
	return found;
}

/* A file of a later version has what we do not know; it is left alone. */
static bool is_known(struct history_file *history)
{
	sqlite3_stmt *statement = NULL;
	int version = -1;
	if (prepare(history, "PRAGMA user_version", &statement) &&
		sqlite3_step(statement) == SQLITE_ROW)
		version = sqlite3_column_int(statement, 0);
	(void)sqlite3_finalize(statement);
	if (version > SCHEMA_VERSION)
		log_error("callback history: %s is of version %d, and this is version %d",
			sqlite3_db_filename(history->db, "main"), version, SCHEMA_VERSION);
	return version >= 0 && version <= SCHEMA_VERSION;
}

static bool open_database(struct history_file *history, const char *path)
{
	return sqlite3_open_v2(path ? path : ":memory:", &history->db,
		       SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL) == SQLITE_OK &&
	       sqlite3_busy_timeout(history->db, BUSY_MS) == SQLITE_OK && is_known(history) &&
	       sqlite3_exec(history->db, schema, NULL, NULL, NULL) == SQLITE_OK &&
	       prepare(history, "BEGIN IMMEDIATE", &history->begin) &&
	       prepare(history, insert_sql, &history->insert) &&
	       prepare(history, "DELETE FROM callbacks WHERE id <= ?1", &history->trim) &&
	       prepare(history, "COMMIT", &history->commit) &&
	       prepare(history, "ROLLBACK", &history->rollback) &&
	       prepare(history, read_sql, &history->read) && find_last_id(history);
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
		log_error("callback history: %s: %s", path, strerror(errno));
	return fd >= 0;
}

static void close_file(struct callback_history *base)
{
	struct history_file *history = of(base);
	(void)sqlite3_finalize(history->begin);
	(void)sqlite3_finalize(history->insert);
	(void)sqlite3_finalize(history->trim);
	(void)sqlite3_finalize(history->commit);
	(void)sqlite3_finalize(history->rollback);
	(void)sqlite3_finalize(history->read);
	(void)sqlite3_close(history->db);
	free(history);
}

static const struct history_ops ops = {
	.next_id = next_id,
	.begin = begin_batch,
	.write = write_record,
	.commit = commit_batch,
	.end = end_batch,
	.fault = fault,
	.read = read_page,
	.close = close_file,
};

enum err callback_history_open(const char *path, struct callback_history **ret)
{
	if (path && !make_file(path))
		return ERR_INTERNAL;
	struct history_file *history = calloc(1, sizeof(*history));
	if (!history)
		return ERR_UNAVAILABLE;
	history->base.ops = &ops;
	enum err e = ERR_OK;
	if (!open_database(history, path)) {
		if (sqlite3_errcode(history->db) != SQLITE_OK)
			log_error("callback history: cannot open %s: %s",
				path ? path : "one in memory", sqlite3_errmsg(history->db));
		e = ERR_INTERNAL;
	}
	if (e == ERR_OK)
		e = history_start(&history->base);
	if (e == ERR_OK)
		*ret = &history->base;
	else
		callback_history_close(&history->base);
	return e;
}
