/* SPDX-License-Identifier: Apache-2.0 */
#include "app/ledger/postgres/postgres_link.h"
#include "app/ledger/postgres/postgres_probe.h"
#include "doctor/doctor_internal.h"

static void fail(struct doctor *d, const char *fix, const char *what, const char *why)
{
	report_add(d->report, FINDING_FAILED, "ledger", fix, "%s%s.", what, why);
}

/* From here: copies of the application server elsewhere have other ways to it. */
void doctor_check_ledger(struct doctor *d)
{
	const struct doctor_options *o = d->options;
	char why[POSTGRES_WHY_BYTES];
	if (!o->ledger_url)
		return;
	switch (postgres_probe(o->ledger_url, o->ledger_password, why)) {
	case POSTGRES_USABLE:
		report_add(d->report, FINDING_OK, "ledger", NULL,
			"the database answers (PostgreSQL %s), and the user may use its tables",
			why);
		break;
	case POSTGRES_EMPTY:
		report_add(d->report, FINDING_OK, "ledger", NULL,
			"the database answers (PostgreSQL %s), and the first start makes the "
			"tables",
			why);
		break;
	case POSTGRES_UNREACHABLE:
		fail(d,
			"start it, or correct [app] ledger_url and ledger_password_file; its "
			"pg_hba.conf must admit the user from here",
			"the database cannot be used: ", why);
		break;
	case POSTGRES_UNSUITED:
		fail(d,
			"use PostgreSQL 12 or later, and CREATE DATABASE ... ENCODING 'UTF8' "
			"TEMPLATE template0",
			"the database does not suit: ", why);
		break;
	case POSTGRES_NO_SCHEMA:
		fail(d, "CREATE SCHEMA, or correct the search_path of [app] ledger_url",
			"the database has no schema for the tables", "");
		break;
	case POSTGRES_NO_CREATE:
		fail(d,
			"GRANT CREATE ON SCHEMA ... TO the user of [app] ledger_url, or make it "
			"the owner of the database",
			"the tables are not there, or not all, and the user may not make them in "
			"the schema ",
			why);
		break;
	case POSTGRES_NO_RIGHTS:
		fail(d,
			"GRANT that to the user of [app] ledger_url, or make it the owner of the "
			"tables",
			"the user lacks ", why);
		break;
	case POSTGRES_OTHER_VERSION:
		fail(d,
			"use the postern that has made the tables, or another database: "
			"docs/ledger.md",
			"", why);
		break;
	}
}
