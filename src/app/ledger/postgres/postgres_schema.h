/* SPDX-License-Identifier: Apache-2.0 */
/* The tables of the ledger in PostgreSQL (docs/ledger.md). */
#ifndef APP_LEDGER_POSTGRES_POSTGRES_SCHEMA_H
#define APP_LEDGER_POSTGRES_POSTGRES_SCHEMA_H

/* Of the table ledger_version; the columns are those of the same version of a file. */
#define POSTGRES_SCHEMA_VERSION 6

/* All of it, for a schema that has none of it; in one transaction. */
extern const char postgres_schema[];
/* What version 5, the first, lacks; likewise. */
extern const char postgres_upgrade_5[];

#endif
