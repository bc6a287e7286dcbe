/* SPDX-License-Identifier: Apache-2.0 */
#include "app/ledger/sqlite/sqlite.h"

#include <errno.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <stdlib.h>

#include "app/ledger/sqlite/sqlite_schema.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/strbuf.h"

/* How long another process (a person with the sqlite3 shell) may hold the lock. */
#define BUSY_MS 5000
#define PAGE_BYTES 4096 /* SQLite's default */

struct database {
	struct sql sql;
	sqlite3 *db;
	sqlite3_stmt *begin, *commit, *rollback;
};

struct statement {
	struct sql_statement statement;
	sqlite3_stmt *s;
	int64_t changes;
};

static struct database *database_of(struct sql *sql)
{
	return CONTAINER_OF(sql, struct database, sql);
}

static struct statement *statement_of(struct sql_statement *statement)
{
	return CONTAINER_OF(statement, struct statement, statement);
}

/* ---- Transactions -----------------------------------------------------------------------------
 */

static bool run(sqlite3_stmt *s)
{
	int result = sqlite3_step(s);
	(void)sqlite3_reset(s);
	return result == SQLITE_DONE;
}

static bool begin(struct sql *sql)
{
	return run(database_of(sql)->begin);
}

static bool commit(struct sql *sql)
{
	return run(database_of(sql)->commit);
}

static void rollback(struct sql *sql)
{
	struct database *d = database_of(sql);
	if (!sqlite3_get_autocommit(d->db))
		(void)!run(d->rollback);
}

/* ---- Statements -------------------------------------------------------------------------------
 */

static bool prepare_raw(struct database *d, const char *text, sqlite3_stmt **ret)
{
	return sqlite3_prepare_v3(d->db, text, -1, SQLITE_PREPARE_PERSISTENT, ret, NULL) ==
	       SQLITE_OK;
}

static bool prepare(struct sql *sql, const char *text, struct sql_statement **ret)
{
	struct statement *statement = calloc(1, sizeof(*statement));
	if (!statement)
		return false;
	statement->statement.sql = sql;
	if (!prepare_raw(database_of(sql), text, &statement->s)) {
		free(statement);
		return false;
	}
	*ret = &statement->statement;
	return true;
}

static void release(struct sql_statement *statement)
{
	struct statement *s = statement_of(statement);
	(void)sqlite3_finalize(s->s);
	free(s);
}

static int bind(sqlite3_stmt *s, int at, const struct sql_value *value)
{
	const char *ptr = value->bytes.len > 0 ? value->bytes.ptr : "";
	switch (value->type) {
	case SQL_NUMBER:
		return sqlite3_bind_int64(s, at, value->number);
	case SQL_TEXT:
		return sqlite3_bind_text64(
			s, at, ptr, value->bytes.len, SQLITE_STATIC, SQLITE_UTF8);
	case SQL_BYTES:
		return sqlite3_bind_blob64(s, at, ptr, value->bytes.len, SQLITE_STATIC);
	case SQL_NULL:
		break;
	}
	return sqlite3_bind_null(s, at);
}

static enum sql_step step(struct statement *s)
{
	int result = sqlite3_step(s->s);
	if (result == SQLITE_DONE)
		s->changes = sqlite3_changes64(database_of(s->statement.sql)->db);
	return result == SQLITE_ROW ? SQL_ROW : result == SQLITE_DONE ? SQL_DONE : SQL_FAULT;
}

static enum sql_step first(
	struct sql_statement *statement, const struct sql_value *values, size_t count)
{
	struct statement *s = statement_of(statement);
	s->changes = 0;
	for (size_t i = 0; i < count; i++)
		if (bind(s->s, (int)i + 1, &values[i]) != SQLITE_OK)
			return SQL_FAULT;
	return step(s);
}

static enum sql_step next(struct sql_statement *statement)
{
	return step(statement_of(statement));
}

static void end(struct sql_statement *statement)
{
	(void)sqlite3_reset(statement_of(statement)->s);
	(void)sqlite3_clear_bindings(statement_of(statement)->s);
}

static int64_t changes(struct sql_statement *statement)
{
	return statement_of(statement)->changes;
}

static bool is_null(struct sql_statement *statement, int column)
{
	return sqlite3_column_type(statement_of(statement)->s, column) == SQLITE_NULL;
}

static int64_t number(struct sql_statement *statement, int column)
{
	return sqlite3_column_int64(statement_of(statement)->s, column);
}

static struct slice text(struct sql_statement *statement, int column)
{
	sqlite3_stmt *s = statement_of(statement)->s;
	const unsigned char *ptr = sqlite3_column_text(s, column);
	return slice_of(
		ptr ? (const char *)ptr : "", ptr ? (size_t)sqlite3_column_bytes(s, column) : 0);
}

