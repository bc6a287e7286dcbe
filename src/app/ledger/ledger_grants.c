/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The table of grants. `due` is the time at which a row is looked at again: that of an issued one,
 * to expire; that of one that came to nothing, to be deleted. A row that stays has none.
 */
#include <stdlib.h>

#include "app/ledger/ledger_internal.h"
#include "base/limits.h"
#include "base/log.h"

#define QUESTION_BYTES_MAX KIB(16)
/* Rows that a batch looks at beyond twice those that it adds: it never falls behind. */
#define SWEEP_MORE 16
/* Until a row that waits to be looked at is seen again. */
#define WAIT_SECONDS 3600

const char ledger_grants_schema[] =
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

static const char insert_sql[] =
	"INSERT INTO grants (id, state, subject, dir, issued_ms, expires, changed_ms, due,"
	" key, upload, profile, look_at)"
	" VALUES (?1, 'issued', ?2, ?3, ?4, ?5, ?4, ?6, ?7, ?8, ?9, ?10)";

/* A confirmed upload counts more than anything; of a second failure nothing is learnt. */
static const char set_state_sql[] =
	"UPDATE grants SET state = ?2, reason = ?3, changed_ms = ?4,"
	" due = CASE ?2 WHEN 'rejected' THEN due + ?6 END,"
	" look_at = CASE ?2 WHEN 'pending' THEN look_at END"
	" WHERE id = ?1 AND state <> ?2 AND state NOT IN ('confirmed', 'found')"
	" AND (due IS NOT NULL) = ?5";

static const char look_sql[] =
	"SELECT subject, state, reason, issued_ms, expires FROM grants WHERE id = ?1";
static const char count_uploads_sql[] = "SELECT count(*) FROM uploads WHERE grant_id = ?1";
static const char last_upload_sql[] =
	"SELECT object, etag, mime_type, size, received_ms, confirmed FROM uploads"
	" WHERE grant_id = ?1 ORDER BY id DESC LIMIT 1";

/*
 * Who was down for longer than a grant lives has not looked at the store yet: until then it does
 * not expire, unless nobody looks for as long as old rows are kept. Its `due` goes on, so that it
 * does not stand in the way of others.
 */
#define WAITS "look_at IS NOT NULL AND expires + ?4 > ?1"
static const char expire_sql[] =
	"UPDATE grants SET state = CASE WHEN " WAITS " THEN state ELSE 'expired' END,"
	" changed_ms = CASE WHEN " WAITS " THEN changed_ms ELSE ?1 * 1000 END,"
	" due = ?1 + CASE WHEN " WAITS " THEN ?5 ELSE ?3 END,"
	" look_at = CASE WHEN " WAITS " THEN look_at END"
	" WHERE state = 'issued' AND id IN"
	" (SELECT id FROM grants WHERE due <= ?1 ORDER BY due LIMIT ?2)";
static const char delete_sql[] =
	"DELETE FROM grants WHERE state IN ('expired', 'rejected') AND id IN"
	" (SELECT id FROM grants WHERE due <= ?1 ORDER BY due LIMIT ?2)";
static const char count_open_sql[] = "SELECT count(*) FROM grants WHERE due IS NOT NULL";

const char *grant_state_name(enum grant_state state)
{
	static const char *const names[] = {
		[GRANT_ISSUED] = "issued",
		[GRANT_PENDING] = "pending",
		[GRANT_CONFIRMED] = "confirmed",
		[GRANT_FOUND] = "found",
		[GRANT_REJECTED] = "rejected",
		[GRANT_EXPIRED_UNUSED] = "expired",
	};
	return names[state];
}

/* ---- The table --------------------------------------------------------------------------------
 */

bool ledger_grants_prepare(struct ledger *ledger)
{
	struct ledger_grants *g = &ledger->grants;
	bool ok = ledger_prepare(ledger, insert_sql, &g->insert) &&
		  ledger_prepare(ledger, set_state_sql, &g->set_state) &&
		  ledger_prepare(ledger, look_sql, &g->look) &&
		  ledger_prepare(ledger, count_uploads_sql, &g->count_uploads) &&
		  ledger_prepare(ledger, last_upload_sql, &g->last_upload) &&
		  ledger_prepare(ledger, expire_sql, &g->expire) &&
		  ledger_prepare(ledger, delete_sql, &g->delete) &&
		  ledger_prepare(ledger, count_open_sql, &g->count_open);
	if (ok)
		ledger_grants_recount(ledger);
	return ok;
}

