/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Grants that the store has to be asked about, because no callback has told how they ended.
 * `look_at` is the time for it; a row that is recorded or rejected has none.
 */
#include <stdlib.h>

#include "app/ledger/ledger_internal.h"
#include "base/limits.h"
#include "base/log.h"

#define DUE_BYTES_MAX KIB(256)

const char ledger_look_schema[] =
	"ALTER TABLE grants ADD COLUMN key TEXT NOT NULL DEFAULT '';"
	"ALTER TABLE grants ADD COLUMN upload TEXT NOT NULL DEFAULT '';"
	"ALTER TABLE grants ADD COLUMN profile TEXT NOT NULL DEFAULT '';"
	"ALTER TABLE grants ADD COLUMN look_at INTEGER;"
	"CREATE INDEX grants_look ON grants (look_at) WHERE look_at IS NOT NULL;"
	"ALTER TABLE uploads ADD COLUMN source TEXT NOT NULL DEFAULT 'callback'"
	" CHECK (source IN ('callback', 'store'));"
	"PRAGMA user_version = 4;";

static const char due_sql[] =
	"SELECT id, key, upload, profile, expires, look_at, state = 'pending' FROM grants"
	" WHERE look_at <= ?1"
	" AND (look_at, id) > (?3, ?4) AND state IN ('issued', 'pending')"
	" ORDER BY look_at, id LIMIT ?2";
static const char later_sql[] = "UPDATE grants SET look_at = ?2 WHERE id = ?1"
				" AND state IN ('issued', 'pending')";

/* It is due now, and stays so until it is decided. */
static const char hold_sql[] = "UPDATE grants SET look_at = ?2 WHERE id = ?1 AND key = ?3"
			       " AND key <> '' AND state NOT IN ('confirmed', 'found')";

bool ledger_look_prepare(struct ledger *ledger)
{
	return ledger_prepare(ledger, due_sql, &ledger->due) &&
	       ledger_prepare(ledger, later_sql, &ledger->later) &&
	       ledger_prepare(ledger, hold_sql, &ledger->hold);
}

void ledger_look_release(struct ledger *ledger)
{
	(void)sqlite3_finalize(ledger->due);
	(void)sqlite3_finalize(ledger->later);
	(void)sqlite3_finalize(ledger->hold);
}

/* ---- What is due ------------------------------------------------------------------------------
 */

static bool column(struct ledger_due *due, sqlite3_stmt *s, int at, struct slice *ret)
{
	const unsigned char *text = sqlite3_column_text(s, at);
	*ret = arena_copy(&due->arena_,
		slice_of(text ? (const char *)text : "", (size_t)sqlite3_column_bytes(s, at)));
	return ret->ptr != NULL;
}

static bool read_row(struct ledger_due *due, sqlite3_stmt *s)
{
	struct ledger_due_grant *row = &due->rows[due->count];
	if (!column(due, s, 0, &row->id) || !column(due, s, 1, &row->key) ||
		!column(due, s, 2, &row->upload) || !column(due, s, 3, &row->profile))
		return false;
	row->expires = sqlite3_column_int64(s, 4);
	row->look_at = sqlite3_column_int64(s, 5);
	row->pending = sqlite3_column_int(s, 6) == 1;
	due->count++;
	return true;
}

static void run_due(struct ledger *ledger, struct ledger_job *job)
{
	struct ledger_due *due = CONTAINER_OF(job, struct ledger_due, job_);
	sqlite3_stmt *s = ledger->due;
	/* So that what is old goes even if nobody asks for grants. */
	if (due->now * 1000 > ledger->grants.now_ms)
		ledger->grants.now_ms = due->now * 1000;
	bool ok = sqlite3_bind_int64(s, 1, due->now) == SQLITE_OK &&
		  sqlite3_bind_int64(s, 2, LEDGER_DUE_MAX) == SQLITE_OK &&
		  sqlite3_bind_int64(s, 3, due->after_look_at) == SQLITE_OK &&
		  ledger_bind_text(s, 4, slice_str(due->after_id));
	int result = SQLITE_ROW;
	while (ok && due->count < LEDGER_DUE_MAX && (result = sqlite3_step(s)) == SQLITE_ROW)
		ok = read_row(due, s);
	due->failed = !ok || (result != SQLITE_ROW && result != SQLITE_DONE);
	if (due->failed)
		log_error("ledger: grants to look at: %s", sqlite3_errmsg(ledger->db));
	(void)sqlite3_reset(s);
}

