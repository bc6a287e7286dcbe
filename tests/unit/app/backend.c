/* SPDX-License-Identifier: Apache-2.0 */
#include "backend.h"

#include <ftw.h>
#include <postgresql/libpq-fe.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tap.h"

#define NOT_INSTALLED 77
#define START_SECONDS 120

/* What the queries of the tests need. */
static const char helpers[] =
	"DROP SCHEMA public CASCADE; CREATE SCHEMA public;"
	"CREATE FUNCTION hex(bytea) RETURNS text LANGUAGE sql AS $$SELECT upper(encode($1, "
	"'hex'))$$;"
	"CREATE FUNCTION join_(text, anyelement) RETURNS text LANGUAGE sql AS"
	" $$SELECT coalesce($1 || ',', '') || $2::text$$;"
	"CREATE FUNCTION join_(text, anyelement, text) RETURNS text LANGUAGE sql AS"
	" $$SELECT coalesce($1 || $3, '') || $2::text$$;"
	"CREATE AGGREGATE group_concat(anyelement) (sfunc = join_, stype = text);"
	"CREATE AGGREGATE group_concat(anyelement, text) (sfunc = join_, stype = text);";

static char folder[] = P_tmpdir "/postern-backend-XXXXXX";
static char path[200], url[200];
static struct ledger_place place;
static pid_t server = -1;
static PGconn *connection;

const struct ledger_place *backend_place(void)
{
	return &place;
}

bool backend_is_file(void)
{
	return place.path != NULL;
}

const char *backend_path(void)
{
	return path;
}

static void query_file(const char *sql, char *answer, size_t size)
{
	sqlite3 *db;
	sqlite3_stmt *statement = NULL;
	int result = sqlite3_open(path, &db);
	if (result == SQLITE_OK)
		result = sqlite3_prepare_v2(db, sql, -1, &statement, NULL);
	if (result == SQLITE_OK)
		result = sqlite3_step(statement);
	if (result == SQLITE_ROW)
		snprintf(answer, size, "%s", (const char *)sqlite3_column_text(statement, 0));
	else if (result != SQLITE_DONE)
		snprintf(answer, size, "%s", sqlite3_errmsg(db));
	sqlite3_finalize(statement);
	sqlite3_close(db);
}

static void query_server(const char *sql, char *answer, size_t size)
{
	PGresult *result = PQexec(connection, sql);
	ExecStatusType status = PQresultStatus(result);
	const char *fault = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
	if (status == PGRES_TUPLES_OK && PQntuples(result) > 0)
		snprintf(answer, size, "%s", PQgetvalue(result, 0, 0));
	else if (status != PGRES_TUPLES_OK && status != PGRES_COMMAND_OK)
		snprintf(answer, size, "%s", fault ? fault : PQerrorMessage(connection));
	PQclear(result);
}

const char *backend_query(const char *sql)
{
	static char answer[1000];
	snprintf(answer, sizeof(answer), "(none)");
	if (backend_is_file())
		query_file(sql, answer, sizeof(answer));
	else
		query_server(sql, answer, sizeof(answer));
	return answer;
}

void backend_clear(void)
{
	static const char *const ends[] = {"", "-wal", "-shm"};
	char file[sizeof(path) + 8];
	if (!backend_is_file()) {
		PQclear(PQexec(connection, helpers));
		return;
	}
	for (size_t i = 0; i < ARRAY_LEN(ends); i++) {
		snprintf(file, sizeof(file), "%s%s", path, ends[i]);
		(void)unlink(file);
	}
}

/* ---- The server -------------------------------------------------------------------------------
 */

static void spawn_server(void)
{
	server = fork();
	if (server != 0)
		return;
	execl("tests/postgres/run", "run", folder, (char *)NULL);
	_exit(127);
}

static void end_server(int signal_number)
{
	if (server > 0 && kill(server, signal_number) == 0)
		(void)waitpid(server, NULL, 0);
	server = -1;
}

/* Once it answers; false: it is not installed. */
static bool wait_for_server(void)
{
	int status;
	for (int i = 0; i < 20 * START_SECONDS; i++) {
		connection = PQconnectdb(url);
		if (PQstatus(connection) == CONNECTION_OK)
			return true;
		PQfinish(connection);
		connection = NULL;
		if (waitpid(server, &status, WNOHANG) == server) {
			server = -1;
			if (WIFEXITED(status) && WEXITSTATUS(status) == NOT_INSTALLED)
				return false;
			OK(false, "PostgreSQL ended with status %d", status);
			return false;
		}
		usleep(50000);
	}
	OK(false, "PostgreSQL did not start in time");
	return false;
}

static void ignore_notice(void *ctx UNUSED, const PGresult *result UNUSED)
{
}

static bool start_server(void)
{
	spawn_server();
	if (server < 0 || !wait_for_server())
		return false;
	(void)PQsetNoticeReceiver(connection, ignore_notice, NULL);
	return true;
}

void backend_stop(void)
{
	PQfinish(connection);
	connection = NULL;
	end_server(SIGQUIT);
}

void backend_restart(void)
{
	backend_stop();
	(void)start_server();
}

static int remove_one(
	const char *name, const struct stat *st UNUSED, int kind UNUSED, struct FTW *where UNUSED)
{
	return remove(name);
}

void backend_each(void (*tests)(void))
{
	if (!mkdtemp(folder))
		abort();
	snprintf(path, sizeof(path), "%s/ledger.db", folder);
	snprintf(url, sizeof(url), "postgresql:///postgres?user=postern&host=%s", folder);
	place = (struct ledger_place){.path = path};
	tests();
	place = (struct ledger_place){.url = url};
	if (start_server()) {
		backend_clear();
		tests();
	} else {
		OK(true, "in PostgreSQL # SKIP it is not installed");
	}
	PQfinish(connection);
	end_server(SIGINT);
	(void)nftw(folder, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}
