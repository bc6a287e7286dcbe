/* SPDX-License-Identifier: Apache-2.0 */
#include "app/reconciler.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "app/app_internal.h"
#include "base/encode.h"
#include "base/log.h"
#include "base/thread_queue.h"
#include "base/waiter.h"

/* A form that was posted in time can arrive for a day: the second look, before that ends. */
#define LAST_LOOK_SECONDS 600
#define NEVER (-1)

struct reconciler {
	struct app *app;
	struct thread_queue *queue; /* a thread, for answers of checks and for its times */
	atomic_bool stopping;

	/* ---- The thread's own. ---- */
	struct waiter waiter;
	int64_t pass_ms; /* monotonic: when the next pass over all grants begins */
	bool passing;    /* one is under way: */
	struct ledger_due due;
	struct look *checking; /* whose uploads are checked; others go on meanwhile */
	size_t checks[2];      /* how many of these ask clamd, which may hang: the second */
};

/* A grant that is looked at. */
struct look {
	struct reconciler *r;
	struct look *next;
	struct ledger_due_grant grant;
	struct judging judging;
	struct app_confirmation found;
	struct check check;
	struct arena arena; /* what `grant` points to */
};

enum looked {
	LOOKED_RECORDED,
	LOOKED_NOTHING, /* there is no object of this grant */
	LOOKED_FAILED,
	LOOKED_CHECKING, /* it is not decided yet: on_checked() */
};

static int64_t now(const struct reconciler *r)
{
	return clock_wall_ms(r->app->parts.clock) / 1000;
}

static void look_later(struct reconciler *r, const struct ledger_due_grant *grant)
{
	ledger_look_later(
		r->app->parts.ledger, grant->id, now(r) + r->app->settings.reconcile_seconds);
}

/* ---- One grant --------------------------------------------------------------------------------
 */

/* NULL is allowed. */
static void look_free(struct look *l)
{
	if (!l)
		return;
	app_confirmation_release(&l->found);
	judging_release(&l->judging);
	arena_reset(&l->arena);
	free(l);
}

/* NULL without memory. */
static struct look *look_new(struct reconciler *r, const struct ledger_due_grant *grant)
{
	struct look *l = calloc(1, sizeof(*l));
	if (!l)
		return NULL;
	*l = (struct look){.r = r, .grant = *grant};
	SCOPED_RULES struct rules *rules = rules_history_now(&r->app->rules);
	(void)rules_history_judge(&r->app->rules, rules, grant->profile, ticket_id_time(grant->id),
		now(r), &l->judging);
	arena_init(&l->arena, NULL, 0, KIB(8));
	struct slice *const texts[] = {
		&l->grant.id, &l->grant.key, &l->grant.upload, &l->grant.profile};
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		*texts[i] = arena_copy(&l->arena, *texts[i]);
		if (texts[i]->ptr)
			continue;
		look_free(l);
		return NULL;
	}
	return l;
}

static enum looked record(struct look *l)
{
	struct reconciler *r = l->r;
	struct ledger_entry entry;
	app_fill_found(r->app, &l->found, l->grant.id, &l->judging, &entry);
	entry.home = waiter_expect(&r->waiter, &entry.done);
	ledger_record(r->app->parts.ledger, &entry);
	waiter_wait(&r->waiter);
	if (entry.result == LEDGER_RECORDED) {
		outcomes_count_grant(r->app->outcomes, l->judging.profile->name, OUTCOME_FOUND);
		log_info("grant=%.*s no callback has decided it, but the object is there",
			SLICE_FMT(l->grant.id));
	}
	return entry.result == LEDGER_FAILED ? LOOKED_FAILED : LOOKED_RECORDED;
}

/* What the checks have come to. */
static enum looked judge(struct look *l)
{
	enum check_verdict verdict = l->check.verdict;
	enum profile_unknown on_unknown = l->judging.profile->on_unknown;
	bool judged = verdict == CHECK_PASSED || verdict == CHECK_REFUSED;
	bool is_over = now(l->r) >= l->grant.expires + TICKET_SLACK_SECONDS;
	if (atomic_load(&l->r->stopping))
		return LOOKED_FAILED;
	if (verdict == CHECK_PASSED || (!judged && on_unknown == PROFILE_UNKNOWN_ACCEPT))
		return record(l);
	if (!judged && on_unknown == PROFILE_UNKNOWN_PENDING && !is_over)
		return LOOKED_FAILED;
	log_info("grant=%.*s %s", SLICE_FMT(l->grant.id), l->check.reason);
	app_reject_grant(l->r->app, l->judging.profile->name, l->grant.id, l->check.reason,
		l->grant.key, S(""));
	return LOOKED_RECORDED;
}

