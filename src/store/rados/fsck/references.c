/* SPDX-License-Identifier: Apache-2.0 */
#include "store/rados/fsck/references.h"

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/log.h"

enum {
	PATH_BYTES_MAX = 4096,
	OBJECTS_TOGETHER = 100000, /* are one transaction */
};

static const char schema[] =
	"PRAGMA journal_mode = MEMORY;" /* for dropping what a tablet has added */
	"PRAGMA synchronous = OFF;"
	"PRAGMA locking_mode = EXCLUSIVE;"
	"PRAGMA cache_size = -65536;"
	"CREATE TABLE reference (data INTEGER NOT NULL, kind INTEGER NOT NULL,"
	" small INTEGER NOT NULL, chunks INTEGER NOT NULL, bucket INTEGER NOT NULL,"
	" tablet INTEGER NOT NULL, row BLOB NOT NULL);"
	"CREATE TABLE object (data INTEGER NOT NULL, chunk INTEGER NOT NULL,"
	" small INTEGER NOT NULL);"
	"CREATE TABLE tablet (bucket INTEGER NOT NULL, tablet INTEGER NOT NULL,"
	" reached INTEGER NOT NULL);";

static const char add_sql[] = "INSERT INTO reference (data, kind, small, chunks, bucket, tablet,"
			      " row) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
static const char add_object_sql[] = "INSERT INTO object (data, chunk, small) VALUES (?1, ?2, ?3)";
static const char add_tablet_sql[] =
	"INSERT INTO tablet (bucket, tablet, reached) VALUES (?1, ?2, ?3)";
static const char sort_sql[] = "CREATE INDEX reference_data ON reference (data);"
			       "CREATE INDEX object_data ON object (data, chunk, small);";
static const char count_sql[] = "SELECT count(DISTINCT data) FROM reference WHERE kind = ?1";
/* In the order of the data, so that both indexes are read from their beginning to their end. */
static const char orphans_sql[] =
	"SELECT small, data, chunk FROM object AS o INDEXED BY object_data"
	" WHERE NOT EXISTS (SELECT 1 FROM reference AS r WHERE r.data = o.data"
	" AND r.small = o.small AND (r.chunks = 0 OR o.chunk < r.chunks))"
	" ORDER BY data, chunk";
static const char doubles_sql[] =
	"SELECT r.data, r.bucket, r.tablet, r.row, d.garbage FROM"
	" (SELECT data, sum(kind = 1) AS garbage FROM reference WHERE kind IN (0, 1)"
	" GROUP BY data HAVING sum(kind = 0) > 1 OR (sum(kind = 0) = 1 AND sum(kind = 1) > 0))"
	" AS d JOIN reference AS r ON r.data = d.data AND r.kind = 0 ORDER BY r.data";
static const char lone_tablets_sql[] = "SELECT bucket, tablet FROM tablet GROUP BY bucket, tablet"
				       " HAVING max(reached) = 0";

struct references {
	sqlite3 *db;
	sqlite3_stmt *add;
	sqlite3_stmt *add_object;
	sqlite3_stmt *add_tablet;
	uint64_t objects;
	bool failed;
};

/* ---- SQLite ---------------------------------------------------------------------------------- */

static void fail(struct references *refs)
{
	if (!refs->failed)
		log_error("fsck: the file of references: %s", sqlite3_errmsg(refs->db));
	refs->failed = true;
}

static void run(struct references *refs, const char *sql)
{
	if (!refs->failed && sqlite3_exec(refs->db, sql, NULL, NULL, NULL) != SQLITE_OK)
		fail(refs);
}

static sqlite3_stmt *prepare(struct references *refs, const char *sql)
{
	sqlite3_stmt *statement = NULL;
	if (!refs->failed && sqlite3_prepare_v2(refs->db, sql, -1, &statement, NULL) != SQLITE_OK)
		fail(refs);
	return statement;
}

static void bind(sqlite3_stmt *statement, int at, uint64_t number)
{
	(void)sqlite3_bind_int64(statement, at, (int64_t)number);
}

static uint64_t column(sqlite3_stmt *statement, int at)
{
	return (uint64_t)sqlite3_column_int64(statement, at);
}

static void step(struct references *refs, sqlite3_stmt *statement)
{
	if (!refs->failed && sqlite3_step(statement) != SQLITE_DONE)
		fail(refs);
	(void)sqlite3_reset(statement);
}

/* Goes to the next row of a query. */
static bool next(struct references *refs, sqlite3_stmt *statement)
{
	int result = refs->failed ? SQLITE_DONE : sqlite3_step(statement);
	if (result != SQLITE_ROW && result != SQLITE_DONE)
		fail(refs);
	return result == SQLITE_ROW;
}

/* ---- The file -------------------------------------------------------------------------------- */

