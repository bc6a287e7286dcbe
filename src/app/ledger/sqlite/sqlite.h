/* SPDX-License-Identifier: Apache-2.0 */
/* The ledger in a file of SQLite (docs/ledger.md), or in memory. */
#ifndef APP_LEDGER_SQLITE_SQLITE_H
#define APP_LEDGER_SQLITE_SQLITE_H

#include "app/ledger/sql/sql.h"

/*
 * Opens the file at `path`, creates it with mode 0600 if it is missing, and makes its tables, or
 * what an earlier version has not. NULL: in memory, at most LIMIT_LEDGER_MEMORY_BYTES. False with
 * the reason in the log.
 */
bool sqlite_open(const char *path, struct sql **ret) MUST_USE;

/* The same of a file that is there and of the present version, which is left as it is. */
bool sqlite_open_present(const char *path, struct sql **ret) MUST_USE;

#endif
