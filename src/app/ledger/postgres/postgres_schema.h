/* SPDX-License-Identifier: Apache-2.0 */
/* The tables of the ledger in PostgreSQL (docs/ledger.md). */
#ifndef APP_LEDGER_POSTGRES_POSTGRES_SCHEMA_H
#define APP_LEDGER_POSTGRES_POSTGRES_SCHEMA_H

/*
 * Of the table ledger_version. A table or a column that earlier programs do not need changes no
 * version: copies of both go on beside each other.
 */
#define POSTGRES_SCHEMA_VERSION 5

/* All of it, for a schema that has none of it; in one transaction. */
extern const char postgres_schema[];
/* What was added later, for a schema that lacks it. */
extern const char postgres_schema_hashes[], postgres_schema_variables[];

#endif
