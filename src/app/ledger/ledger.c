/* SPDX-License-Identifier: Apache-2.0 */
#include "app/ledger/ledger.h"

#include <stdlib.h>

#include "app/ledger/ledger_internal.h"
#include "app/ledger/postgres/postgres.h"
#include "app/ledger/sqlite/sqlite.h"
#include "base/clock.h"
#include "base/limits.h"
#include "base/log.h"

/* ---- On the ledger's thread -------------------------------------------------------------------
 */

bool ledger_fault(struct ledger *ledger, const char *what)
{
	const char *why = sql_why(ledger->sql);
	if (why && !(ledger->broken && ledger->sql->shared))
		log_error("ledger: %s: %s", what, why);
	/* Nothing else of the transaction can succeed. */
	ledger->broken = ledger->broken || ledger->sql->shared;
	return false;
}

bool ledger_leads(struct ledger *ledger)
{
	bool leads = sql_lead(ledger->sql);
	if (ledger->sql->shared && leads != atomic_exchange(&ledger->leads, leads))
		log_info(leads ? "ledger: this copy asks the store and delivers events"
			       : "ledger: another copy asks the store and delivers events");
	return leads;
}

static void on_job(struct task *task)
{
	struct ledger_job *job = CONTAINER_OF(task, struct ledger_job, task);
	struct ledger *ledger = job->ledger;
	job->next = NULL;
	*ledger->batch_last = job;
	ledger->batch_last = &job->next;
}

static void recount(struct ledger *ledger)
{
	ledger_grants_recount(ledger);
	ledger_events_recount(ledger);
	ledger->counted_ms = clock_monotonic_ms();
}

/* Others write, too: what is counted here is right now and then. */
static void recount_shared(struct ledger *ledger)
{
	if (ledger->sql->shared &&
		clock_monotonic_ms() - ledger->counted_ms >= LIMIT_LEDGER_RECOUNT_MS)
		recount(ledger);
}

/* The jobs from `job` on, before `end`. */
static bool run_jobs(struct ledger *ledger, struct ledger_job *job, const struct ledger_job *end)
{
	recount_shared(ledger);
	for (; job != end && !(ledger->broken && ledger->sql->shared); job = job->next)
		job->run(ledger, job);
	return !ledger->broken && ledger_grants_sweep(ledger) && sql_commit(ledger->sql);
}

/* What was counted in a transaction that failed is not so. */
static void forget(struct ledger *ledger)
{
	ledger->events.fresh = false;
	if (ledger->sql->shared)
		ledger->counted_ms = INT64_MIN / 2;
	else
		recount(ledger);
}

enum outcome {
	NOT_BEGUN,
	FAILED,
	SYNCED,
};

static enum outcome run_transaction(
	struct ledger *ledger, struct ledger_job *job, const struct ledger_job *end)
{
	enum outcome outcome = NOT_BEGUN;
	ledger->broken = false;
	if (sql_begin(ledger->sql))
		outcome = run_jobs(ledger, job, end) ? SYNCED : FAILED;
	if (outcome != SYNCED) {
		(void)ledger_fault(ledger, "transaction");
		sql_rollback(ledger->sql);
		forget(ledger);
	}
	atomic_store(&ledger->fails, outcome == NOT_BEGUN || !sql_is_there(ledger->sql));
	return outcome;
}

/* They are told only when the transaction has ended: `finish` frees jobs. */
static void finish(struct ledger_job *job, const struct ledger_job *end, bool synced)
{
	while (job != end) {
		struct ledger_job *next = job->next;
		job->finish(job, synced);
		job = next;
	}
}

/* One that fails can be the end of a transaction: the others must not suffer for it. */
static void run_apart(struct ledger *ledger, struct ledger_job *job)
{
	while (job) {
		struct ledger_job *next = job->next;
		finish(job, next, run_transaction(ledger, job, next) == SYNCED);
		job = next;
	}
}

static void run_batch(struct ledger *ledger, struct ledger_job *batch)
{
	enum outcome outcome = run_transaction(ledger, batch, NULL);
	if (outcome == FAILED && batch->next && ledger->broken && sql_is_there(ledger->sql))
		run_apart(ledger, batch);
	else
		finish(batch, NULL, outcome == SYNCED);
	ledger_events_written(ledger);
}