enum err references_open(const char *folder, struct references **ret)
{
	char path[PATH_BYTES_MAX];
	int len = snprintf(path, sizeof(path), "%s/postern-fsck-XXXXXX", folder);
	SCOPED_FD int fd = len < (int)sizeof(path) ? mkstemp(path) : -1;
	if (fd < 0) {
		log_error("fsck: cannot make a file in %s", folder);
		return ERR_INTERNAL;
	}
	struct references *refs = calloc(1, sizeof(*refs));
	if (!refs) {
		(void)unlink(path);
		return ERR_UNAVAILABLE;
	}
	if (sqlite3_open_v2(path, &refs->db, SQLITE_OPEN_READWRITE, NULL) != SQLITE_OK)
		fail(refs);
	run(refs, schema);
	/* Nothing of it is left, however this ends. */
	(void)unlink(path);
	refs->add = prepare(refs, add_sql);
	refs->add_object = prepare(refs, add_object_sql);
	refs->add_tablet = prepare(refs, add_tablet_sql);
	enum err e = references_err(refs);
	if (e != ERR_OK)
		references_close(refs);
	else
		*ret = refs;
	return e;
}

void references_close(struct references *refs)
{
	if (!refs)
		return;
	(void)sqlite3_finalize(refs->add);
	(void)sqlite3_finalize(refs->add_object);
	(void)sqlite3_finalize(refs->add_tablet);
	(void)sqlite3_close(refs->db);
	free(refs);
}

enum err references_err(const struct references *refs)
{
	return refs->failed ? ERR_INTERNAL : ERR_OK;
}

/* ---- Adding ---------------------------------------------------------------------------------- */

void references_begin(struct references *refs)
{
	run(refs, "SAVEPOINT one");
}

void references_keep(struct references *refs)
{
	run(refs, "RELEASE one");
}

void references_drop(struct references *refs)
{
	run(refs, "ROLLBACK TO one; RELEASE one");
}

void references_begin_all(struct references *refs)
{
	run(refs, "SAVEPOINT more");
}

void references_keep_all(struct references *refs)
{
	run(refs, "RELEASE more");
}

void references_drop_all(struct references *refs)
{
	run(refs, "ROLLBACK TO more; RELEASE more");
}

void references_add(struct references *refs, const struct reference *reference)
{
	sqlite3_stmt *add = refs->add;
	bind(add, 1, reference->data);
	bind(add, 2, reference->kind);
	bind(add, 3, reference->is_small);
	bind(add, 4, reference->chunks);
	bind(add, 5, reference->bucket);
	bind(add, 6, reference->tablet);
	(void)sqlite3_bind_blob(add, 7, reference->row.len ? reference->row.ptr : "",
		(int)reference->row.len, SQLITE_STATIC);
	step(refs, add);
}

void references_add_object(struct references *refs, const struct data_object *object)
{
	if (refs->objects++ % OBJECTS_TOGETHER == 0 && refs->objects > 1) {
		references_keep(refs);
		references_begin(refs);
	}
	bind(refs->add_object, 1, object->data);
	bind(refs->add_object, 2, object->chunk);
	bind(refs->add_object, 3, object->is_small);
	step(refs, refs->add_object);
}

void references_add_tablet(
	struct references *refs, uint64_t bucket, uint64_t tablet, bool is_reached)
{
	bind(refs->add_tablet, 1, bucket);
	bind(refs->add_tablet, 2, tablet);
	bind(refs->add_tablet, 3, is_reached);
	step(refs, refs->add_tablet);
}

/* ---- Asking ---------------------------------------------------------------------------------- */

void references_sort(struct references *refs)
{
	run(refs, sort_sql);
}

uint64_t references_count(struct references *refs, enum reference_kind kind)
{
	uint64_t count = 0;
	sqlite3_stmt *query = prepare(refs, count_sql);
	if (query)
		bind(query, 1, kind);
	if (query && next(refs, query))
		count = column(query, 0);
	(void)sqlite3_finalize(query);
	return count;
}

void references_each_orphan(struct references *refs,
	bool (*orphan)(const struct data_object *object, void *ctx), void *ctx)
{
	sqlite3_stmt *query = prepare(refs, orphans_sql);
	bool goes_on = query != NULL;
	while (goes_on && next(refs, query)) {
		const struct data_object object = {.is_small = column(query, 0) != 0,
			.data = column(query, 1),
			.chunk = column(query, 2)};
		goes_on = orphan(&object, ctx);
	}
	(void)sqlite3_finalize(query);
}

void references_each_double(struct references *refs,
	bool (*reference)(const struct reference *reference, bool is_garbage, void *ctx), void *ctx)
{
	sqlite3_stmt *query = prepare(refs, doubles_sql);
	bool goes_on = query != NULL;
	while (goes_on && next(refs, query)) {
		const struct reference found = {.data = column(query, 0),
			.bucket = column(query, 1),
			.tablet = column(query, 2),
			.row = slice_of(sqlite3_column_blob(query, 3),
				(size_t)sqlite3_column_bytes(query, 3))};
		goes_on = reference(&found, column(query, 4) != 0, ctx);
	}
	(void)sqlite3_finalize(query);
}

void references_each_lone_tablet(struct references *refs,
	bool (*tablet)(uint64_t bucket, uint64_t tablet, void *ctx), void *ctx)
{
	sqlite3_stmt *query = prepare(refs, lone_tablets_sql);
	bool goes_on = query != NULL;
	while (goes_on && next(refs, query))
		goes_on = tablet(column(query, 0), column(query, 1), ctx);
	(void)sqlite3_finalize(query);
}