static void finish_due(struct ledger_job *job, bool synced)
{
	struct ledger_due *due = CONTAINER_OF(job, struct ledger_due, job_);
	due->failed = due->failed || !synced;
	executor_post(due->home, &due->done);
}

void ledger_list_due(struct ledger *ledger, struct ledger_due *due)
{
	due->count = 0;
	arena_init(&due->arena_, NULL, 0, DUE_BYTES_MAX);
	due->job_ = (struct ledger_job){.run = run_due, .finish = finish_due};
	ledger_post(ledger, &due->job_);
}

void ledger_due_release(struct ledger_due *due)
{
	arena_reset(&due->arena_);
}

/* ---- When to look again -----------------------------------------------------------------------
 */

struct later {
	struct ledger_job job;
	int64_t look_at;
	size_t id_len;
	char id[];
};

static void run_later(struct ledger *ledger, struct ledger_job *job)
{
	const struct later *later = CONTAINER_OF(job, struct later, job);
	sqlite3_stmt *s = ledger->later;
	bool ok = ledger_bind_text(s, 1, slice_of(later->id, later->id_len)) &&
		  (later->look_at < 0 || sqlite3_bind_int64(s, 2, later->look_at) == SQLITE_OK) &&
		  ledger_step(s);
	if (!ok)
		log_error("ledger: grant: %s", sqlite3_errmsg(ledger->db));
	(void)sqlite3_clear_bindings(s);
}

static void finish_later(struct ledger_job *job, bool synced UNUSED)
{
	free(CONTAINER_OF(job, struct later, job));
}

void ledger_look_later(struct ledger *ledger, struct slice id, int64_t look_at)
{
	struct later *later = calloc(1, sizeof(*later) + id.len);
	if (!later)
		return;
	later->job = (struct ledger_job){.run = run_later, .finish = finish_later};
	later->look_at = look_at;
	later->id_len = id.len;
	memcpy(later->id, id.ptr, id.len);
	ledger_post(ledger, &later->job);
}

/* ---- Holding ----------------------------------------------------------------------------------
 */

static void run_hold(struct ledger *ledger, struct ledger_job *job)
{
	struct ledger_hold *hold = CONTAINER_OF(job, struct ledger_hold, job_);
	sqlite3_stmt *s = ledger->hold;
	bool ok = ledger_bind_text(s, 1, hold->id) &&
		  sqlite3_bind_int64(s, 2, hold->now_ms / 1000) == SQLITE_OK &&
		  ledger_bind_text(s, 3, hold->key) && ledger_step(s);
	if (!ok)
		log_error("ledger: grant: %s", sqlite3_errmsg(ledger->db));
	hold->held = ok && sqlite3_changes(ledger->db) > 0 &&
		     ledger_grants_set_state(
			     ledger, hold->id, GRANT_PENDING, hold->reason, hold->now_ms);
	(void)sqlite3_clear_bindings(s);
}

static void finish_hold(struct ledger_job *job, bool synced)
{
	struct ledger_hold *hold = CONTAINER_OF(job, struct ledger_hold, job_);
	hold->held = hold->held && synced;
	executor_post(hold->home, &hold->done);
}

void ledger_hold(struct ledger *ledger, struct ledger_hold *hold)
{
	hold->held = false;
	hold->job_ = (struct ledger_job){.run = run_hold, .finish = finish_hold};
	ledger_post(ledger, &hold->job_);
}
