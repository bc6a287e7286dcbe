/* SPDX-License-Identifier: Apache-2.0 */
#include "app/ledger/sqlite/sqlite_schema.h"

static const char begin[] = "PRAGMA journal_mode = WAL;"
			    "PRAGMA synchronous = FULL;"
			    "BEGIN IMMEDIATE;";

static const char schema[] =
	"CREATE TABLE IF NOT EXISTS uploads ("
	" id INTEGER PRIMARY KEY,"
	" received_ms INTEGER NOT NULL,"
	" grant_id TEXT,"
	" request_id TEXT,"
	" bucket TEXT NOT NULL,"
	" object TEXT NOT NULL,"
	" etag TEXT NOT NULL,"
	" mime_type TEXT NOT NULL,"
	" size INTEGER,"
	" width INTEGER,"
	" height INTEGER,"
	" client_ip TEXT NOT NULL,"
	" body BLOB NOT NULL,"
	" UNIQUE (grant_id, request_id)"
	") STRICT;"
	"CREATE TRIGGER IF NOT EXISTS uploads_no_update BEFORE UPDATE ON uploads"
	" BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END;"
	"CREATE TRIGGER IF NOT EXISTS uploads_no_delete BEFORE DELETE ON uploads"
	" BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END;";

/* What version 1 had not. */
static const char upgrade_1[] =
	"ALTER TABLE uploads ADD COLUMN confirmed INTEGER NOT NULL DEFAULT 0;"
	"ALTER TABLE uploads ADD COLUMN last_modified INTEGER;"
	"ALTER TABLE uploads ADD COLUMN version_id TEXT;"
	"CREATE UNIQUE INDEX uploads_state ON uploads"
	" (grant_id, bucket, object, etag, last_modified, version_id) WHERE confirmed = 1;"
	"CREATE INDEX uploads_of_grant ON uploads (grant_id, size);";

/* What version 2 had not. */
static const char upgrade_2[] =
	"CREATE TABLE grants ("
	" id TEXT PRIMARY KEY,"
	" state TEXT NOT NULL CHECK (state IN"
	"  ('issued', 'pending', 'confirmed', 'found', 'rejected', 'expired')),"
	" reason TEXT,"
	" subject TEXT NOT NULL,"
	" dir TEXT NOT NULL,"
	" issued_ms INTEGER NOT NULL,"
	" expires INTEGER NOT NULL,"
	" changed_ms INTEGER NOT NULL,"
	" due INTEGER"
	") STRICT, WITHOUT ROWID;"
	"CREATE INDEX grants_due ON grants (due) WHERE due IS NOT NULL;"
	"PRAGMA user_version = 3;";

/* What version 3 had not. */
static const char upgrade_3[] =
	"ALTER TABLE grants ADD COLUMN key TEXT NOT NULL DEFAULT '';"
	"ALTER TABLE grants ADD COLUMN upload TEXT NOT NULL DEFAULT '';"
	"ALTER TABLE grants ADD COLUMN profile TEXT NOT NULL DEFAULT '';"
	"ALTER TABLE grants ADD COLUMN look_at INTEGER;"
	"CREATE INDEX grants_look ON grants (look_at) WHERE look_at IS NOT NULL;"
	"ALTER TABLE uploads ADD COLUMN source TEXT NOT NULL DEFAULT 'callback'"
	" CHECK (source IN ('callback', 'store'));"
	"PRAGMA user_version = 4;";

/* What version 4 had not. */
static const char upgrade_4[] =
	"CREATE TABLE events ("
	" id INTEGER PRIMARY KEY AUTOINCREMENT,"
	" name TEXT NOT NULL,"
	" source TEXT NOT NULL,"
	" type TEXT NOT NULL CHECK (type IN"
	"  ('upload.confirmed', 'upload.found', 'grant.rejected', 'grant.expired')),"
	" key TEXT NOT NULL,"
	" created_ms INTEGER NOT NULL,"
	" data TEXT NOT NULL,"
	" state TEXT NOT NULL CHECK (state IN ('waiting', 'delivered', 'dead', 'kept')),"
	" tries INTEGER NOT NULL DEFAULT 0,"
	" since_ms INTEGER NOT NULL,"
	" due_ms INTEGER,"
	" ended_ms INTEGER,"
	" fault TEXT"
	") STRICT;"
	"CREATE INDEX events_state ON events (state, id);"
	"CREATE INDEX events_due ON events (due_ms, id) WHERE due_ms IS NOT NULL;"
	"CREATE INDEX events_key ON events (key, id) WHERE state = 'waiting';"
	"CREATE TABLE event_followers ("
	" name TEXT PRIMARY KEY,"
	" position INTEGER NOT NULL,"
	" changed_ms INTEGER NOT NULL"
	") STRICT, WITHOUT ROWID;"
	"PRAGMA user_version = 5;";

/* What version 5 had not. */
static const char upgrade_5[] = "CREATE TABLE upload_hashes ("
				" subject TEXT NOT NULL,"
				" profile TEXT NOT NULL,"
				" sha256 TEXT NOT NULL,"
				" upload INTEGER NOT NULL,"
				" PRIMARY KEY (subject, profile, sha256)"
				") STRICT, WITHOUT ROWID;"
				"PRAGMA user_version = 6;";

/* What version 6 had not. */
static const char upgrade_6[] = "ALTER TABLE grants ADD COLUMN variables TEXT NOT NULL DEFAULT '';"
				"PRAGMA user_version = 7;";

static bool run(sqlite3 *db, const char *text)
{
	return sqlite3_exec(db, text, NULL, NULL, NULL) == SQLITE_OK;
}

int sqlite_schema_version(sqlite3 *db)
{
	sqlite3_stmt *statement;
	int version = -1;
	if (sqlite3_prepare_v2(db, "PRAGMA user_version", -1, &statement, NULL) == SQLITE_OK) {
		if (sqlite3_step(statement) == SQLITE_ROW)
			version = sqlite3_column_int(statement, 0);
		(void)sqlite3_finalize(statement);
	}
	return version;
}

bool sqlite_schema_make(sqlite3 *db)
{
	if (!run(db, begin) || !run(db, schema))
		return false;
	int version = sqlite_schema_version(db);
	return version >= 0 && version <= SQLITE_SCHEMA_VERSION &&
	       (version >= 2 || run(db, upgrade_1)) && (version >= 3 || run(db, upgrade_2)) &&
	       (version >= 4 || run(db, upgrade_3)) && (version >= 5 || run(db, upgrade_4)) &&
	       (version >= 6 || run(db, upgrade_5)) && (version >= 7 || run(db, upgrade_6)) &&
	       run(db, "COMMIT");
}
