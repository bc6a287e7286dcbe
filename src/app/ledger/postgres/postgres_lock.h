/* SPDX-License-Identifier: Apache-2.0 */
/* The advisory locks of a ledger: each schema with a ledger has its own. */
#ifndef APP_LEDGER_POSTGRES_POSTGRES_LOCK_H
#define APP_LEDGER_POSTGRES_POSTGRES_LOCK_H

#include "app/ledger/postgres/postgres_link.h"

/* Waits for the right to write, which ends with the transaction. */
bool postgres_lock_writer(struct postgres_link *c) MUST_USE;
/* Begins a transaction with it, in one round trip. */
bool postgres_begin_writing(struct postgres_link *c) MUST_USE;
/* Whether the connection leads; it does until it ends, or leaves. */
bool postgres_lock_lead(struct postgres_link *c) MUST_USE;
/* Lets the next one lead: PostgreSQL may notice the end of a connection later. */
void postgres_lock_leave(struct postgres_link *c);

#endif