void ledger_grants_release(struct ledger *ledger)
{
	struct ledger_grants *g = &ledger->grants;
	(void)sqlite3_finalize(g->insert);
	(void)sqlite3_finalize(g->set_state);
	(void)sqlite3_finalize(g->look);
	(void)sqlite3_finalize(g->count_uploads);
	(void)sqlite3_finalize(g->last_upload);
	(void)sqlite3_finalize(g->expire);
	(void)sqlite3_finalize(g->delete);
	(void)sqlite3_finalize(g->count_open);
}

void ledger_grants_recount(struct ledger *ledger)
{
	struct ledger_grants *g = &ledger->grants;
	if (sqlite3_step(g->count_open) == SQLITE_ROW)
		g->open = sqlite3_column_int64(g->count_open, 0);
	(void)sqlite3_reset(g->count_open);
	g->now_ms = 0;
	g->issued = 0;
}

void ledger_keep_grants(struct ledger *ledger, int64_t max, int64_t keep_seconds)
{
	ledger->grants.max = max;
	ledger->grants.keep_seconds = keep_seconds;
}

/* A fault is told of once, and is only that of this row. */
static bool fault(struct ledger *ledger, const char *what)
{
	log_error("ledger: %s: %s", what, sqlite3_errmsg(ledger->db));
	return false;
}

/* Of the rows that have a `due`, or of the others; returns how many there were, or -1. */
static int set_state(struct ledger *ledger, struct slice id, enum grant_state state,
	const char *reason, int64_t now_ms, bool with_due)
{
	sqlite3_stmt *s = ledger->grants.set_state;
	bool ok = ledger_bind_text(s, 1, id) &&
		  ledger_bind_text(s, 2, slice_str(grant_state_name(state))) &&
		  (!reason || ledger_bind_text(s, 3, slice_str(reason))) &&
		  sqlite3_bind_int64(s, 4, now_ms) == SQLITE_OK &&
		  sqlite3_bind_int(s, 5, with_due) == SQLITE_OK &&
		  sqlite3_bind_int64(s, 6, ledger->grants.keep_seconds) == SQLITE_OK &&
		  ledger_step(s);
	(void)sqlite3_clear_bindings(s);
	return ok ? sqlite3_changes(ledger->db) : -1;
}

bool ledger_grants_set_state(struct ledger *ledger, struct slice id, enum grant_state state,
	const char *reason, int64_t now_ms)
{
	if (id.len == 0)
		return true;
	int were_open = set_state(ledger, id, state, reason, now_ms, true);
	if (were_open < 0)
		return fault(ledger, "grant");
	if (were_open > 0) {
		ledger->grants.open -= state == GRANT_REJECTED ? 0 : were_open;
		return true;
	}
	return set_state(ledger, id, state, reason, now_ms, false) >= 0 || fault(ledger, "grant");
}

static bool bind_expiry(sqlite3_stmt *s, int64_t keep_seconds)
{
	return sqlite3_bind_int64(s, 3, keep_seconds) == SQLITE_OK &&
	       sqlite3_bind_int64(s, 4, LEDGER_SLACK_SECONDS + keep_seconds) == SQLITE_OK &&
	       sqlite3_bind_int64(s, 5, WAIT_SECONDS) == SQLITE_OK;
}

static bool sweep_step(struct ledger *ledger, sqlite3_stmt *s, int64_t now)
{
	const struct ledger_grants *g = &ledger->grants;
	bool ok = sqlite3_bind_int64(s, 1, now) == SQLITE_OK &&
		  sqlite3_bind_int64(s, 2, 2 * g->issued + SWEEP_MORE) == SQLITE_OK &&
		  (s != g->expire || bind_expiry(s, g->keep_seconds)) && ledger_step(s);
	return ok || fault(ledger, "old grants");
}

bool ledger_grants_sweep(struct ledger *ledger)
{
	struct ledger_grants *g = &ledger->grants;
	if (g->now_ms == 0)
		return true;
	int64_t now = g->now_ms / 1000;
	bool ok = sweep_step(ledger, g->expire, now) && sweep_step(ledger, g->delete, now);
	if (ok)
		g->open -= sqlite3_changes(ledger->db);
	g->now_ms = 0;
	g->issued = 0;
	return ok;
}

