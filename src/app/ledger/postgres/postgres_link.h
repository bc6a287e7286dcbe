/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A connection to PostgreSQL that is made again when it is lost, after pauses that grow. One thread
 * at a time; every call blocks, for a few seconds at most if the server does not answer.
 */
#ifndef APP_LEDGER_POSTGRES_POSTGRES_LINK_H
#define APP_LEDGER_POSTGRES_POSTGRES_LINK_H

#include <postgresql/libpq-fe.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/compiler.h"

#define POSTGRES_WHY_BYTES 512

struct postgres_link {
	PGconn *pg; /* NULL: there is none */
	char *url, *password;
	uint64_t generation; /* how often it was made */
	int64_t schema;      /* the number of the schema that the tables are in */
	int64_t retry_ms;    /* monotonic: not before */
	int64_t used_ms;     /* when it was used last */
	unsigned failures;   /* to make it, since it was there */
	bool told;           /* that it is lost */
	bool leads;          /* it holds the lock of the one copy that leads */
	char why[POSTGRES_WHY_BYTES];
};

/* Copies the texts; `password` may be NULL. False without memory. */
bool postgres_link_init(struct postgres_link *c, const char *url, const char *password) MUST_USE;
void postgres_link_release(struct postgres_link *c);

/* Connects if there is no connection, unless it is too early for it. False: `why` says it. */
bool postgres_link_have(struct postgres_link *c) MUST_USE;
/* The same once, at once, without making or logging anything: for who only looks. */
bool postgres_link_look(struct postgres_link *c) MUST_USE;
/* Looks whether it is still there; takes it for lost, or made, if so. */
void postgres_link_tend(struct postgres_link *c);
/* When that is to be done. */
int64_t postgres_link_due_ms(const struct postgres_link *c);

/*
 * Takes over the result of a call. Whether it is one that was wanted, PGRES_COMMAND_OK or
 * PGRES_TUPLES_OK; else `why` says what is wrong, and a connection that is gone is closed, and told
 * of once in the log. NULL is allowed: there was no memory.
 */
bool postgres_link_check(struct postgres_link *c, const PGresult *result) MUST_USE;
/* Runs commands that need no answer. */
bool postgres_link_run(struct postgres_link *c, const char *commands) MUST_USE;
/* The first column of the first row, a number; false if there is none, too. */
bool postgres_link_ask(struct postgres_link *c, const char *question, int64_t *ret) MUST_USE;

#endif
