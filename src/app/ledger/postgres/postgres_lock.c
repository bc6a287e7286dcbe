/* SPDX-License-Identifier: Apache-2.0 */
#include "app/ledger/postgres/postgres_lock.h"

#include <inttypes.h>
#include <stdio.h>

/* The first half of a lock's number, in decimal digits: "post", and which lock it is. */
#define WRITER INT64_C(0x706f7374)
#define LEADER INT64_C(0x706f7375)

static int64_t number_of(const struct postgres_link *c, int64_t which)
{
	return which << 32 | (c->schema & INT64_C(0xffffffff));
}

bool postgres_lock_writer(struct postgres_link *c)
{
	char text[100];
	(void)snprintf(text, sizeof(text), "SELECT pg_advisory_xact_lock(%" PRId64 ")",
		number_of(c, WRITER));
	return postgres_link_run(c, text);
}

bool postgres_begin_writing(struct postgres_link *c)
{
	char text[100];
	(void)snprintf(text, sizeof(text), "BEGIN; SELECT pg_advisory_xact_lock(%" PRId64 ")",
		number_of(c, WRITER));
	return postgres_link_run(c, text);
}

bool postgres_lock_lead(struct postgres_link *c)
{
	char text[100];
	int64_t got = 0;
	(void)snprintf(text, sizeof(text), "SELECT pg_try_advisory_lock(%" PRId64 ")::int",
		number_of(c, LEADER));
	if (!c->leads)
		c->leads = postgres_link_ask(c, text, &got) && got;
	return c->leads;
}

void postgres_lock_leave(struct postgres_link *c)
{
	char text[100];
	(void)snprintf(
		text, sizeof(text), "SELECT pg_advisory_unlock(%" PRId64 ")", number_of(c, LEADER));
	if (c->leads && c->pg)
		(void)!postgres_link_run(c, text);
	c->leads = false;
}
