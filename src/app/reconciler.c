/* SPDX-License-Identifier: Apache-2.0 */
#include "app/reconciler.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "app/app_internal.h"
#include "base/encode.h"
#include "base/log.h"
#include "base/sleeper.h"
#include "base/thread.h"
#include "base/waiter.h"

/* A form that was posted in time can arrive for a day: the second look, before that ends. */
#define LAST_LOOK_SECONDS 600
#define NEVER (-1)

struct reconciler {
	struct app *app;
	pthread_t thread;
	struct sleeper sleeper;
	struct waiter waiter;
};

static int64_t now(const struct reconciler *r)
{
	return clock_wall_ms(r->app->parts.clock) / 1000;
}

/* ---- One grant --------------------------------------------------------------------------------
 */

enum looked {
	LOOKED_RECORDED,
	LOOKED_NOTHING, /* there is no object of this grant */
	LOOKED_FAILED,
};

/* Its own; the default one if there is none of that name any more. */
static const struct profile *profile_of(
	const struct reconciler *r, const struct ledger_due_grant *grant)
{
	const struct settings *s = &r->app->settings;
	const struct profile *profile = settings_profile(s, grant->profile);
	return profile ? profile : s->profiles;
}

/* Whether it is for the ledger; or else *ret says what became of it. */
static bool passes(struct reconciler *r, const struct ledger_due_grant *grant,
	const struct profile *profile, const struct app_confirmation *found, enum looked *ret)
{
	struct check check = {.profile = profile,
		.object = found,
		.deadline_ms = clock_monotonic_ms() + LIMIT_CHECK_MS};
	if (!check_is_needed(profile))
		return true;
	check.home = waiter_expect(&r->waiter, &check.done);
	check_begin(r->app, &check);
	waiter_wait(&r->waiter);
	if (sleeper_stopped(&r->sleeper)) {
		*ret = LOOKED_FAILED;
		return false;
	}
	bool judged = check.verdict == CHECK_PASSED || check.verdict == CHECK_REFUSED;
	bool is_over = now(r) >= grant->expires + TICKET_SLACK_SECONDS;
	if (check.verdict == CHECK_PASSED ||
		(!judged && profile->on_unknown == PROFILE_UNKNOWN_ACCEPT))
		return true;
	*ret = LOOKED_FAILED;
	if (!judged && profile->on_unknown == PROFILE_UNKNOWN_PENDING && !is_over)
		return false;
	log_info("grant %.*s: %s", SLICE_FMT(grant->id), check.reason);
	app_reject_grant(r->app, grant->id, check.reason, grant->key);
	*ret = LOOKED_RECORDED;
	return false;
}

static enum looked record(struct reconciler *r, const struct ledger_due_grant *grant,
	const struct app_confirmation *found)
{
	struct app *app = r->app;
	const struct profile *profile = profile_of(r, grant);
	int64_t max_size = profile->max_size;
	struct ledger_entry entry;
	enum looked looked;
	if (found->size > (uint64_t)max_size) {
		log_error("grant %.*s: %s", SLICE_FMT(grant->id), APP_TOO_LARGE);
		app_reject_grant(app, grant->id, APP_TOO_LARGE, grant->key);
		return LOOKED_RECORDED;
	}
	if (!passes(r, grant, profile, found, &looked))
		return looked;
	app_fill_found(app, found, grant->id, max_size, &entry);
	entry.home = waiter_expect(&r->waiter, &entry.done);
	ledger_record(app->parts.ledger, &entry);
	waiter_wait(&r->waiter);
	if (entry.result == LEDGER_RECORDED) {
		atomic_fetch_add(&app->found, 1);
		log_info("grant %.*s: no callback has decided it, but the object is there",
			SLICE_FMT(grant->id));
	}
	return entry.result == LEDGER_FAILED ? LOOKED_FAILED : LOOKED_RECORDED;
}