/* ---- Issuing ----------------------------------------------------------------------------------
 */

static bool bind_grant(sqlite3_stmt *s, const struct ledger_grant *grant)
{
	return ledger_bind_text(s, 1, grant->id) && ledger_bind_text(s, 2, grant->subject) &&
	       ledger_bind_text(s, 3, grant->dir) &&
	       sqlite3_bind_int64(s, 4, grant->issued_ms) == SQLITE_OK &&
	       sqlite3_bind_int64(s, 5, grant->expires) == SQLITE_OK &&
	       sqlite3_bind_int64(s, 6, grant->due) == SQLITE_OK &&
	       ledger_bind_text(s, 7, grant->key) && ledger_bind_text(s, 8, grant->upload) &&
	       ledger_bind_text(s, 9, grant->profile) &&
	       (grant->look_at == 0 || sqlite3_bind_int64(s, 10, grant->look_at) == SQLITE_OK);
}

static void insert_grant(struct ledger *ledger, struct ledger_job *job)
{
	struct ledger_grant *grant = CONTAINER_OF(job, struct ledger_grant, job_);
	struct ledger_grants *g = &ledger->grants;
	grant->recorded = false;
	if (grant->issued_ms > g->now_ms)
		g->now_ms = grant->issued_ms;
	if (g->open >= g->max)
		return;
	grant->recorded =
		(bind_grant(g->insert, grant) && ledger_step(g->insert)) || fault(ledger, "grant");
	(void)sqlite3_clear_bindings(g->insert);
	g->open += grant->recorded;
	g->issued += grant->recorded;
}

static void finish_grant(struct ledger_job *job, bool synced)
{
	struct ledger_grant *grant = CONTAINER_OF(job, struct ledger_grant, job_);
	grant->recorded = grant->recorded && synced;
	executor_post(grant->home, &grant->done);
}

void ledger_issue(struct ledger *ledger, struct ledger_grant *grant)
{
	grant->job_ = (struct ledger_job){.run = insert_grant, .finish = finish_grant};
	ledger_post(ledger, &grant->job_);
}

/* ---- Issuing, with nobody waiting -------------------------------------------------------------
 */

struct noted {
	struct ledger_grant grant;
	struct ledger *ledger;
	size_t bytes;
	char texts[];
};

static void finish_noted(struct ledger_job *job, bool synced)
{
	struct ledger_grant *grant = CONTAINER_OF(job, struct ledger_grant, job_);
	struct noted *n = CONTAINER_OF(grant, struct noted, grant);
	struct ledger_grants *g = &n->ledger->grants;
	if (!grant->recorded || !synced)
		atomic_fetch_add(&g->unwritten, 1);
	atomic_fetch_sub(&g->noted_bytes, n->bytes);
	free(n);
}

static char *keep(char *at, struct slice *text)
{
	if (text->len > 0)
		memcpy(at, text->ptr, text->len);
	text->ptr = at;
	return at + text->len;
}

bool ledger_note(struct ledger *ledger, const struct ledger_grant *grant)
{
	struct ledger_grants *g = &ledger->grants;
	size_t texts = grant->id.len + grant->subject.len + grant->dir.len + grant->key.len +
		       grant->upload.len + grant->profile.len;
	size_t bytes = sizeof(struct noted) + texts;
	if (atomic_fetch_add(&g->noted_bytes, bytes) + bytes > LIMIT_GRANTS_WAITING_BYTES) {
		atomic_fetch_sub(&g->noted_bytes, bytes);
		return false;
	}
	struct noted *n = malloc(bytes);
	if (!n) {
		atomic_fetch_sub(&g->noted_bytes, bytes);
		return false;
	}
	n->grant = *grant;
	n->ledger = ledger;
	n->bytes = bytes;
	char *at = keep(n->texts, &n->grant.id);
	at = keep(at, &n->grant.subject);
	at = keep(at, &n->grant.dir);
	at = keep(at, &n->grant.key);
	at = keep(at, &n->grant.upload);
	(void)keep(at, &n->grant.profile);
	n->grant.job_ = (struct ledger_job){.run = insert_grant, .finish = finish_noted};
	ledger_post(ledger, &n->grant.job_);
	return true;
}

uint64_t ledger_unwritten(const struct ledger *ledger)
{
	return atomic_load(&ledger->grants.unwritten);
}

