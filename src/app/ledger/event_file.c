/* SPDX-License-Identifier: Apache-2.0 */
#include "app/ledger/event_file.h"

#include <stdlib.h>

#include "app/ledger/postgres/postgres.h"
#include "app/ledger/sql/sql.h"
#include "app/ledger/sqlite/sqlite.h"
#include "base/log.h"

/* Dead letters that are replayed in one transaction. */
#define REPLAY_ROWS 256

struct event_file {
	struct sql *sql;
	struct sql_statement *read[2], *newest[2]; /* with a state: the second */
	struct sql_statement *find, *replay, *state, *position, *advance;
};

#define COLUMNS                                                                                \
	"SELECT id, name, source, type, key, data, created_ms, since_ms, tries, state, fault," \
	" due_ms, ended_ms FROM events WHERE id > ?1 AND id <= ?2"
/* Each has an index of its own: of any state, and of one. */
static const char *const read_sql[] = {
	COLUMNS " ORDER BY id LIMIT ?3", COLUMNS " AND state = ?4 ORDER BY id LIMIT ?3"};
static const char *const newest_sql[] = {
	COLUMNS " ORDER BY id DESC LIMIT ?3", COLUMNS " AND state = ?4 ORDER BY id DESC LIMIT ?3"};
/* It waits behind those of its key that wait already, or, if it is the oldest, they behind it. */
static const char replay_sql[] =
	"UPDATE events SET state = 'waiting', tries = 0, ended_ms = NULL, since_ms = ?2,"
	" due_ms = CASE WHEN EXISTS (SELECT 1 FROM events other WHERE other.state = 'waiting'"
	" AND other.key = events.key) THEN NULL ELSE CAST(?2 AS BIGINT) END"
	" WHERE id = ?1 AND state <> 'waiting'";
/* For a person who asks: there is no index. */
static const char find_sql[] = "SELECT id FROM events WHERE name = ?1";
static const char state_sql[] = "SELECT state FROM events WHERE id = ?1";
static const char position_sql[] = "SELECT position FROM event_followers WHERE name = ?1";
static const char advance_sql[] =
	"INSERT INTO event_followers (name, position, changed_ms) VALUES (?1, ?2, ?3)"
	" ON CONFLICT (name) DO UPDATE SET position = excluded.position,"
	" changed_ms = excluded.changed_ms";

static bool fault(struct event_file *file)
{
	const char *why = sql_why(file->sql);
	if (why)
		log_error("ledger: %s", why);
	return false;
}

static bool open_database(const struct ledger_place *place, struct sql **ret)
{
	return place->url ? postgres_open(place->url, place->password, ret)
			  : sqlite_open_present(place->path, ret);
}

static bool prepare(struct event_file *file)
{
	struct sql *sql = file->sql;
	return (sql_prepare(sql, read_sql[0], &file->read[0]) &&
		       sql_prepare(sql, read_sql[1], &file->read[1]) &&
		       sql_prepare(sql, newest_sql[0], &file->newest[0]) &&
		       sql_prepare(sql, newest_sql[1], &file->newest[1]) &&
		       sql_prepare(sql, find_sql, &file->find) &&
		       sql_prepare(sql, replay_sql, &file->replay) &&
		       sql_prepare(sql, state_sql, &file->state) &&
		       sql_prepare(sql, position_sql, &file->position) &&
		       sql_prepare(sql, advance_sql, &file->advance)) ||
	       fault(file);
}

bool event_file_open(const struct ledger_place *place, struct event_file **ret)
{
	struct event_file *file = calloc(1, sizeof(*file));
	if (!file) {
		log_error("ledger: no memory");
		return false;
	}
	if (!open_database(place, &file->sql) || !prepare(file)) {
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
		sql_release(file->read[i]);
		sql_release(file->newest[i]);
	}
	sql_release(file->find);
	sql_release(file->replay);
	sql_release(file->state);
	sql_release(file->position);
	sql_release(file->advance);
	sql_close(file->sql);
	free(file);
}

static struct event_row row_of(struct sql_statement *s)
{
	return (struct event_row){.event = {.id = sql_get_number(s, 0),
					  .name = sql_get_text(s, 1),
					  .source = sql_get_text(s, 2),
					  .type = sql_get_text(s, 3),
					  .key = sql_get_text(s, 4),
					  .data = sql_get_text(s, 5),
					  .created_ms = sql_get_number(s, 6),
					  .since_ms = sql_get_number(s, 7),
					  .tries = sql_get_number(s, 8)},
		.state = sql_get_text(s, 9),
		.fault = sql_get_text(s, 10),
		.due_ms = sql_get_number(s, 11),
		.ended_ms = sql_get_number(s, 12)};
}

