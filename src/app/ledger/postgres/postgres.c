/* SPDX-License-Identifier: Apache-2.0 */
#include "app/ledger/postgres/postgres.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app/ledger/postgres/postgres_link.h"
#include "app/ledger/postgres/postgres_lock.h"
#include "base/encode.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/strbuf.h"

/* Of a text that is repaired: libpq's own bound of a message is 1 GiB. */
#define TEXT_BYTES_MAX MIB(64)

struct database {
	struct sql sql;
	struct postgres_link c;
	unsigned statements; /* that were ever prepared: each has a name of its own */
};

struct statement {
	struct sql_statement statement;
	char *text; /* with PostgreSQL's parameters */
	char name[16];
	uint64_t generation; /* of the connection that it is prepared in */
	PGresult *result;    /* until it ends */
	int row;
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

/* That an idle connection is gone is found out here, when nothing is lost by it. */
static bool begin(struct sql *sql)
{
	struct postgres_link *c = &database_of(sql)->c;
	for (int tries = 0; tries < 2 && postgres_link_have(c); tries++) {
		if (postgres_begin_writing(c))
			return true;
		if (c->pg)
			return false;
	}
	return false;
}

/* A transaction in which something has failed is rolled back by COMMIT, which says so. */
static bool commit(struct sql *sql)
{
	struct postgres_link *c = &database_of(sql)->c;
	PGresult *result = c->pg ? PQexec(c->pg, "COMMIT") : NULL;
	bool ok = c->pg && postgres_link_check(c, result) &&
		  strcmp(PQcmdStatus(result), "COMMIT") == 0;
	PQclear(result);
	return ok;
}

static void rollback(struct sql *sql)
{
	struct postgres_link *c = &database_of(sql)->c;
	if (c->pg && PQtransactionStatus(c->pg) != PQTRANS_IDLE)
		(void)!postgres_link_run(c, "ROLLBACK");
}

/* ---- Statements -------------------------------------------------------------------------------
 */

static bool prepare(struct sql *sql, const char *text, struct sql_statement **ret)
{
	struct statement *s = calloc(1, sizeof(*s));
	char *copy = strdup(text);
	if (!s || !copy) {
		free(s);
		free(copy);
		return false;
	}
	for (char *at = copy; *at; at++)
		if (*at == '?')
			*at = '$';
	s->statement.sql = sql;
	s->text = copy;
	(void)snprintf(s->name, sizeof(s->name), "s%u", database_of(sql)->statements++);
	*ret = &s->statement;
	return true;
}

static void end(struct sql_statement *statement)
{
	struct statement *s = statement_of(statement);
	PQclear(s->result);
	s->result = NULL;
}

static void release(struct sql_statement *statement)
{
	end(statement);
	free(statement_of(statement)->text);
	free(statement_of(statement));
}

/* Once in each connection. */
static bool prepare_here(struct postgres_link *c, struct statement *s)
{
	if (!c->pg)
		return false;
	if (s->generation == c->generation)
		return true;
	PGresult *result = PQprepare(c->pg, s->name, s->text, 0, NULL);
	bool ok = postgres_link_check(c, result);
	PQclear(result);
	if (ok)
		s->generation = c->generation;
	return ok;
}

/* The arguments of a call. */
struct arguments {
	const char *values[SQL_VALUES_MAX];
	int lengths[SQL_VALUES_MAX];
	int formats[SQL_VALUES_MAX]; /* 1: as bytes */
	char numbers[SQL_VALUES_MAX][24];
	struct strbuf repaired[SQL_VALUES_MAX];
};

/* PostgreSQL takes UTF-8 alone, and no NUL. */
static struct slice clean(struct strbuf *repaired, struct slice text)
{
	if (utf8_valid(text) && !memchr(text.ptr, 0, text.len))
		return text;
	utf8_repair(repaired, text);
	for (size_t i = 0; i < repaired->len; i++)
		if (repaired->ptr[i] == '\0')
			repaired->ptr[i] = ' ';
	return strbuf_slice(repaired);
}

static void set(struct arguments *a, size_t at, const struct sql_value *value)
{
	struct slice bytes = value->bytes;
	strbuf_init(&a->repaired[at], TEXT_BYTES_MAX);
	a->values[at] = NULL;
	a->formats[at] = value->type == SQL_TEXT || value->type == SQL_BYTES;
	a->lengths[at] = 0;
	if (value->type == SQL_NUMBER) {
		(void)snprintf(a->numbers[at], sizeof(a->numbers[at]), "%" PRId64, value->number);
		a->values[at] = a->numbers[at];
	}
	if (!a->formats[at])
		return;
	if (value->type == SQL_TEXT && bytes.len > 0)
		bytes = clean(&a->repaired[at], bytes);
	a->values[at] = bytes.len > 0 ? bytes.ptr : "";
	a->lengths[at] = (int)bytes.len;
}

static bool release_arguments(struct arguments *a, size_t count)
{
	bool ok = true;
	for (size_t i = 0; i < count; i++) {
		ok = ok && !strbuf_broken(&a->repaired[i]);
		strbuf_release(&a->repaired[i]);
	}
	return ok;
}

static PGresult *execute(struct postgres_link *c, const struct statement *s,
	const struct sql_value *values, size_t count)
{
	struct arguments a;
	bool fits = count <= SQL_VALUES_MAX;
	PGresult *result = NULL;
	for (size_t i = 0; fits && i < count; i++)
		set(&a, i, &values[i]);
	for (size_t i = 0; fits && i < count; i++)
		fits = !strbuf_broken(&a.repaired[i]) && values[i].bytes.len <= TEXT_BYTES_MAX;
	if (fits)
		result = PQexecPrepared(
			c->pg, s->name, (int)count, a.values, a.lengths, a.formats, 0);
	(void)!release_arguments(&a, count <= SQL_VALUES_MAX ? count : 0);
	return result;
}

static enum sql_step next(struct sql_statement *statement)
{
	struct statement *s = statement_of(statement);
	return ++s->row < PQntuples(s->result) ? SQL_ROW : SQL_DONE;
}

static enum sql_step first(
	struct sql_statement *statement, const struct sql_value *values, size_t count)
{
	struct statement *s = statement_of(statement);
	struct postgres_link *c = &database_of(statement->sql)->c;
	s->row = -1;
	s->changes = 0;
	if (!prepare_here(c, s))
		return SQL_FAULT;
	s->result = execute(c, s, values, count);
	if (!postgres_link_check(c, s->result))
		return SQL_FAULT;
	s->changes = strtoll(PQcmdTuples(s->result), NULL, 10);
	return next(statement);
}

static int64_t changes(struct sql_statement *statement)
{
	return statement_of(statement)->changes;
}

static bool is_null(struct sql_statement *statement, int column)
{
	const struct statement *s = statement_of(statement);
	return PQgetisnull(s->result, s->row, column);
}

static struct slice text(struct sql_statement *statement, int column)
{
	const struct statement *s = statement_of(statement);
	return slice_of(PQgetvalue(s->result, s->row, column),
		(size_t)PQgetlength(s->result, s->row, column));
}

static int64_t number(struct sql_statement *statement, int column)
{
	const char *value = text(statement, column).ptr;
	return value[0] == 't' ? 1 : strtoll(value, NULL, 10);
}

/* That the connection was lost was told when it was. */
static const char *why(struct sql *sql)
{
	struct postgres_link *c = &database_of(sql)->c;
	return c->pg ? c->why : NULL;
}

static bool is_there(struct sql *sql)
{
	return database_of(sql)->c.pg != NULL;
}

/* ---- Several copies ---------------------------------------------------------------------------
 */

static bool lead(struct sql *sql)
{
	return postgres_lock_lead(&database_of(sql)->c);
}

static void tend(struct sql *sql)
{
	postgres_link_tend(&database_of(sql)->c);
}

static int64_t due_ms(struct sql *sql)
{
	return postgres_link_due_ms(&database_of(sql)->c);
}

/* ---- Opening and closing ----------------------------------------------------------------------
 */

static void close_database(struct sql *sql)
{
	struct database *d = database_of(sql);
	postgres_lock_leave(&d->c);
	postgres_link_release(&d->c);
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

bool postgres_open(const char *url, const char *password, struct sql **ret)
{
	const char *problem = postgres_check_url(url);
	if (problem) {
		log_error("ledger: %s", problem);
		return false;
	}
	struct database *d = calloc(1, sizeof(*d));
	if (!d) {
		log_error("ledger: no memory");
		return false;
	}
	d->sql = (struct sql){.calls = &calls, .shared = true};
	if (!postgres_link_init(&d->c, url, password) || !postgres_link_have(&d->c)) {
		close_database(&d->sql);
		return false;
	}
	*ret = &d->sql;
	return true;
}
