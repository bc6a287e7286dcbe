/* SPDX-License-Identifier: Apache-2.0 */
#include "app/ledger/postgres/postgres_probe.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "app/ledger/postgres/postgres_link.h"
#include "app/ledger/postgres/postgres_schema.h"
#include "base/slice.h"

#define VERSION_MIN 120000 /* 12.0, as libpq has it */

static const char schema_sql[] = "SELECT current_schema()";
static const char empty_sql[] = "SELECT count(*) FROM pg_class WHERE relname = 'ledger_version'"
				" AND relnamespace = current_schema()::regnamespace";
static const char whole_sql[] = "SELECT count(*) FROM pg_class WHERE relname = 'upload_hashes'"
				" AND relnamespace = current_schema()::regnamespace";
static const char create_sql[] = "SELECT has_schema_privilege(current_schema(), 'CREATE')::int";
static const char version_sql[] = "SELECT version FROM ledger_version";

/* What of this the user may not do. */
static const char rights_sql[] =
	"SELECT string_agg(what, ', ') FROM ("
	"SELECT verb || ' on ' || name AS what FROM (VALUES ('uploads', 'SELECT'),"
	" ('uploads', 'INSERT'), ('grants', 'SELECT'), ('grants', 'INSERT'), ('grants', 'UPDATE'),"
	" ('grants', 'DELETE'), ('events', 'SELECT'), ('events', 'INSERT'), ('events', 'UPDATE'),"
	" ('events', 'DELETE'), ('event_followers', 'SELECT'), ('event_followers', 'INSERT'),"
	" ('event_followers', 'UPDATE'),"
	" ('upload_hashes', 'SELECT'), ('upload_hashes', 'INSERT'), ('upload_hashes', 'UPDATE'),"
	" ('ledger_version', 'SELECT')) AS needed (name, verb)"
	" WHERE has_table_privilege(to_regclass(quote_ident(current_schema()) || '.' || name), "
	"verb)"
	" IS NOT TRUE"
	" AND (name <> 'upload_hashes'"
	" OR to_regclass(quote_ident(current_schema()) || '.' || name) IS NOT NULL)"
	/* Who may not add what is new has it added by another. */
	" UNION ALL SELECT 'the column variables of grants, which its owner can add'"
	" FROM pg_class c WHERE relname = 'grants'"
	" AND relnamespace = current_schema()::regnamespace AND NOT pg_has_role(relowner, 'USAGE')"
	" AND NOT EXISTS"
	" (SELECT 1 FROM pg_attribute WHERE attrelid = c.oid AND attname = 'variables')) AS "
	"lacking";

/* A text, cut to what fits; false if it is NULL, or could not be asked for. */
static bool ask_text(struct postgres_link *c, const char *question, char *ret)
{
	PGresult *result = PQexec(c->pg, question);
	bool ok = postgres_link_check(c, result) && PQntuples(result) > 0 &&
		  !PQgetisnull(result, 0, 0);
	if (ok)
		(void)snprintf(ret, POSTGRES_WHY_BYTES, "%s", PQgetvalue(result, 0, 0));
	PQclear(result);
	return ok;
}

static enum postgres_health look(struct postgres_link *c, char *why)
{
	const char *encoding = PQparameterStatus(c->pg, "server_encoding");
	const char *version = PQparameterStatus(c->pg, "server_version");
	int64_t number = 0;
	int64_t made = 0;
	int64_t whole = 0;
	if (PQserverVersion(c->pg) < VERSION_MIN || !encoding || strcmp(encoding, "UTF8") != 0) {
		(void)snprintf(why, POSTGRES_WHY_BYTES, "it is version %s, with the encoding %s",
			version ? version : "?", encoding ? encoding : "?");
		return POSTGRES_UNSUITED;
	}
	if (!ask_text(c, schema_sql, why))
		return c->pg ? POSTGRES_NO_SCHEMA : POSTGRES_UNREACHABLE;
	if (!postgres_link_ask(c, empty_sql, &made) || !postgres_link_ask(c, whole_sql, &whole) ||
		!postgres_link_ask(c, create_sql, &number))
		return POSTGRES_UNREACHABLE;
	if (!whole && !number)
		return POSTGRES_NO_CREATE; /* in the schema that `why` names */
	if (!made) {
		(void)snprintf(why, POSTGRES_WHY_BYTES, "%s", version ? version : "?");
		return POSTGRES_EMPTY;
	}
	if (ask_text(c, rights_sql, why))
		return POSTGRES_NO_RIGHTS;
	if (!c->pg || !postgres_link_ask(c, version_sql, &number))
		return POSTGRES_UNREACHABLE;
	if (number != POSTGRES_SCHEMA_VERSION) {
		(void)snprintf(why, POSTGRES_WHY_BYTES,
			"its tables are of version %" PRId64 ", and this postern's of version %d",
			number, POSTGRES_SCHEMA_VERSION);
		return POSTGRES_OTHER_VERSION;
	}
	(void)snprintf(why, POSTGRES_WHY_BYTES, "%s", version ? version : "?");
	return POSTGRES_USABLE;
}

enum postgres_health postgres_probe(const char *url, const char *password, char *why)
{
	struct postgres_link c;
	enum postgres_health health = POSTGRES_UNREACHABLE;
	why[0] = '\0';
	if (!postgres_link_init(&c, url, password))
		(void)snprintf(c.why, sizeof(c.why), "there is no memory");
	else if (postgres_link_look(&c))
		health = look(&c, why);
	if (health == POSTGRES_UNREACHABLE)
		(void)snprintf(why, POSTGRES_WHY_BYTES, "%s", c.why);
	postgres_link_release(&c);
	return health;
}
