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

static const char insert_sql[] =
	"INSERT INTO grants (id, state, subject, dir, issued_ms, expires, changed_ms, due,"
	" key, upload, profile, look_at, variables)"
	" VALUES (?1, 'issued', ?2, ?3, ?4, ?5, ?4, ?6, ?7, ?8, ?9, ?10, ?11)"
	" ON CONFLICT (id) DO NOTHING";

/* A confirmed upload counts more than anything; of a second failure nothing is learnt. */
#define SET_STATE                                                                \
	"UPDATE grants SET state = ?2, reason = ?3, changed_ms = ?4,"            \
	" due = CASE ?2 WHEN 'rejected' THEN due + ?6 END,"                      \
	" look_at = CASE ?2 WHEN 'pending' THEN look_at END"                     \
	" WHERE id = ?1 AND state <> ?2 AND state NOT IN ('confirmed', 'found')" \
	" AND (due IS NOT NULL) = ?5"
static const char set_state_sql[] = SET_STATE;
/* Of what was rejected an event tells. */
static const char reject_sql[] =
	SET_STATE " RETURNING subject, profile, dir, key, issued_ms, expires, variables";

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
#define NOW "CAST(?1 AS BIGINT)"
#define WAITS "look_at IS NOT NULL AND expires + ?4 > " NOW
static const char expire_sql[] =
	"UPDATE grants SET state = CASE WHEN " WAITS " THEN state ELSE 'expired' END,"
	" changed_ms = CASE WHEN " WAITS " THEN changed_ms ELSE " NOW " * 1000 END,"
	" due = " NOW " + CASE WHEN " WAITS " THEN CAST(?5 AS BIGINT) ELSE CAST(?3 AS BIGINT) END,"
	" look_at = CASE WHEN " WAITS " THEN look_at END"
	" WHERE state = 'issued' AND id IN"
	" (SELECT id FROM grants WHERE due <= " NOW " ORDER BY due LIMIT ?2)"
	" RETURNING subject, profile, dir, key, issued_ms, expires, variables, id, state";
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

#define STATEMENTS(grants)                                                                \
	{                                                                                 \
		{&(grants)->insert, insert_sql}, {&(grants)->set_state, set_state_sql},   \
			{&(grants)->reject, reject_sql}, {&(grants)->look, look_sql},     \
			{&(grants)->count_uploads, count_uploads_sql},                    \
			{&(grants)->last_upload, last_upload_sql},                        \
			{&(grants)->expire, expire_sql}, {&(grants)->delete, delete_sql}, \
			{&(grants)->count_open, count_open_sql},                          \
		{                                                                         \
			0                                                                 \
		}                                                                         \
	}

bool ledger_grants_prepare(struct ledger *ledger)
{
	const struct ledger_statement statements[] = STATEMENTS(&ledger->grants);
	return ledger_prepare(ledger, statements);
}

void ledger_grants_release(struct ledger *ledger)
{
	const struct ledger_statement statements[] = STATEMENTS(&ledger->grants);
	ledger_release(statements);
}

void ledger_grants_recount(struct ledger *ledger)
{
	struct ledger_grants *g = &ledger->grants;
	if (sql_first(g->count_open, NULL, 0) == SQL_ROW)
		g->open = sql_get_number(g->count_open, 0);
	sql_end(g->count_open);
	g->now_ms = 0;
	g->issued = 0;
}

void ledger_keep_grants(struct ledger *ledger, int64_t max, int64_t keep_seconds)
{
	ledger->grants.max = max;
	ledger->grants.keep_seconds = keep_seconds;
}

/* The row of a statement that returns what events tell of a grant. */
static struct ledger_event_grant row_of(struct sql_statement *s)
{
	return (struct ledger_event_grant){.subject = sql_get_text(s, 0),
		.profile = sql_get_text(s, 1),
		.dir = sql_get_text(s, 2),
		.key = sql_get_text(s, 3),
		.issued_ms = sql_get_number(s, 4),
		.expires = sql_get_number(s, 5),
		.variables = sql_get_text(s, 6)};
}

