/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The ledger in a database of PostgreSQL (docs/ledger.md), for several copies of the server. One
 * connection; when it is lost, it is made again after a pause. As SQLite has one writer, so has
 * this: each transaction takes an advisory lock first (decision 90).
 */
#ifndef APP_LEDGER_POSTGRES_POSTGRES_H
#define APP_LEDGER_POSTGRES_POSTGRES_H

#include "app/ledger/sql/sql.h"

/*
 * Connects to `url`, any text that libpq takes, and makes the tables that are missing. `password`
 * may be NULL; it counts more than that of the URL. Both are copied. False with the reason in the
 * log, which never has the URL.
 */
bool postgres_open(const char *url, const char *password, struct sql **ret) MUST_USE;

/* NULL, or what is wrong with a URL, a constant text that has nothing of it. */
const char *postgres_check_url(const char *url) MUST_USE;

/*
 * Calls `add` for each file that a connection may read: certificates, keys, passwords. `named`: by
 * the URL or the environment; else it is where libpq looks in the home folder.
 */
void postgres_files(
	const char *url, void (*add)(void *ctx, const char *path, bool named), void *ctx);

#endif
