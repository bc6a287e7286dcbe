/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A database as the ledger uses it: statements in transactions, one writer at a time. SQLite
 * (sqlite.h) and PostgreSQL (postgres.h) are behind it, and the text of a statement is the same for
 * both: parameters are ?1, ?2, ...; a parameter that stands where its type cannot be told is cast.
 * A transaction sees all that others have committed before it began. A statement outside of one is
 * for reading. One thread at a time.
 */
#ifndef APP_LEDGER_SQL_SQL_H
#define APP_LEDGER_SQL_SQL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/slice.h"

struct sql;

enum {
	SQL_VALUES_MAX = 16 /* of one statement */
};

/* ---- Values -----------------------------------------------------------------------------------
 */

struct sql_value {
	enum {
		SQL_NULL,
		SQL_NUMBER,
		SQL_TEXT,  /* what is not UTF-8 may be repaired on the way */
		SQL_BYTES, /* as it is */
	} type;
	int64_t number;
	struct slice bytes; /* borrowed until the statement has ended */
};

static inline struct sql_value sql_null(void)
{
	return (struct sql_value){.type = SQL_NULL};
}

static inline struct sql_value sql_number(int64_t number)
{
	return (struct sql_value){.type = SQL_NUMBER, .number = number};
}

static inline struct sql_value sql_text(struct slice text)
{
	return (struct sql_value){.type = SQL_TEXT, .bytes = text};
}

static inline struct sql_value sql_bytes(struct slice bytes)
{
	return (struct sql_value){.type = SQL_BYTES, .bytes = bytes};
}

/* A negative number is none. */
static inline struct sql_value sql_known_number(int64_t number)
{
	return number >= 0 ? sql_number(number) : sql_null();
}

/* An empty text is none; it is never equal to another. */
static inline struct sql_value sql_known_text(struct slice text)
{
	return text.len > 0 ? sql_text(text) : sql_null();
}

/* ---- Statements -------------------------------------------------------------------------------
 */

enum sql_step {
	SQL_ROW,
	SQL_DONE,
	SQL_FAULT, /* sql_why() */
};

/* The back end's begins with this. */
struct sql_statement {
	struct sql *sql;
};

/* What a back end has; the functions below say what each does. */
struct sql_calls {
	void (*close)(struct sql *sql);
	bool (*begin)(struct sql *sql);
	bool (*commit)(struct sql *sql);
	void (*rollback)(struct sql *sql);
	bool (*prepare)(struct sql *sql, const char *text, struct sql_statement **ret);
	void (*release)(struct sql_statement *statement);
	enum sql_step (*first)(
		struct sql_statement *statement, const struct sql_value *values, size_t count);
	enum sql_step (*next)(struct sql_statement *statement);
	void (*end)(struct sql_statement *statement);
	int64_t (*changes)(struct sql_statement *statement);
	bool (*is_null)(struct sql_statement *statement, int column);
	int64_t (*number)(struct sql_statement *statement, int column);
	struct slice (*text)(struct sql_statement *statement, int column);
	const char *(*why)(struct sql *sql);
	bool (*is_there)(struct sql *sql);
	bool (*lead)(struct sql *sql);
	void (*tend)(struct sql *sql);
	int64_t (*due_ms)(struct sql *sql);
};

struct sql {
	const struct sql_calls *calls;
	/* Other copies of the server may use it too; and a statement that fails is the end of its
	 * transaction. */
	bool shared;
};

/* NULL is allowed. */
void sql_close(struct sql *sql);

/* Waits until nobody else writes, for a few seconds at most. False on a fault. */
bool sql_begin(struct sql *sql) MUST_USE;
/* Durable when it returns true. False: nothing was changed, or, if the connection was lost just
 * then, it cannot be known. The transaction has to be rolled back. */
bool sql_commit(struct sql *sql) MUST_USE;
/* Also if there is no transaction any more. */
void sql_rollback(struct sql *sql);

/* `text` is a constant. The statement is released before the database is closed. */
bool sql_prepare(struct sql *sql, const char *text, struct sql_statement **ret) MUST_USE;
/* NULL is allowed. */
void sql_release(struct sql_statement *statement);

/*
 * Begins a statement; then sql_next() for each further row, and sql_end() in any case. What the
 * columns are is valid until the next of these calls.
 */
enum sql_step sql_first(
	struct sql_statement *statement, const struct sql_value *values, size_t count) MUST_USE;
enum sql_step sql_next(struct sql_statement *statement) MUST_USE;
void sql_end(struct sql_statement *statement);
/* A statement that gives no rows, from first to end. */
bool sql_run(
	struct sql_statement *statement, const struct sql_value *values, size_t count) MUST_USE;
/* How many rows the last run of it has changed, also after sql_end(). */
int64_t sql_changes(struct sql_statement *statement);

bool sql_is_null(struct sql_statement *statement, int column);
/* NULL is 0, and so is false; true is 1. */
int64_t sql_get_number(struct sql_statement *statement, int column);
/* NULL is empty. */
struct slice sql_get_text(struct sql_statement *statement, int column);

/* Why the last call failed; NULL: it was logged already. */
const char *sql_why(struct sql *sql);

/* False while the connection is lost; what is asked of it then fails at once, or has it connected
 * again. */
bool sql_is_there(struct sql *sql) MUST_USE;

/* ---- Several copies ---------------------------------------------------------------------------
 */

/*
 * In a transaction: whether this copy does what one copy alone should do. It stays so while it is
 * connected; who was first is it, and another comes after it.
 */
bool sql_lead(struct sql *sql) MUST_USE;
/* Outside of a transaction, at the time that sql_due_ms() tells, or later: looks after the
 * connection. */
void sql_tend(struct sql *sql);
/* A time of clock_monotonic_ms(); INT64_MAX: never. */
int64_t sql_due_ms(struct sql *sql);

#endif