static bool tell_of_rejected(struct ledger *ledger, const struct ledger_change *change)
{
	struct ledger_event_grant row = row_of(ledger->grants.reject);
	row.id = change->id;
	row.state = slice_str(grant_state_name(change->state));
	row.reason = slice_str(change->reason ? change->reason : "");
	row.trace = change->trace;
	row.changed_ms = change->now_ms;
	return ledger_events_of_grant(ledger, &row);
}

/* Of the rows that have a `due`, or of the others; returns how many there were, or -1. */
static int set_state(struct ledger *ledger, const struct ledger_change *change, bool with_due)
{
	bool rejects = change->state == GRANT_REJECTED;
	struct sql_statement *s = rejects ? ledger->grants.reject : ledger->grants.set_state;
	const struct sql_value values[] = {sql_text(change->id),
		sql_text(slice_str(grant_state_name(change->state))),
		change->reason ? sql_text(slice_str(change->reason)) : sql_null(),
		sql_number(change->now_ms), sql_number(with_due),
		sql_number(ledger->grants.keep_seconds)};
	enum sql_step step = sql_first(s, values, ARRAY_LEN(values));
	bool ok = step != SQL_FAULT;
	if (step == SQL_ROW)
		ok = tell_of_rejected(ledger, change) && sql_next(s) == SQL_DONE;
	int count = ok ? (int)sql_changes(s) : -1;
	sql_end(s);
	return count;
}

bool ledger_grants_set_state(struct ledger *ledger, const struct ledger_change *change)
{
	if (change->id.len == 0)
		return true;
	int were_open = set_state(ledger, change, true);
	if (were_open < 0)
		return ledger_fault(ledger, "grant");
	if (were_open > 0) {
		ledger->grants.open -= change->state == GRANT_REJECTED ? 0 : were_open;
		return true;
	}
	return set_state(ledger, change, false) >= 0 || ledger_fault(ledger, "grant");
}

/* One that still waits to be looked at is a row, too. */
static bool tell_of_expired(struct ledger *ledger, int64_t now)
{
	struct sql_statement *s = ledger->grants.expire;
	struct ledger_event_grant row = row_of(s);
	row.id = sql_get_text(s, 7);
	row.state = sql_get_text(s, 8);
	row.changed_ms = now * 1000;
	return !slice_eq(row.state, S("expired")) || ledger_events_of_grant(ledger, &row);
}

static bool expire(struct ledger *ledger, int64_t now, int64_t rows)
{
	const struct ledger_grants *g = &ledger->grants;
	const struct sql_value values[] = {sql_number(now), sql_number(rows),
		sql_number(g->keep_seconds), sql_number(LEDGER_SLACK_SECONDS + g->keep_seconds),
		sql_number(WAIT_SECONDS)};
	enum sql_step step = sql_first(g->expire, values, ARRAY_LEN(values));
	bool ok = true;
	while (ok && step == SQL_ROW) {
		ok = tell_of_expired(ledger, now);
		if (ok)
			step = sql_next(g->expire);
	}
	sql_end(g->expire);
	return ok && step == SQL_DONE;
}

bool ledger_grants_sweep(struct ledger *ledger)
{
	struct ledger_grants *g = &ledger->grants;
	if (g->now_ms == 0)
		return true;
	int64_t now = g->now_ms / 1000, rows = 2 * g->issued + SWEEP_MORE;
	const struct sql_value values[] = {sql_number(now), sql_number(rows)};
	bool ok = expire(ledger, now, rows) && sql_run(g->delete, values, ARRAY_LEN(values));
	if (ok)
		g->open -= sql_changes(g->delete);
	g->now_ms = 0;
	g->issued = 0;
	return ok || ledger_fault(ledger, "old grants");
}

/* ---- Issuing ----------------------------------------------------------------------------------
 */

