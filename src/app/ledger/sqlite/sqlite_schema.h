/* SPDX-License-Identifier: Apache-2.0 */
/* The tables of the ledger in a file of SQLite (docs/ledger.md). */
#ifndef APP_LEDGER_SQLITE_SQLITE_SCHEMA_H
#define APP_LEDGER_SQLITE_SQLITE_SCHEMA_H

#include <sqlite3.h>
#include <stdbool.h>

#include "base/compiler.h"

#define SQLITE_SCHEMA_VERSION 7

/* -1: it cannot be read. */
int sqlite_schema_version(sqlite3 *db);

/*
 * Makes the tables that are missing, in one transaction. A file of a later version has what we do
 * not know; it is left alone, which is logged. Any other fault is that of `db`.
 */
bool sqlite_schema_make(sqlite3 *db) MUST_USE;

#endif
