/* SPDX-License-Identifier: Apache-2.0 */
#include "app/ledger/sql/sql.h"

void sql_close(struct sql *sql)
{
	if (sql)
		sql->calls->close(sql);
}

bool sql_begin(struct sql *sql)
{
	return sql->calls->begin(sql);
}

bool sql_commit(struct sql *sql)
{
	return sql->calls->commit(sql);
}

void sql_rollback(struct sql *sql)
{
	sql->calls->rollback(sql);
}

bool sql_prepare(struct sql *sql, const char *text, struct sql_statement **ret)
{
	return sql->calls->prepare(sql, text, ret);
}

void sql_release(struct sql_statement *statement)
{
	if (statement)
		statement->sql->calls->release(statement);
}

enum sql_step sql_first(
	struct sql_statement *statement, const struct sql_value *values, size_t count)
{
	return statement->sql->calls->first(statement, values, count);
}

enum sql_step sql_next(struct sql_statement *statement)
{
	return statement->sql->calls->next(statement);
}

void sql_end(struct sql_statement *statement)
{
	statement->sql->calls->end(statement);
}

bool sql_run(struct sql_statement *statement, const struct sql_value *values, size_t count)
{
	bool done = sql_first(statement, values, count) == SQL_DONE;
	sql_end(statement);
	return done;
}

int64_t sql_changes(struct sql_statement *statement)
{
	return statement->sql->calls->changes(statement);
}

bool sql_is_null(struct sql_statement *statement, int column)
{
	return statement->sql->calls->is_null(statement, column);
}

int64_t sql_get_number(struct sql_statement *statement, int column)
{
	return statement->sql->calls->number(statement, column);
}

struct slice sql_get_text(struct sql_statement *statement, int column)
{
	return statement->sql->calls->text(statement, column);
}

const char *sql_why(struct sql *sql)
{
	return sql->calls->why(sql);
}

bool sql_is_there(struct sql *sql)
{
	return sql->calls->is_there(sql);
}

bool sql_lead(struct sql *sql)
{
	return sql->calls->lead(sql);
}

void sql_tend(struct sql *sql)
{
	sql->calls->tend(sql);
}

int64_t sql_due_ms(struct sql *sql)
{
	return sql->calls->due_ms(sql);
}
