/* SPDX-License-Identifier: Apache-2.0 */
#include "backup/database.h"

#include <sqlite3.h>
#include <stdbool.h>
#include <string.h>

#include "base/log.h"

enum {
	BUSY_MS = 30000,
};

static enum err err_of(int code)
{
	switch (code & 0xff) {
	case SQLITE_FULL:
		return ERR_DISK_FULL;
	case SQLITE_NOMEM:
		return ERR_UNAVAILABLE;
	default:
		return ERR_INTERNAL;
	}
}

static enum err failed(const char *what, const char *path, int code)
{
	log_error("backup: cannot %s %s: %s", what, path, sqlite3_errstr(code));
	return err_of(code);
}

/* One step, which is one moment: with its write-ahead log nobody waits for that. */
static int copy_pages(sqlite3 *from, sqlite3 *to)
{
	sqlite3_backup *backup = sqlite3_backup_init(to, "main", from, "main");
	if (!backup)
		return sqlite3_extended_errcode(to);
	int step = sqlite3_backup_step(backup, -1);
	int end = sqlite3_backup_finish(backup);
	return step == SQLITE_DONE ? end : step;
}

/* The copy is a database of one file, whatever the one that is copied is. */
static int close_up(sqlite3 *db)
{
	return sqlite3_exec(db, "PRAGMA journal_mode = DELETE", NULL, NULL, NULL);
}

/* SQLITE_CORRUPT if the copy is not in order. */
static int check(sqlite3 *db)
{
	sqlite3_stmt *statement;
	int code = sqlite3_prepare_v2(db, "PRAGMA quick_check(1)", -1, &statement, NULL);
	if (code != SQLITE_OK)
		return code;
	code = sqlite3_step(statement);
	const char *text =
		code == SQLITE_ROW ? (const char *)sqlite3_column_text(statement, 0) : NULL;
	bool ok = text && strcmp(text, "ok") == 0;
	int end = sqlite3_finalize(statement);
	return ok ? SQLITE_OK : end != SQLITE_OK ? end : SQLITE_CORRUPT;
}

static enum err copy_into(sqlite3 *db, const char *from, const char *to)
{
	sqlite3 *source = NULL;
	int code = sqlite3_open_v2(from, &source, SQLITE_OPEN_READWRITE, NULL);
	if (code == SQLITE_OK)
		code = sqlite3_busy_timeout(source, BUSY_MS);
	if (code == SQLITE_OK)
		code = copy_pages(source, db);
	(void)sqlite3_close(source);
	if (code != SQLITE_OK)
		return failed("copy", from, code);
	code = close_up(db);
	if (code != SQLITE_OK)
		return failed("write", to, code);
	code = check(db);
	return code == SQLITE_OK ? ERR_OK : failed("copy what is damaged:", from, code);
}

enum err database_copy(const char *from, const char *to)
{
	sqlite3 *db = NULL;
	int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE;
	int code = sqlite3_open_v2(to, &db, flags, NULL);
	enum err e = code == SQLITE_OK ? copy_into(db, from, to) : failed("open", to, code);
	code = sqlite3_close(db);
	if (e == ERR_OK && code != SQLITE_OK)
		e = failed("close", to, code);
	return e;
}