static enum looked look(struct reconciler *r, const struct ledger_due_grant *grant)
{
	struct app_confirmation c = {.key = grant->key, .timeout_ms = LIMIT_APP_CALLBACK_MS};
	enum looked result = LOOKED_NOTHING;
	/* Without callbacks nothing is recorded. */
	if ((!atomic_load(&r->app->confirms) && !profile_of(r, grant)->checks.any) ||
		r->app->settings.callback_url.len == 0)
		return LOOKED_NOTHING;
	c.home = waiter_expect(&r->waiter, &c.done);
	app_confirm(r->app, &c);
	waiter_wait(&r->waiter);
	if (c.found && slice_eq(c.grant_id, grant->id))
		result = record(r, grant, &c);
	else if (!c.found && c.status != 404)
		result = LOOKED_FAILED;
	app_confirmation_release(&c);
	return result;
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
		log_info("grant %.*s: the upload in parts was not finished in time, and is aborted",
			SLICE_FMT(grant->id));
	}
	store_request_release(&request);
	return result;
}

/* Ends an upload in parts. */
static enum looked finish_upload(struct reconciler *r, const struct ledger_due_grant *grant)
{
	switch (abort_upload(r, grant)) {
	case ABORTED:
		return LOOKED_NOTHING;
	case ABORTED_NOTHING:
		/* It may have been completed since we looked. */
		return look(r, grant);
	case ABORT_FAILED:
		break;
	}
	return LOOKED_FAILED;
}

static void reconcile(struct reconciler *r, const struct ledger_due_grant *grant)
{
	int64_t pause = r->app->settings.reconcile_seconds;
	int64_t last = grant->expires + TICKET_SLACK_SECONDS - LAST_LOOK_SECONDS;
	enum looked looked = look(r, grant);
	if (looked == LOOKED_NOTHING && grant->upload.len > 0)
		looked = finish_upload(r, grant);
	bool failed = looked == LOOKED_FAILED;
	/* A grant that was recorded has no time any more, whatever is set here. */
	int64_t next = failed ? now(r) + pause : NEVER;
	if (looked == LOOKED_NOTHING && grant->upload.len == 0 && now(r) < last)
		next = last;
	ledger_look_later(r->app->parts.ledger, grant->id, next);
}

/* ---- All of them ------------------------------------------------------------------------------
 */

static bool run_page(struct reconciler *r, struct ledger_due *due)
{
	due->home = waiter_expect(&r->waiter, &due->done);
	ledger_list_due(r->app->parts.ledger, due);
	waiter_wait(&r->waiter);
	for (size_t i = 0; i < due->count && !sleeper_stopped(&r->sleeper); i++)
		reconcile(r, &due->rows[i]);
	bool more = !due->failed && due->count == LEDGER_DUE_MAX;
	if (more) {
		const struct ledger_due_grant *last = &due->rows[due->count - 1];
		due->after_look_at = last->look_at;
		(void)snprintf(due->after_id, sizeof(due->after_id), "%.*s", SLICE_FMT(last->id));
	}
	ledger_due_release(due);
	return more && !sleeper_stopped(&r->sleeper);
}

/* Each grant once, also if the ledger does not take what is written of it. */
static void run_all(struct reconciler *r)
{
	struct ledger_due due = {.now = now(r)};
	while (run_page(r, &due))
		;
}

static void *run(void *state)
{
	struct reconciler *r = state;
	uint64_t pause_ms = (uint64_t)r->app->settings.reconcile_seconds * 1000;
	while (sleeper_sleep(&r->sleeper, pause_ms))
		run_all(r);
	return NULL;
}

static void destroy(struct reconciler *r)
{
	sleeper_destroy(&r->sleeper);
	waiter_release(&r->waiter);
	free(r);
}

enum err reconciler_new(struct app *app, struct reconciler **ret)
{
	struct reconciler *r = calloc(1, sizeof(*r));
	if (!r)
		return ERR_UNAVAILABLE;
	r->app = app;
	sleeper_init(&r->sleeper);
	waiter_init(&r->waiter);
	if (!thread_start(&r->thread, "reconciler", THREAD_DISK, run, r)) {
		destroy(r);
		return ERR_UNAVAILABLE;
	}
	*ret = r;
	return ERR_OK;
}

void reconciler_free(struct reconciler *r)
{
	if (!r)
		return;
	sleeper_stop(&r->sleeper);
	(void)pthread_join(r->thread, NULL);
	destroy(r);
}
