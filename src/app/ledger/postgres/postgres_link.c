/* SPDX-License-Identifier: Apache-2.0 */
#include "app/ledger/postgres/postgres_link.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app/ledger/postgres/postgres_lock.h"
#include "app/ledger/postgres/postgres_schema.h"
#include "base/clock.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/strbuf.h"
#include "crypto/random.h"
#include "crypto/secret.h"

static const char version_sql[] = "SELECT version FROM ledger_version";

bool postgres_link_init(struct postgres_link *c, const char *url, const char *password)
{
	*c = (struct postgres_link){
		.url = strdup(url), .password = password ? strdup(password) : NULL};
	return c->url && (!password || c->password);
}

static void wipe(char *text)
{
	if (text)
		secret_wipe(text, strlen(text));
	free(text);
}

static void drop(struct postgres_link *c)
{
	PQfinish(c->pg);
	c->pg = NULL;
	c->leads = false;
}

void postgres_link_release(struct postgres_link *c)
{
	drop(c);
	wipe(c->url);
	wipe(c->password);
}

/* ---- What is wrong ----------------------------------------------------------------------------
 */

/* In one line. libpq's texts name host and user, and no password. */
static void set_why(struct postgres_link *c, const char *text)
{
	size_t len = 0;
	for (; *text && len + 1 < sizeof(c->why); text++)
		c->why[len++] = (unsigned char)*text < ' ' ? ' ' : *text;
	while (len > 0 && c->why[len - 1] == ' ')
		len--;
	c->why[len] = '\0';
}

/* Twice as long each time; a random part of it, half at least, so that copies do not all come at
 * once. */
static int64_t pause_ms(unsigned failures)
{
	uint32_t chance;
	int64_t pause = LIMIT_POSTGRES_PAUSE_MS;
	for (unsigned i = 1; i < failures && pause < LIMIT_POSTGRES_PAUSE_MAX_MS; i++)
		pause *= 2;
	if (pause > LIMIT_POSTGRES_PAUSE_MAX_MS)
		pause = LIMIT_POSTGRES_PAUSE_MAX_MS;
	random_bytes(&chance, sizeof(chance));
	return pause / 2 + (int64_t)(chance % (uint64_t)(pause / 2 + 1));
}

/* One line for each time that it is lost. */
static void lose(struct postgres_link *c)
{
	drop(c);
	if (!c->told)
		log_error("ledger: the database cannot be used: %s", c->why);
	c->told = true;
}

/* Whether an answer is the last one of its connection: libpq's own, or of a server that ends it. */
static bool is_last(const struct postgres_link *c, const PGresult *result)
{
	const char *state = PQresultErrorField(result, PG_DIAG_SQLSTATE);
	return PQstatus(c->pg) != CONNECTION_OK ||
	       (result && (!state || strncmp(state, "57P", 3) == 0 ||
				  strncmp(state, "08", 2) == 0 || strcmp(state, "25P03") == 0));
}

bool postgres_link_check(struct postgres_link *c, const PGresult *result)
{
	ExecStatusType status = PQresultStatus(result);
	const char *message = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
	c->used_ms = clock_monotonic_ms();
	if (status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK)
		return true;
	set_why(c, message ? message : PQerrorMessage(c->pg));
	if (is_last(c, result))
		lose(c);
	return false;
}

bool postgres_link_run(struct postgres_link *c, const char *commands)
{
	if (!c->pg)
		return false;
	PGresult *result = PQexec(c->pg, commands);
	bool ok = postgres_link_check(c, result);
	PQclear(result);
	return ok;
}

bool postgres_link_ask(struct postgres_link *c, const char *question, int64_t *ret)
{
	if (!c->pg)
		return false;
	PGresult *result = PQexec(c->pg, question);
	bool ok = postgres_link_check(c, result) && PQntuples(result) > 0 &&
		  !PQgetisnull(result, 0, 0);
	if (ok)
		*ret = strtoll(PQgetvalue(result, 0, 0), NULL, 10);
	PQclear(result);
	return ok;
}

/* ---- Making it --------------------------------------------------------------------------------
 */

/* The answers to questions that the server has not asked are for nobody. */
static void ignore_notice(void *ctx UNUSED, const PGresult *result UNUSED)
{
}

/* What the URL says counts more than what is in front of it, and less than what is behind. */
static PGconn *connect_to(const struct postgres_link *c)
{
	char connect_s[16], silence_ms[16];
	(void)snprintf(connect_s, sizeof(connect_s), "%d", LIMIT_POSTGRES_CONNECT_SECONDS);
	(void)snprintf(silence_ms, sizeof(silence_ms), "%d", LIMIT_POSTGRES_SILENCE_MS);
	const char *const options[][2] = {{"connect_timeout", connect_s}, {"keepalives_idle", "5"},
		{"keepalives_interval", "2"}, {"keepalives_count", "3"},
		{"tcp_user_timeout", silence_ms}, {"target_session_attrs", "read-write"},
		{"gssencmode", "disable"}, {"fallback_application_name", "postern"},
		{"dbname", c->url}, {"client_encoding", "UTF8"},
		{c->password ? "password" : NULL, c->password}, {NULL, NULL}};
	const char *names[ARRAY_LEN(options)], *values[ARRAY_LEN(options)];
	for (size_t i = 0; i < ARRAY_LEN(options); i++) {
		names[i] = options[i][0];
		values[i] = options[i][1];
	}
	return PQconnectdbParams(names, values, 1);
}

