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

#define STATEMENTS(looks)                                               \
	{                                                               \
		{&(looks)->due, due_sql}, {&(looks)->later, later_sql}, \
			{&(looks)->hold, hold_sql},                     \
		{                                                       \
			0                                               \
		}                                                       \
	}

bool ledger_look_prepare(struct ledger *ledger)
{
	const struct ledger_statement statements[] = STATEMENTS(&ledger->looks);
	return ledger_prepare(ledger, statements);
}

void ledger_look_release(struct ledger *ledger)
{
	const struct ledger_statement statements[] = STATEMENTS(&ledger->looks);
	ledger_release(statements);
}

/* ---- What is due ------------------------------------------------------------------------------
 */

static bool column(struct ledger_due *due, int at, struct slice *ret)
{
	*ret = arena_copy(&due->arena_, sql_get_text(due->job_.ledger->looks.due, at));
	return ret->ptr != NULL;
}

static bool read_row(struct ledger_due *due)
{
	const struct ledger *ledger = due->job_.ledger;
	struct ledger_due_grant *row = &due->rows[due->count];
	if (!column(due, 0, &row->id) || !column(due, 1, &row->key) ||
		!column(due, 2, &row->upload) || !column(due, 3, &row->profile))
		return false;
	row->expires = sql_get_number(ledger->looks.due, 4);
	row->look_at = sql_get_number(ledger->looks.due, 5);
	row->pending = sql_get_number(ledger->looks.due, 6) == 1;
	due->count++;
	return true;
}

static bool read_rows(struct ledger *ledger, struct ledger_due *due)
{
	const struct sql_value values[] = {sql_number(due->now), sql_number(LEDGER_DUE_MAX),
		sql_number(due->after_look_at), sql_text(slice_str(due->after_id))};
	enum sql_step step = sql_first(ledger->looks.due, values, ARRAY_LEN(values));
	bool ok = true;
	while (ok && step == SQL_ROW) {
		ok = read_row(due);
		if (ok)
			step = sql_next(ledger->looks.due);
	}
	sql_end(ledger->looks.due);
	return ok && step == SQL_DONE;
}

static void run_due(struct ledger *ledger, struct ledger_job *job)
{
	struct ledger_due *due = CONTAINER_OF(job, struct ledger_due, job_);
	due->count = 0;
	arena_reset(&due->arena_);
	/* So that what is old goes even if nobody asks for grants. */
	if (due->now * 1000 > ledger->grants.now_ms)
		ledger->grants.now_ms = due->now * 1000;
	due->failed = ledger_leads(ledger) && !read_rows(ledger, due);
	if (due->failed)
		(void)ledger_fault(ledger, "grants to look at");
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
	const struct sql_value values[] = {
		sql_text(slice_of(later->id, later->id_len)), sql_known_number(later->look_at)};
	if (!sql_run(ledger->looks.later, values, ARRAY_LEN(values)))
		(void)ledger_fault(ledger, "grant");
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
	struct sql_statement *s = ledger->looks.hold;
	const struct sql_value values[] = {
		sql_text(hold->id), sql_number(hold->now_ms / 1000), sql_text(hold->key)};
	bool ok = sql_run(s, values, ARRAY_LEN(values)) || ledger_fault(ledger, "grant");
	hold->held = ok && sql_changes(s) > 0 &&
		     ledger_grants_set_state(ledger, &(const struct ledger_change){.id = hold->id,
							     .state = GRANT_PENDING,
							     .reason = hold->reason,
							     .now_ms = hold->now_ms});
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
