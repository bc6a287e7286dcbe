/* SPDX-License-Identifier: Apache-2.0 */
#include "store/rados/fsck/told.h"

#include <sqlite3.h>
#include <stdlib.h>

#include "base/log.h"

static const char schema[] = "PRAGMA journal_mode = OFF;"
			     "PRAGMA synchronous = OFF;"
			     "CREATE TABLE told (finding BLOB PRIMARY KEY, fate INTEGER NOT NULL)"
			     " WITHOUT ROWID;";
static const char find_sql[] = "SELECT fate FROM told WHERE finding = ?1";
static const char note_sql[] = "INSERT OR REPLACE INTO told (finding, fate) VALUES (?1, ?2)";

struct told {
	sqlite3 *db;
	sqlite3_stmt *find;
	sqlite3_stmt *note;
	bool failed;
};

static void fail(struct told *told)
{
	if (!told->failed)
		log_error("fsck: the file of findings: %s", sqlite3_errmsg(told->db));
	told->failed = true;
}

static sqlite3_stmt *prepare(struct told *told, const char *sql)
{
	sqlite3_stmt *statement = NULL;
	if (!told->failed && sqlite3_prepare_v2(told->db, sql, -1, &statement, NULL) != SQLITE_OK)
		fail(told);
	return statement;
}

enum err told_open(struct told **ret)
{
	struct told *told = calloc(1, sizeof(*told));
	if (!told)
		return ERR_UNAVAILABLE;
	/* Without a name: in memory, and in a temporary file if there are many. */
	if (sqlite3_open_v2("", &told->db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, NULL) !=
			SQLITE_OK ||
		sqlite3_exec(told->db, schema, NULL, NULL, NULL) != SQLITE_OK)
		fail(told);
	told->find = prepare(told, find_sql);
	told->note = prepare(told, note_sql);
	enum err e = told_err(told);
	if (e != ERR_OK)
		told_close(told);
	else
		*ret = told;
	return e;
}

void told_close(struct told *told)
{
	if (!told)
		return;
	(void)sqlite3_finalize(told->find);
	(void)sqlite3_finalize(told->note);
	(void)sqlite3_close(told->db);
	free(told);
}

enum err told_err(const struct told *told)
{
	return told->failed ? ERR_INTERNAL : ERR_OK;
}

int told_fate(struct told *told, struct slice finding)
{
	int fate = TOLD_NEVER;
	(void)sqlite3_bind_blob(told->find, 1, finding.ptr, (int)finding.len, SQLITE_STATIC);
	int result = sqlite3_step(told->find);
	if (result == SQLITE_ROW)
		fate = sqlite3_column_int(told->find, 0);
	else if (result != SQLITE_DONE)
		fail(told);
	(void)sqlite3_reset(told->find);
	return fate;
}

void told_note(struct told *told, struct slice finding, int fate)
{
	(void)sqlite3_bind_blob(told->note, 1, finding.ptr, (int)finding.len, SQLITE_STATIC);
	(void)sqlite3_bind_int(told->note, 2, fate);
	if (sqlite3_step(told->note) != SQLITE_DONE)
		fail(told);
	(void)sqlite3_reset(told->note);
}
