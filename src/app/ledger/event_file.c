/* SPDX-License-Identifier: Apache-2.0 */
#include "app/ledger/event_file.h"

#include <sqlite3.h>
#include <stdlib.h>

#include "base/log.h"

/* How long the application server may hold the lock. */
#define BUSY_MS 5000
/* Dead letters that are replayed in one transaction. */
#define REPLAY_ROWS 256
/* The first version that has the outbox. */
#define VERSION 5

struct event_file {
	sqlite3 *db;
	sqlite3_stmt *read[2], *newest[2]; /* with a state: the second */
	sqlite3_stmt *replay, *state, *position, *advance;
};

#define COLUMNS                                                                                \
	"SELECT id, name, source, type, key, data, created_ms, since_ms, tries, state, fault," \
	" due_ms, ended_ms FROM events WHERE id > ?2 AND id <= ?4"
/* Each has an index of its own: of any state, and of one. */
static const char *const read_sql[] = {
	COLUMNS " ORDER BY id LIMIT ?3", COLUMNS " AND state = ?1 ORDER BY id LIMIT ?3"};
static const char *const newest_sql[] = {
	COLUMNS " ORDER BY id DESC LIMIT ?3", COLUMNS " AND state = ?1 ORDER BY id DESC LIMIT ?3"};
/* It waits behind those of its key that wait already, or, if it is the oldest, they behind it. */
static const char replay_sql[] =
	"UPDATE events SET state = 'waiting', tries = 0, ended_ms = NULL, since_ms = ?2,"
	" due_ms = CASE WHEN EXISTS (SELECT 1 FROM events other WHERE other.state = 'waiting'"
	" AND other.key = events.key) THEN NULL ELSE ?2 END"
	" WHERE id = ?1 AND state <> 'waiting'";
static const char state_sql[] = "SELECT state FROM events WHERE id = ?1";
static const char position_sql[] = "SELECT position FROM event_followers WHERE name = ?1";
static const char advance_sql[] =
	"INSERT INTO event_followers (name, position, changed_ms) VALUES (?1, ?2, ?3)"
	" ON CONFLICT (name) DO UPDATE SET position = excluded.position,"
	" changed_ms = excluded.changed_ms";

static bool fault(struct event_file *file)
{
	log_error("ledger: %s", sqlite3_errmsg(file->db));
	return false;
}

static bool prepare(struct event_file *file, const char *sql, sqlite3_stmt **ret)
{
	return sqlite3_prepare_v2(file->db, sql, -1, ret, NULL) == SQLITE_OK;
}

static bool check_version(struct event_file *file, const char *path)
{
	sqlite3_stmt *statement;
	int version = 0;
	if (!prepare(file, "PRAGMA user_version", &statement))
		return fault(file);
	if (sqlite3_step(statement) == SQLITE_ROW)
		version = sqlite3_column_int(statement, 0);
	(void)sqlite3_finalize(statement);
	if (version < VERSION)
		log_error("%s has no events; postern has to be started once with it", path);
	return version >= VERSION;
}

bool event_file_open(const char *path, struct event_file **ret)
{
	struct event_file *file = calloc(1, sizeof(*file));
	if (!file) {
		log_error("ledger: no memory");
		return false;
	}
	if (sqlite3_open_v2(path, &file->db, SQLITE_OPEN_READWRITE, NULL) != SQLITE_OK ||
		sqlite3_busy_timeout(file->db, BUSY_MS) != SQLITE_OK) {
		log_error("%s: %s", path, sqlite3_errmsg(file->db));
		event_file_close(file);
		return false;
	}
	bool ok = check_version(file, path) &&
		  ((prepare(file, read_sql[0], &file->read[0]) &&
			   prepare(file, read_sql[1], &file->read[1]) &&
			   prepare(file, newest_sql[0], &file->newest[0]) &&
			   prepare(file, newest_sql[1], &file->newest[1]) &&
			   prepare(file, replay_sql, &file->replay) &&
			   prepare(file, state_sql, &file->state) &&
			   prepare(file, position_sql, &file->position) &&
			   prepare(file, advance_sql, &file->advance)) ||
			  fault(file));
	if (!ok) {
		event_file_close(file);
		return false;
	}
	*ret = file;
	return true;
}

void event_file_close(struct event_file *file)
{
	if (!file)
		return;
	for (size_t i = 0; i < ARRAY_LEN(file->read); i++) {
		(void)sqlite3_finalize(file->read[i]);
		(void)sqlite3_finalize(file->newest[i]);
	}
	(void)sqlite3_finalize(file->replay);
	(void)sqlite3_finalize(file->state);
	(void)sqlite3_finalize(file->position);
	(void)sqlite3_finalize(file->advance);
	(void)sqlite3_close(file->db);
	free(file);
}

static struct slice column(sqlite3_stmt *s, int at)
{
	const unsigned char *text = sqlite3_column_text(s, at);
	return slice_of(text ? (const char *)text : "", (size_t)sqlite3_column_bytes(s, at));
}

static struct event_row row_of(sqlite3_stmt *s)
{
	return (struct event_row){.event = {.id = sqlite3_column_int64(s, 0),
					  .name = column(s, 1),
					  .source = column(s, 2),
					  .type = column(s, 3),
					  .key = column(s, 4),
					  .data = column(s, 5),
					  .created_ms = sqlite3_column_int64(s, 6),
					  .since_ms = sqlite3_column_int64(s, 7),
					  .tries = sqlite3_column_int64(s, 8)},
		.state = column(s, 9),
		.fault = column(s, 10),
		.due_ms = sqlite3_column_int64(s, 11),
		.ended_ms = sqlite3_column_int64(s, 12)};
}

