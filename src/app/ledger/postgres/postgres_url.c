/* SPDX-License-Identifier: Apache-2.0 */
/* What a URL of PostgreSQL says, as libpq reads it. */
#include <postgresql/libpq-fe.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app/ledger/postgres/postgres.h"

#define PATH_BYTES 4096

const char *postgres_check_url(const char *url)
{
	if (strncmp(url, "postgresql://", 13) != 0 && strncmp(url, "postgres://", 11) != 0)
		return "a URL of PostgreSQL begins with postgresql://";
	/* Its text of what is wrong may have the password. */
	PQconninfoOption *options = PQconninfoParse(url, NULL);
	PQconninfoFree(options);
	return options ? NULL
		       : "the URL is not postgresql://USER@HOST:PORT/DATABASE?OPTION=VALUE, or has "
			 "an option that libpq does not know";
}

/* An option that names a file; its place in the environment; its place in the home folder. */
static const char *const files[][3] = {
	{"passfile", "PGPASSFILE", ".pgpass"},
	{"sslrootcert", "PGSSLROOTCERT", ".postgresql/root.crt"},
	{"sslcert", "PGSSLCERT", ".postgresql/postgresql.crt"},
	{"sslkey", "PGSSLKEY", ".postgresql/postgresql.key"},
	{"sslcrl", "PGSSLCRL", ".postgresql/root.crl"},
	{"sslcrldir", "PGSSLCRLDIR", NULL},
	{"servicefile", "PGSERVICEFILE", ".pg_service.conf"},
};

static const char *value_of(const PQconninfoOption *options, const char *name)
{
	for (; options->keyword; options++)
		if (strcmp(options->keyword, name) == 0)
			return options->val;
	return NULL;
}

/* As libpq finds it. */
static void add_file(const PQconninfoOption *options, const char *const file[3],
	void (*add)(void *ctx, const char *path, bool named), void *ctx)
{
	const char *path = value_of(options, file[0]), *home = getenv("HOME");
	char buffer[PATH_BYTES];
	if (!path)
		path = getenv(file[1]);
	bool named = path != NULL;
	if (!path && home && *home && file[2]) {
		(void)snprintf(buffer, sizeof(buffer), "%s/%s", home, file[2]);
		path = buffer;
	}
	if (path && path[0])
		add(ctx, path, named);
}

void postgres_files(
	const char *url, void (*add)(void *ctx, const char *path, bool named), void *ctx)
{
	PQconninfoOption *options = PQconninfoParse(url, NULL);
	if (!options)
		return;
	for (size_t i = 0; i < ARRAY_LEN(files); i++)
		add_file(options, files[i], add, ctx);
	PQconninfoFree(options);
}