/*
 * A transaction of a copy that was stopped must not keep the others waiting, and what is committed
 * must be on the server's disk, whatever its configuration says.
 */
static bool set_session(struct postgres_link *c)
{
	SCOPED_STRBUF(text, KIB(1));
	strbuf_addf(&text,
		"SET statement_timeout = %d; SET idle_in_transaction_session_timeout = %d;"
		"SET default_transaction_isolation = 'read committed';"
		"SELECT set_config('synchronous_commit', 'on', false)"
		" WHERE current_setting('synchronous_commit') = 'off'",
		LIMIT_POSTGRES_STATEMENT_MS, LIMIT_POSTGRES_IDLE_MS);
	return !strbuf_broken(&text) && postgres_link_run(c, text.ptr);
}

static bool find_schema(struct postgres_link *c)
{
	if (postgres_link_ask(c, "SELECT current_schema()::regnamespace::oid::bigint", &c->schema))
		return true;
	if (c->pg)
		set_why(c, "the search path names no schema that is there");
	return false;
}

/* One of a later version has what we do not know; it is left alone. */
static bool check_version(struct postgres_link *c, int64_t version)
{
	if (version == POSTGRES_SCHEMA_VERSION)
		return true;
	(void)snprintf(c->why, sizeof(c->why),
		"the tables are of version %" PRId64 ", and this is version %d", version,
		POSTGRES_SCHEMA_VERSION);
	return false;
}

/* In this transaction: who waits for a table keeps all waiting that come after it. */
static bool wait_shortly(struct postgres_link *c)
{
	SCOPED_STRBUF(text, 64);
	strbuf_addf(&text, "SET LOCAL lock_timeout = %d", LIMIT_POSTGRES_LOCK_MS);
	return !strbuf_broken(&text) && postgres_link_run(c, text.ptr);
}

static bool add(struct postgres_link *c, const char *count_sql, const char *add_sql)
{
	int64_t there = 0;
	return postgres_link_ask(c, count_sql, &there) &&
	       (there || (wait_shortly(c) && postgres_link_run(c, add_sql)));
}

static bool add_tables(struct postgres_link *c)
{
	return add(c,
		       "SELECT count(*) FROM pg_class WHERE relname = 'upload_hashes'"
		       " AND relnamespace = current_schema()::regnamespace",
		       postgres_schema_hashes) &&
	       add(c,
		       "SELECT count(*) FROM pg_attribute WHERE attname = 'variables'"
		       " AND attrelid = (SELECT oid FROM pg_class WHERE relname = 'grants'"
		       " AND relnamespace = current_schema()::regnamespace)",
		       postgres_schema_variables);
}

/* The copies that start together make them once. */
static bool make_tables(struct postgres_link *c)
{
	int64_t there = 0, version = 0;
	return postgres_link_run(c, "BEGIN") && postgres_lock_writer(c) &&
	       postgres_link_ask(c,
		       "SELECT count(*) FROM pg_class WHERE relname = 'ledger_version'"
		       " AND relnamespace = current_schema()::regnamespace",
		       &there) &&
	       (there || postgres_link_run(c, postgres_schema)) &&
	       postgres_link_ask(c, version_sql, &version) &&
	       (version != POSTGRES_SCHEMA_VERSION || add_tables(c)) &&
	       postgres_link_run(c, "COMMIT") && check_version(c, version);
}

static bool begin_session(struct postgres_link *c)
{
	c->pg = connect_to(c);
	if (PQstatus(c->pg) != CONNECTION_OK) {
		set_why(c, c->pg ? PQerrorMessage(c->pg) : "no memory");
		return false;
	}
	(void)PQsetNoticeReceiver(c->pg, ignore_notice, NULL);
	return set_session(c);
}

static bool make(struct postgres_link *c)
{
	return begin_session(c) && find_schema(c) && make_tables(c);
}

bool postgres_link_look(struct postgres_link *c)
{
	c->told = true;
	if (begin_session(c))
		return true;
	drop(c);
	return false;
}

bool postgres_link_have(struct postgres_link *c)
{
	if (c->pg)
		return true;
	if (clock_monotonic_ms() < c->retry_ms)
		return false;
	if (!make(c)) {
		lose(c);
		c->retry_ms = clock_monotonic_ms() + pause_ms(++c->failures);
		return false;
	}
	c->generation++;
	c->failures = 0;
	if (c->told)
		log_info("ledger: the database is there again");
	c->told = false;
	return true;
}

void postgres_link_tend(struct postgres_link *c)
{
	if (c->pg)
		(void)!postgres_link_run(c, "SELECT 1");
	if (!c->pg)
		(void)!postgres_link_have(c);
}

int64_t postgres_link_due_ms(const struct postgres_link *c)
{
	return c->pg ? c->used_ms + LIMIT_POSTGRES_LOOK_MS : c->retry_ms;
}
