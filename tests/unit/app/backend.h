/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Both databases that a ledger can be in, for tests that hold for either: a file of SQLite, and a
 * server of PostgreSQL that is started for this program (tests/postgres/run).
 */
#ifndef TESTS_UNIT_APP_BACKEND_H
#define TESTS_UNIT_APP_BACKEND_H

#include <stdbool.h>

#include "app/ledger/ledger.h"

/* Calls `tests` with a file, then with PostgreSQL; a check is skipped if that is not installed. */
void backend_each(void (*tests)(void));

/* What follows is about the one of the call. */

const struct ledger_place *backend_place(void);
bool backend_is_file(void);
/* Of the file. */
const char *backend_path(void);
/* The first column of the first row, as text; "(none)" without one; or what is wrong. With
 * PostgreSQL there are SQLite's group_concat() and hex(), too. */
const char *backend_query(const char *sql);
/* As if there had never been a ledger. */
void backend_clear(void);

/* PostgreSQL's server ends at once, as by a power cut. */
void backend_stop(void);
/* The same, and it is started again on the same data. */
void backend_restart(void);

#endif