static void on_checked(struct task *task);

static enum looked begin_check(struct look *l)
{
	struct reconciler *r = l->r;
	l->check = (struct check){.rules = l->judging.rules,
		.profile = l->judging.profile,
		.object = &l->found,
		.deadline_ms = clock_monotonic_ms() + LIMIT_CHECK_MS,
		.home = thread_queue_executor(r->queue),
		.done.run = on_checked};
	l->next = r->checking;
	r->checking = l;
	r->checks[l->judging.profile->checks.virus]++;
	check_begin(r->app, &l->check);
	return LOOKED_CHECKING;
}

static enum looked decide(struct look *l)
{
	if (l->found.size > (uint64_t)l->judging.max_size) {
		log_error("grant=%.*s %s", SLICE_FMT(l->grant.id), APP_TOO_LARGE);
		app_reject_grant(l->r->app, l->judging.profile->name, l->grant.id, APP_TOO_LARGE,
			l->grant.key, S(""));
		return LOOKED_RECORDED;
	}
	return check_is_needed(l->judging.profile) ? begin_check(l) : record(l);
}

static enum looked look(struct look *l)
{
	struct reconciler *r = l->r;
	/* Without callbacks nothing is recorded. */
	if ((!atomic_load(&r->app->confirms) && !l->judging.profile->checks.any) ||
		r->app->settings.callback_url.len == 0)
		return LOOKED_NOTHING;
	app_confirmation_release(&l->found);
	l->found =
		(struct app_confirmation){.key = l->grant.key, .timeout_ms = LIMIT_APP_CALLBACK_MS};
	l->found.home = waiter_expect(&r->waiter, &l->found.done);
	app_confirm(r->app, &l->found);
	waiter_wait(&r->waiter);
	if (l->found.found && slice_eq(l->found.grant_id, l->grant.id))
		return decide(l);
	return !l->found.found && l->found.status != 404 ? LOOKED_FAILED : LOOKED_NOTHING;
}

enum aborted {
	ABORTED,
	ABORTED_NOTHING, /* there is no such upload */
	ABORT_FAILED,
};

static enum aborted abort_upload(struct reconciler *r, const struct ledger_due_grant *grant)
{
	SCOPED_STRBUF(query, KIB(4));
	strbuf_adds(&query, "uploadId=");
	percent_encode(&query, grant->upload);
	struct store_request request = {.method = S("DELETE"),
		.key = grant->key,
		.query = strbuf_slice(&query),
		.class = OUTGOING_STORE,
		.max_answer_bytes = LIMIT_PARTS_ANSWER_BYTES,
		.timeout_ms = LIMIT_APP_CALLBACK_MS};
	request.home = waiter_expect(&r->waiter, &request.done);
	store_request_send(r->app, r->app->parts.outgoing, &request);
	waiter_wait(&r->waiter);
	enum aborted result = request.status == 204   ? ABORTED
			      : request.status == 404 ? ABORTED_NOTHING
						      : ABORT_FAILED;
	if (request.status == 204) {
		atomic_fetch_add(&r->app->aborted, 1);
		log_info("grant=%.*s the upload in parts was not finished in time, and is aborted",
			SLICE_FMT(grant->id));
	}
	store_request_release(&request);
	return result;
}

/* Ends an upload in parts. */
static enum looked finish_upload(struct look *l)
{
	switch (abort_upload(l->r, &l->grant)) {
	case ABORTED:
		return LOOKED_NOTHING;
	case ABORTED_NOTHING:
		/* It may have been completed since we looked. */
		return look(l);
	case ABORT_FAILED:
		break;
	}
	return LOOKED_FAILED;
}

/* A form that began in time may arrive late: each look is four times as late as the one before. */
static int64_t look_again_at(const struct reconciler *r, const struct ledger_due_grant *grant)
{
	int64_t last = grant->expires + TICKET_SLACK_SECONDS - LAST_LOOK_SECONDS;
	int64_t late = now(r) - grant->expires;
	if (late < r->app->settings.reconcile_seconds)
		late = r->app->settings.reconcile_seconds;
	int64_t next = now(r) + 3 * late;
	if (now(r) >= last)
		return NEVER;
	return next < last ? next : last;
}