static const char *why(struct sql *sql)
{
	return sqlite3_errmsg(database_of(sql)->db);
}

static bool is_there(struct sql *sql UNUSED)
{
	return true;
}

/* ---- Several copies: there is one file, and who has it leads --------------------------------- */

static bool lead(struct sql *sql UNUSED)
{
	return true;
}

static void tend(struct sql *sql UNUSED)
{
}

static int64_t due_ms(struct sql *sql UNUSED)
{
	return INT64_MAX;
}

/* ---- Opening and closing ----------------------------------------------------------------------
 */

static void close_database(struct sql *sql)
{
	struct database *d = database_of(sql);
	(void)sqlite3_finalize(d->begin);
	(void)sqlite3_finalize(d->commit);
	(void)sqlite3_finalize(d->rollback);
	(void)sqlite3_close(d->db);
	free(d);
}

static const struct sql_calls calls = {
	.close = close_database,
	.begin = begin,
	.commit = commit,
	.rollback = rollback,
	.prepare = prepare,
	.release = release,
	.first = first,
	.next = next,
	.end = end,
	.changes = changes,
	.is_null = is_null,
	.number = number,
	.text = text,
	.why = why,
	.is_there = is_there,
	.lead = lead,
	.tend = tend,
	.due_ms = due_ms,
};

/* In memory it cannot grow for ever; above that it is like a full disk. */
static bool set_bound(struct database *d)
{
	SCOPED_STRBUF(sql, 128);
	strbuf_addf(&sql, "PRAGMA max_page_count = %zu",
		(size_t)LIMIT_LEDGER_MEMORY_BYTES / PAGE_BYTES);
	return !strbuf_broken(&sql) && sqlite3_exec(d->db, sql.ptr, NULL, NULL, NULL) == SQLITE_OK;
}

static bool open_database(struct database *d, const char *path)
{
	return sqlite3_open_v2(path ? path : ":memory:", &d->db,
		       SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL) == SQLITE_OK &&
	       sqlite3_busy_timeout(d->db, BUSY_MS) == SQLITE_OK;
}

static bool prepare_transactions(struct database *d)
{
	return prepare_raw(d, "BEGIN IMMEDIATE", &d->begin) &&
	       prepare_raw(d, "COMMIT", &d->commit) && prepare_raw(d, "ROLLBACK", &d->rollback);
}

static bool make(struct database *d, const char *path)
{
	return open_database(d, path) && sqlite_schema_make(d->db) && (path || set_bound(d)) &&
	       prepare_transactions(d);
}

/* A later program has made it what it is, and it stays that. */
static bool is_newer(const struct database *d, const char *path)
{
	int version = d->db ? sqlite_schema_version(d->db) : -1;
	if (version > SQLITE_SCHEMA_VERSION)
		log_error("ledger: %s is of version %d, and this program knows version %d at most: "
			  "use the one that wrote it, or a newer one",
			path, version, SQLITE_SCHEMA_VERSION);
	return version > SQLITE_SCHEMA_VERSION;
}

static bool is_present(struct database *d, const char *path)
{
	int version = sqlite_schema_version(d->db);
	if (!is_newer(d, path) && version >= 0 && version != SQLITE_SCHEMA_VERSION)
		log_error("%s is of version %d, and this is version %d; postern has to be started "
			  "once with it",
			path, version, SQLITE_SCHEMA_VERSION);
	return version == SQLITE_SCHEMA_VERSION;
}

static struct database *new_database(void)
{
	struct database *d = calloc(1, sizeof(*d));
	if (d)
		d->sql.calls = &calls;
	else
		log_error("ledger: no memory");
	return d;
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

static bool fail(struct database *d, const char *path)
{
	if (!is_newer(d, path))
		log_error("ledger: %s: %s", path ? path : "in memory", sqlite3_errmsg(d->db));
	close_database(&d->sql);
	return false;
}

bool sqlite_open(const char *path, struct sql **ret)
{
	struct database *d = !path || make_file(path) ? new_database() : NULL;
	if (!d)
		return false;
	if (!make(d, path))
		return fail(d, path);
	*ret = &d->sql;
	return true;
}

bool sqlite_open_present(const char *path, struct sql **ret)
{
	struct database *d = new_database();
	if (!d)
		return false;
	if (!open_database(d, path))
		return fail(d, path);
	if (!is_present(d, path)) {
		close_database(&d->sql);
		return false;
	}
	if (!prepare_transactions(d))
		return fail(d, path);
	*ret = &d->sql;
	return true;
}