/* Who follows does so for days: a connection that was lost comes back. */
static struct sql *there(struct event_file *file)
{
	if (!sql_is_there(file->sql))
		sql_tend(file->sql);
	return file->sql;
}

bool event_file_read(struct event_file *file, const struct event_file_query *query)
{
	bool by_state = query->state != NULL;
	struct sql_statement *s = query->after < 0 ? file->newest[by_state] : file->read[by_state];
	int64_t last = query->id > 0       ? query->id
		       : query->before > 0 ? query->before - 1
					   : INT64_MAX;
	const struct sql_value values[] = {sql_number(query->id > 0 ? query->id - 1 : query->after),
		sql_number(last), sql_number(query->limit),
		by_state ? sql_text(slice_str(query->state)) : sql_null()};
	enum sql_step step =
		sql_is_there(there(file)) ? sql_first(s, values, by_state ? 4 : 3) : SQL_FAULT;
	for (; step == SQL_ROW; step = sql_next(s)) {
		const struct event_row row = row_of(s);
		query->row(query->ctx, &row);
	}
	sql_end(s);
	return step == SQL_DONE || fault(file);
}

bool event_file_find(struct event_file *file, struct slice name, int64_t *ret)
{
	const struct sql_value value = sql_text(name);
	enum sql_step step =
		sql_is_there(there(file)) ? sql_first(file->find, &value, 1) : SQL_FAULT;
	*ret = step == SQL_ROW ? sql_get_number(file->find, 0) : 0;
	sql_end(file->find);
	return step != SQL_FAULT || fault(file);
}

/* A statement that changes the ledger, in a transaction of its own; how many rows, or -1. */
static int64_t change(struct event_file *file, struct sql_statement *s,
	const struct sql_value *values, size_t count)
{
	if (sql_begin(file->sql) && sql_run(s, values, count) && sql_commit(file->sql))
		return sql_changes(s);
	(void)fault(file);
	sql_rollback(file->sql);
	return -1;
}

static enum event_replay why_not(struct event_file *file, int64_t id)
{
	const struct sql_value value = sql_number(id);
	enum sql_step step = sql_first(file->state, &value, 1);
	sql_end(file->state);
	if (step == SQL_ROW)
		return EVENT_WAITING;
	if (step == SQL_DONE)
		return EVENT_UNKNOWN;
	(void)fault(file);
	return EVENT_FAULT;
}

enum event_replay event_file_replay(struct event_file *file, int64_t id, int64_t now_ms)
{
	const struct sql_value values[] = {sql_number(id), sql_number(now_ms)};
	int64_t changed = change(file, file->replay, values, ARRAY_LEN(values));
	if (changed < 0)
		return EVENT_FAULT;
	return changed > 0 ? EVENT_REPLAYED : why_not(file, id);
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
	for (size_t i = 0; i < dead->count; i++) {
		const struct sql_value values[] = {sql_number(dead->ids[i]), sql_number(now_ms)};
		if (!sql_run(file->replay, values, ARRAY_LEN(values)))
			return fault(file);
	}
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
	if (!sql_is_there(there(file)) || !sql_begin(file->sql))
		return fault(file);
	if (!event_file_read(file, &query) || !replay_all(file, &dead, now_ms) ||
		(!sql_commit(file->sql) && !fault(file))) {
		sql_rollback(file->sql);
		return false;
	}
	if (dead.count > 0)
		*after = dead.ids[dead.count - 1];
	*ret = dead.count;
	return true;
}

/* ---- Followers --------------------------------------------------------------------------------
 */

bool event_file_position(struct event_file *file, struct slice follower, int64_t *ret)
{
	const struct sql_value name = sql_text(follower);
	enum sql_step step = sql_first(file->position, &name, 1);
	*ret = step == SQL_ROW ? sql_get_number(file->position, 0) : 0;
	sql_end(file->position);
	return step != SQL_FAULT || fault(file);
}

bool event_file_advance(
	struct event_file *file, struct slice follower, int64_t position, int64_t now_ms)
{
	const struct sql_value values[] = {
		sql_text(follower), sql_number(position), sql_number(now_ms)};
	return change(file, file->advance, values, ARRAY_LEN(values)) >= 0;
}