bool event_file_read(struct event_file *file, const struct event_file_query *query)
{
	bool by_state = query->state != NULL;
	sqlite3_stmt *s = query->after < 0 ? file->newest[by_state] : file->read[by_state];
	int64_t after = query->id > 0 ? query->id - 1 : query->after;
	int64_t last = query->id > 0       ? query->id
		       : query->before > 0 ? query->before - 1
					   : INT64_MAX;
	bool ok = (!by_state ||
			  sqlite3_bind_text(s, 1, query->state, -1, SQLITE_STATIC) == SQLITE_OK) &&
		  sqlite3_bind_int64(s, 2, after) == SQLITE_OK &&
		  sqlite3_bind_int64(s, 3, query->limit) == SQLITE_OK &&
		  sqlite3_bind_int64(s, 4, last) == SQLITE_OK;
	int result = SQLITE_ROW;
	while (ok && (result = sqlite3_step(s)) == SQLITE_ROW) {
		const struct event_row row = row_of(s);
		query->row(query->ctx, &row);
	}
	ok = ok && result == SQLITE_DONE;
	if (!ok)
		(void)fault(file);
	(void)sqlite3_reset(s);
	return ok;
}

static enum event_replay why_not(struct event_file *file, int64_t id)
{
	int result = sqlite3_bind_int64(file->state, 1, id) == SQLITE_OK ? sqlite3_step(file->state)
									 : SQLITE_ERROR;
	(void)sqlite3_reset(file->state);
	if (result == SQLITE_ROW)
		return EVENT_WAITING;
	if (result == SQLITE_DONE)
		return EVENT_UNKNOWN;
	(void)fault(file);
	return EVENT_FAULT;
}

enum event_replay event_file_replay(struct event_file *file, int64_t id, int64_t now_ms)
{
	bool ok = sqlite3_bind_int64(file->replay, 1, id) == SQLITE_OK &&
		  sqlite3_bind_int64(file->replay, 2, now_ms) == SQLITE_OK &&
		  sqlite3_step(file->replay) == SQLITE_DONE;
	(void)sqlite3_reset(file->replay);
	if (!ok) {
		(void)fault(file);
		return EVENT_FAULT;
	}
	return sqlite3_changes(file->db) > 0 ? EVENT_REPLAYED : why_not(file, id);
}

/* ---- All dead letters -------------------------------------------------------------------------
 */

struct dead_letters {
	int64_t ids[REPLAY_ROWS];
	size_t count;
};

static void note_dead(void *ctx, const struct event_row *row)
{
	struct dead_letters *dead = ctx;
	if (dead->count < ARRAY_LEN(dead->ids))
		dead->ids[dead->count++] = row->event.id;
}

static bool replay_all(struct event_file *file, const struct dead_letters *dead, int64_t now_ms)
{
	for (size_t i = 0; i < dead->count; i++)
		if (event_file_replay(file, dead->ids[i], now_ms) == EVENT_FAULT)
			return false;
	return true;
}

bool event_file_replay_dead(struct event_file *file, int64_t *after, int64_t now_ms, size_t *ret)
{
	struct dead_letters dead = {.count = 0};
	const struct event_file_query query = {.state = "dead",
		.after = *after,
		.limit = REPLAY_ROWS,
		.row = note_dead,
		.ctx = &dead};
	*ret = 0;
	/* One sync for all of them. */
	if (sqlite3_exec(file->db, "BEGIN IMMEDIATE", NULL, NULL, NULL) != SQLITE_OK)
		return fault(file);
	bool ok = event_file_read(file, &query) && replay_all(file, &dead, now_ms) &&
		  (sqlite3_exec(file->db, "COMMIT", NULL, NULL, NULL) == SQLITE_OK || fault(file));
	if (!ok) {
		(void)sqlite3_exec(file->db, "ROLLBACK", NULL, NULL, NULL);
		return false;
	}
	if (dead.count > 0)
		*after = dead.ids[dead.count - 1];
	*ret = dead.count;
	return true;
}

/* ---- Followers --------------------------------------------------------------------------------
 */

static bool bind_follower(sqlite3_stmt *s, struct slice follower)
{
	return sqlite3_bind_text64(s, 1, follower.ptr, follower.len, SQLITE_STATIC, SQLITE_UTF8) ==
	       SQLITE_OK;
}

bool event_file_position(struct event_file *file, struct slice follower, int64_t *ret)
{
	int result = bind_follower(file->position, follower) ? sqlite3_step(file->position)
							     : SQLITE_ERROR;
	*ret = result == SQLITE_ROW ? sqlite3_column_int64(file->position, 0) : 0;
	(void)sqlite3_reset(file->position);
	return result == SQLITE_ROW || result == SQLITE_DONE || fault(file);
}

bool event_file_advance(
	struct event_file *file, struct slice follower, int64_t position, int64_t now_ms)
{
	sqlite3_stmt *s = file->advance;
	bool ok = bind_follower(s, follower) && sqlite3_bind_int64(s, 2, position) == SQLITE_OK &&
		  sqlite3_bind_int64(s, 3, now_ms) == SQLITE_OK && sqlite3_step(s) == SQLITE_DONE;
	(void)sqlite3_reset(s);
	return ok || fault(file);
}