static void on_batch(struct task *list, void *state)
{
	struct ledger *ledger = state;
	thread_queue_run(list);
	struct ledger_job *batch = ledger->batch;
	ledger->batch = NULL;
	ledger->batch_last = &ledger->batch;
	if (batch) {
		run_batch(ledger, batch);
		return;
	}
	sql_tend(ledger->sql);
	atomic_store(&ledger->fails, !sql_is_there(ledger->sql));
}

static int64_t due_ms(void *state)
{
	struct ledger *ledger = state;
	return sql_due_ms(ledger->sql);
}

/* ---- Opening and closing ----------------------------------------------------------------------
 */

bool ledger_prepare(struct ledger *ledger, const struct ledger_statement *statements)
{
	for (; statements->text; statements++)
		if (!sql_prepare(ledger->sql, statements->text, statements->at))
			return false;
	return true;
}

void ledger_release(const struct ledger_statement *statements)
{
	for (; statements->text; statements++)
		sql_release(*statements->at);
}

static bool open_database(const struct ledger_place *place, struct sql **ret)
{
	return place->url ? postgres_open(place->url, place->password, ret)
			  : sqlite_open(place->path, ret);
}

const char *ledger_check_url(const char *url)
{
	return postgres_check_url(url);
}

void ledger_files(const char *url, void (*add)(void *ctx, const char *path, bool named), void *ctx)
{
	postgres_files(url, add, ctx);
}

/* Counts, in a transaction of its own. */
static bool begin_counting(struct ledger *ledger)
{
	if (!sql_begin(ledger->sql))
		return false;
	recount(ledger);
	return sql_commit(ledger->sql);
}

static bool prepare(struct ledger *ledger)
{
	return (ledger_uploads_prepare(ledger) && ledger_grants_prepare(ledger) &&
		       ledger_look_prepare(ledger) && ledger_hashes_prepare(ledger) &&
		       begin_counting(ledger)) ||
	       ledger_fault(ledger, "opening");
}

enum err ledger_open(const struct ledger_place *place, struct ledger **ret)
{
	struct ledger *ledger = calloc(1, sizeof(*ledger));
	if (!ledger)
		return ERR_UNAVAILABLE;
	ledger->batch_last = &ledger->batch;
	if (!open_database(place, &ledger->sql) || !prepare(ledger)) {
		ledger_close(ledger);
		return ERR_INTERNAL;
	}
	const struct thread_queue_options options = {.name = "ledger",
		.duty = place->url ? THREAD_SERVERS : THREAD_DISK,
		.batch = on_batch,
		.due_ms = due_ms,
		.state = ledger};
	enum err e = thread_queue_new(&options, &ledger->queue);
	if (e) {
		ledger_close(ledger);
		return e;
	}
	*ret = ledger;
	return ERR_OK;
}

void ledger_post(struct ledger *ledger, struct ledger_job *job)
{
	job->ledger = ledger;
	job->task.run = on_job;
	thread_queue_add(ledger->queue, &job->task);
}

void ledger_post_later(struct ledger *ledger, struct ledger_job *job)
{
	job->ledger = ledger;
	job->task.run = on_job;
	thread_queue_add_later(ledger->queue, &job->task, LIMIT_GRANT_NOTE_MS);
}

void ledger_stats(const struct ledger *ledger, struct ledger_stats *ret)
{
	*ret = (struct ledger_stats){.shared = ledger->sql->shared,
		.reachable = !ledger->sql->shared || !atomic_load(&ledger->fails),
		.leads = !ledger->sql->shared || atomic_load(&ledger->leads)};
}

void ledger_close(struct ledger *ledger)
{
	if (!ledger)
		return;
	thread_queue_free(ledger->queue);
	ledger_uploads_release(ledger);
	ledger_grants_release(ledger);
	ledger_look_release(ledger);
	ledger_hashes_release(ledger);
	ledger_events_release(ledger);
	sql_close(ledger->sql);
	free(ledger);
}
