/* SPDX-License-Identifier: Apache-2.0 */
/* Whether a ledger could be opened in a database of PostgreSQL; nothing is changed there. */
#ifndef APP_LEDGER_POSTGRES_POSTGRES_PROBE_H
#define APP_LEDGER_POSTGRES_POSTGRES_PROBE_H

#include "base/compiler.h"

enum postgres_health {
	POSTGRES_USABLE, /* the next start adds a table that is missing */
	POSTGRES_EMPTY,  /* usable: the tables are made at the first start */
	POSTGRES_UNREACHABLE,
	POSTGRES_UNSUITED,  /* an old server, or another encoding */
	POSTGRES_NO_SCHEMA, /* where tables could be */
	POSTGRES_NO_CREATE, /* tables are missing, and the user may make none */
	POSTGRES_NO_RIGHTS, /* to the tables */
	POSTGRES_OTHER_VERSION,
};

/* Blocks for a few seconds at most. `why`, of POSTGRES_WHY_BYTES bytes: what is wrong, without the
 * URL; or else the server's version. `password` may be NULL. */
enum postgres_health postgres_probe(const char *url, const char *password, char *why) MUST_USE;

#endif