static bool insert(struct ledger *ledger, const struct ledger_grant *grant)
{
	struct sql_statement *s = ledger->grants.insert;
	const struct sql_value values[] = {sql_text(grant->id), sql_text(grant->subject),
		sql_text(grant->dir), sql_number(grant->issued_ms), sql_number(grant->expires),
		sql_number(grant->due), sql_text(grant->key), sql_text(grant->upload),
		sql_text(grant->profile),
		grant->look_at == 0 ? sql_null() : sql_number(grant->look_at),
		sql_text(grant->variables)};
	return sql_run(s, values, ARRAY_LEN(values)) ? sql_changes(s) == 1
						     : ledger_fault(ledger, "grant");
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
	grant->recorded = insert(ledger, grant);
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
		       grant->upload.len + grant->profile.len + grant->variables.len;
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
	at = keep(at, &n->grant.profile);
	(void)keep(at, &n->grant.variables);
	n->grant.job_ = (struct ledger_job){.run = insert_grant, .finish = finish_noted};
	ledger_post_later(ledger, &n->grant.job_);
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
	struct ledger_change change;
	char texts[]; /* its id, its trace, and the reason with a NUL */
};

static void run_settling(struct ledger *ledger, struct ledger_job *job)
{
	(void)!ledger_grants_set_state(ledger, &CONTAINER_OF(job, struct settling, job)->change);
}

static void finish_settling(struct ledger_job *job, bool synced)
{
	(void)synced;
	free(CONTAINER_OF(job, struct settling, job));
}

void ledger_set_state(struct ledger *ledger, const struct ledger_change *change)
{
	size_t reason_size = change->reason ? strlen(change->reason) + 1 : 0;
	struct settling *s =
		calloc(1, sizeof(*s) + change->id.len + change->trace.len + reason_size);
	if (!s)
		return;
	s->job = (struct ledger_job){.run = run_settling, .finish = finish_settling};
	s->change = *change;
	char *at = keep(s->texts, &s->change.id);
	at = keep(at, &s->change.trace);
	if (change->reason)
		s->change.reason = memcpy(at, change->reason, reason_size);
	ledger_post(ledger, &s->job);
}

/* ---- Asking -----------------------------------------------------------------------------------
 */

/* False without memory. */
static bool column(struct ledger_question *q, struct sql_statement *s, int at, struct slice *ret)
{
	*ret = arena_copy(&q->arena_, sql_get_text(s, at));
	return ret->ptr != NULL;
}

static bool read_grant(struct ledger_question *q, struct sql_statement *s)
{
	q->found = true;
	q->issued_ms = sql_get_number(s, 3);
	q->expires = sql_get_number(s, 4);
	return column(q, s, 0, &q->subject) && column(q, s, 1, &q->state) &&
	       column(q, s, 2, &q->reason);
}

static bool read_count(struct ledger_question *q, struct sql_statement *s)
{
	q->uploads = sql_get_number(s, 0);
	return true;
}

static bool read_upload(struct ledger_question *q, struct sql_statement *s)
{
	q->size = sql_is_null(s, 3) ? -1 : sql_get_number(s, 3);
	q->received_ms = sql_get_number(s, 4);
	q->confirmed = sql_get_number(s, 5) != 0;
	return column(q, s, 0, &q->object) && column(q, s, 1, &q->etag) &&
	       column(q, s, 2, &q->mime_type);
}

static bool look(struct ledger_question *q, struct sql_statement *s,
	bool (*read)(struct ledger_question *q, struct sql_statement *s))
{
	const struct sql_value id = sql_text(q->id);
	enum sql_step step = sql_first(s, &id, 1);
	bool ok = step == SQL_DONE || (step == SQL_ROW && read(q, s));
	sql_end(s);
	return ok;
}

static void run_question(struct ledger *ledger, struct ledger_job *job)
{
	struct ledger_question *q = CONTAINER_OF(job, struct ledger_question, job_);
	const struct ledger_grants *g = &ledger->grants;
	arena_reset(&q->arena_);
	q->found = false;
	q->failed = !look(q, g->look, read_grant) || !look(q, g->count_uploads, read_count) ||
		    !look(q, g->last_upload, read_upload);
	if (q->failed)
		(void)ledger_fault(ledger, "looking up a grant");
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