/* Unless it is being checked. */
static void finish(struct look *l, enum looked looked)
{
	struct reconciler *r = l->r;
	const struct ledger_due_grant *grant = &l->grant;
	/* It would be pending for ever. */
	if (looked == LOOKED_NOTHING && grant->pending) {
		log_info("grant=%.*s %s", SLICE_FMT(grant->id), APP_GONE);
		app_reject_grant(r->app, grant->profile, grant->id, APP_GONE, grant->key, S(""));
		looked = LOOKED_RECORDED;
	}
	/* A grant that was recorded has no time any more, whatever is set here. */
	int64_t next = NEVER;
	if (looked == LOOKED_NOTHING && grant->upload.len == 0)
		next = look_again_at(r, grant);
	if (looked == LOOKED_FAILED)
		look_later(r, grant);
	else
		ledger_look_later(r->app->parts.ledger, grant->id, next);
	look_free(l);
}

static void on_checked(struct task *task)
{
	struct check *check = CONTAINER_OF(task, struct check, done);
	struct look *l = CONTAINER_OF(check, struct look, check);
	struct look **at = &l->r->checking;
	while (*at != l)
		at = &(*at)->next;
	*at = l->next;
	l->r->checks[l->judging.profile->checks.virus]--;
	finish(l, judge(l));
}

/* Whether it has to wait for the end of checks, its own or those of others. */
static bool is_held(const struct look *look)
{
	const struct reconciler *r = look->r;
	for (const struct look *l = r->checking; l; l = l->next)
		if (slice_eq(l->grant.id, look->grant.id))
			return true;
	const struct profile *profile = look->judging.profile;
	return check_is_needed(profile) &&
	       r->checks[profile->checks.virus] == LIMIT_CHECKS_RECONCILED;
}

static void reconcile(struct reconciler *r, const struct ledger_due_grant *grant)
{
	struct look *l = look_new(r, grant);
	if (!l || is_held(l)) {
		look_later(r, grant);
		look_free(l);
		return;
	}
	enum looked looked = look(l);
	if (looked == LOOKED_NOTHING && grant->upload.len > 0)
		looked = finish_upload(l);
	if (looked != LOOKED_CHECKING)
		finish(l, looked);
}

/* ---- All of them ------------------------------------------------------------------------------
 */

/* Each grant once, also if the ledger does not take what is written of it. False at the end. */
static bool run_page(struct reconciler *r)
{
	struct ledger_due *due = &r->due;
	due->home = waiter_expect(&r->waiter, &due->done);
	ledger_list_due(r->app->parts.ledger, due);
	waiter_wait(&r->waiter);
	for (size_t i = 0; i < due->count && !atomic_load(&r->stopping); i++)
		reconcile(r, &due->rows[i]);
	bool more = !due->failed && due->count == LEDGER_DUE_MAX;
	if (more) {
		const struct ledger_due_grant *last = &due->rows[due->count - 1];
		due->after_look_at = last->look_at;
		(void)snprintf(due->after_id, sizeof(due->after_id), "%.*s", SLICE_FMT(last->id));
	}
	ledger_due_release(due);
	return more;
}

static int64_t next_pass_ms(const struct reconciler *r)
{
	return clock_monotonic_ms() + r->app->settings.reconcile_seconds * 1000;
}

/* Between two pages the checks that have ended are taken. */
static void work(struct task *tasks, void *state)
{
	struct reconciler *r = state;
	thread_queue_run(tasks);
	if (atomic_load(&r->stopping) || (!r->passing && clock_monotonic_ms() < r->pass_ms))
		return;
	if (!r->passing)
		r->due = (struct ledger_due){.now = now(r)};
	r->passing = run_page(r);
	if (!r->passing)
		r->pass_ms = next_pass_ms(r);
}

static int64_t due_ms(void *state)
{
	const struct reconciler *r = state;
	if (atomic_load(&r->stopping))
		return INT64_MAX;
	return r->passing ? 0 : r->pass_ms;
}

enum err reconciler_new(struct app *app, struct reconciler **ret)
{
	struct reconciler *r = calloc(1, sizeof(*r));
	if (!r)
		return ERR_UNAVAILABLE;
	r->app = app;
	r->pass_ms = next_pass_ms(r);
	waiter_init(&r->waiter);
	const struct thread_queue_options options = {.name = "reconciler",
		.duty = THREAD_DISK,
		.batch = work,
		.due_ms = due_ms,
		.state = r};
	enum err e = thread_queue_new(&options, &r->queue);
	if (e)
		reconciler_free(r);
	else
		*ret = r;
	return e;
}

void reconciler_free(struct reconciler *r)
{
	if (!r)
		return;
	atomic_store(&r->stopping, true);
	/* Nothing else posts. */
	checks_drain(r->app->checks);
	thread_queue_free(r->queue);
	waiter_release(&r->waiter);
	free(r);
}