/* ---- Settling ---------------------------------------------------------------------------------
 */

struct settling {
	struct ledger_job job;
	enum grant_state state;
	const char *reason; /* behind the id, or NULL */
	int64_t now_ms;
	size_t id_len;
	char id[];
};

static void run_settling(struct ledger *ledger, struct ledger_job *job)
{
	const struct settling *s = CONTAINER_OF(job, struct settling, job);
	(void)!ledger_grants_set_state(
		ledger, slice_of(s->id, s->id_len), s->state, s->reason, s->now_ms);
}

static void finish_settling(struct ledger_job *job, bool synced)
{
	(void)synced;
	free(CONTAINER_OF(job, struct settling, job));
}

void ledger_set_state(struct ledger *ledger, struct slice id, enum grant_state state,
	const char *reason, int64_t now_ms)
{
	size_t reason_size = reason ? strlen(reason) + 1 : 0;
	struct settling *s = calloc(1, sizeof(*s) + id.len + reason_size);
	if (!s)
		return;
	s->job = (struct ledger_job){.run = run_settling, .finish = finish_settling};
	s->state = state;
	if (reason)
		s->reason = memcpy(s->id + id.len, reason, reason_size);
	s->now_ms = now_ms;
	s->id_len = id.len;
	memcpy(s->id, id.ptr, id.len);
	ledger_post(ledger, &s->job);
}

/* ---- Asking -----------------------------------------------------------------------------------
 */

/* False without memory. */
static bool column(struct ledger_question *q, sqlite3_stmt *s, int at, struct slice *ret)
{
	const unsigned char *text = sqlite3_column_text(s, at);
	*ret = arena_copy(&q->arena_,
		slice_of(text ? (const char *)text : "", (size_t)sqlite3_column_bytes(s, at)));
	return ret->ptr != NULL;
}

static bool read_grant(struct ledger_question *q, sqlite3_stmt *s)
{
	q->found = true;
	q->issued_ms = sqlite3_column_int64(s, 3);
	q->expires = sqlite3_column_int64(s, 4);
	return column(q, s, 0, &q->subject) && column(q, s, 1, &q->state) &&
	       column(q, s, 2, &q->reason);
}

static bool read_count(struct ledger_question *q, sqlite3_stmt *s)
{
	q->uploads = sqlite3_column_int64(s, 0);
	return true;
}

static bool read_upload(struct ledger_question *q, sqlite3_stmt *s)
{
	q->size = sqlite3_column_type(s, 3) == SQLITE_NULL ? -1 : sqlite3_column_int64(s, 3);
	q->received_ms = sqlite3_column_int64(s, 4);
	q->confirmed = sqlite3_column_int(s, 5);
	return column(q, s, 0, &q->object) && column(q, s, 1, &q->etag) &&
	       column(q, s, 2, &q->mime_type);
}

static bool look(struct ledger_question *q, sqlite3_stmt *s,
	bool (*read)(struct ledger_question *q, sqlite3_stmt *s))
{
	int result = ledger_bind_text(s, 1, q->id) ? sqlite3_step(s) : SQLITE_ERROR;
	bool ok = result == SQLITE_DONE || (result == SQLITE_ROW && read(q, s));
	(void)sqlite3_reset(s);
	(void)sqlite3_clear_bindings(s);
	return ok;
}

static void run_question(struct ledger *ledger, struct ledger_job *job)
{
	struct ledger_question *q = CONTAINER_OF(job, struct ledger_question, job_);
	const struct ledger_grants *g = &ledger->grants;
	q->failed = !look(q, g->look, read_grant) || !look(q, g->count_uploads, read_count) ||
		    !look(q, g->last_upload, read_upload);
	if (q->failed)
		(void)fault(ledger, "looking up a grant");
}

static void finish_question(struct ledger_job *job, bool synced)
{
	struct ledger_question *q = CONTAINER_OF(job, struct ledger_question, job_);
	q->failed = q->failed || !synced;
	executor_post(q->home, &q->done);
}

void ledger_ask(struct ledger *ledger, struct ledger_question *question)
{
	arena_init(&question->arena_, NULL, 0, QUESTION_BYTES_MAX);
	question->job_ = (struct ledger_job){.run = run_question, .finish = finish_question};
	ledger_post(ledger, &question->job_);
}

void ledger_question_release(struct ledger_question *question)
{
	arena_reset(&question->arena_);
}
