/* SPDX-License-Identifier: Apache-2.0 */
#include "app/app.h"

#include <stdio.h>
#include <stdlib.h>

#include "app/app_internal.h"
#include "app/counts/counts.h"
#include "app/jwt/jwt_cache.h"
#include "app/jwt/jwt_source.h"
#include "app/ledger/ledger.h"
#include "app/outcomes.h"
#include "app/reconciler.h"
#include "oss/text/json_text.h"

#define JSON_PART_MAX KIB(8)

/* ---- Life -------------------------------------------------------------------------------------
 */

/* The page may talk to this server and to the store, and to nobody else. */
static void build_page_policy(struct app *app)
{
	strbuf_init(&app->page_policy, JSON_PART_MAX);
	strbuf_addf(&app->page_policy,
		"default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: "
		"data:; "
		"connect-src 'self' %.*s; base-uri 'none'; form-action 'none'; "
		"frame-ancestors 'none'",
		SLICE_FMT(app->settings.origin));
}

static void build_json_parts(struct app *app)
{
	const struct settings *s = &app->settings;
	strbuf_init(&app->host_json, JSON_PART_MAX);
	json_add_string(&app->host_json, s->host);
}

static enum err start_jwt(struct app *app)
{
	struct slice url = app->settings.jwt_keys_url;
	app->jwt_cache = jwt_cache_new();
	if (!app->jwt_cache)
		return ERR_UNAVAILABLE;
	return url.len > 0 ? jwt_source_new(app->parts.outgoing, app->parts.clock, url.ptr,
				     &app->jwt_source)
			   : ERR_OK;
}

static bool start_counts(struct app *app)
{
	app->part_counts = counts_new(LIMIT_UPLOADS_COUNTED);
	app->grant_rates = counts_new(LIMIT_RATES);
	app->part_rates = counts_new(LIMIT_RATES);
	return app->part_counts && app->grant_rates && app->part_rates;
}

static enum err start_checks(struct app *app)
{
	SCOPED_RULES struct rules *rules = rules_history_now(&app->rules);
	app->checks = checks_new();
	return app->checks ? checks_prepare(app->checks, rules) : ERR_UNAVAILABLE;
}

static void know_profiles(struct app *app, const struct rules *rules)
{
	for (size_t i = 0; i < rules->profile_count; i++)
		outcomes_know(app->outcomes, rules->profiles[i].name);
}

static enum err start_outcomes(struct app *app)
{
	SCOPED_RULES struct rules *rules = rules_history_now(&app->rules);
	enum err e = outcomes_new(&app->outcomes);
	if (!e)
		know_profiles(app, rules);
	return e;
}

static enum err start_events(struct app *app, char *why, size_t why_size)
{
	const struct events_parts events = {.settings = &app->settings,
		.rules = &app->rules,
		.outgoing = app->parts.outgoing,
		.ledger = app->parts.ledger,
		.clock = app->parts.clock};
	return app->settings.events ? events_new(&events, &app->events, why, why_size) : ERR_OK;
}

static enum err app_start(
	struct app *app, const struct app_parts *parts, char *why, size_t why_size)
{
	strbuf_init(&app->uploads_path, KIB(1));
	if (app->settings.multipart_path.len > 0) {
		strbuf_add_slice(&app->uploads_path, app->settings.multipart_path);
		strbuf_adds(&app->uploads_path, "/multipart/");
	}
	if (strbuf_broken(&app->uploads_path))
		return ERR_UNAVAILABLE;
	app->service = (struct service){.name = "app",
		.begin = app_begin,
		.ctx = app,
		.secret_params = app_secret_params,
		.secret_below = strbuf_slice(&app->uploads_path),
		.pool = BUDGET_APP};
	app->parts = *parts;
	if (app->settings.grants_max > 0)
		ledger_keep_grants(parts->ledger, app->settings.grants_max,
			app->settings.grants_keep_days * 86400);
	enum err events = start_events(app, why, why_size);
	if (events)
		return events;
	atomic_init(&app->confirms, app->settings.confirm != APP_CONFIRM_OFF);
	enum err checks = start_checks(app);
	if (checks)
		return checks;
	in_flight_init(&app->completing);
	if (start_outcomes(app))
		return ERR_UNAVAILABLE;
	if (!start_counts(app))
		return ERR_UNAVAILABLE;
	if (!callback_text_init(&app->callback_text, app->settings.callback_url))
		return ERR_UNAVAILABLE;
	build_json_parts(app);
	build_page_policy(app);
	if (strbuf_broken(&app->host_json) || strbuf_broken(&app->page_policy))
		return ERR_UNAVAILABLE;
	enum err jwt = start_jwt(app);
	if (jwt)
		return jwt;
	return public_keys_new(parts->outgoing, parts->allow, parts->clock, &app->keys);
}

static enum err start_credentials(
	struct app *app, const struct app_parts *parts, char *why, size_t why_size)
{
	const struct provider_parts own = {.outgoing = parts->confirming,
		.clock = parts->clock,
		.came = app_ask_rights,
		.ctx = app};
	return provider_new(&app->settings.credentials, &own, &app->provider, why, why_size);
}

enum err app_new(const struct app_options *options, const struct app_parts *parts, struct app **ret,
	char *why, size_t why_size)
{
	struct app *app = calloc(1, sizeof(*app));
	if (!app)
		return ERR_UNAVAILABLE;
	(void)pthread_mutex_init(&app->rights_lock, NULL);
	enum err e = settings_init(&app->settings, options, why, why_size);
	if (!e)
		rules_history_init(&app->rules, TAKE(app->settings.rules));
	if (!e)
		e = start_credentials(app, parts, why, why_size);
	if (!e)
		e = app_start(app, parts, why, why_size);
	if (e) {
		app_free(app);
		return e;
	}
	*ret = app;
	return ERR_OK;
}

const struct service *app_service(const struct app *app)
{
	return &app->service;
}

void app_stats(const struct app *app, struct app_stats *ret)
{
	*ret = (struct app_stats){
		.confirms = atomic_load(&app->confirms),
		.forbidden = atomic_load(&app->forbidden),
		.parts_forbidden = atomic_load(&app->parts_forbidden),
		.ledger_fails = atomic_load(&app->ledger_fails),
		.outcomes = app->outcomes,
		.aborted = atomic_load(&app->aborted),
		.unwritten = atomic_load(&app->unwritten) + ledger_unwritten(app->parts.ledger),
		.duplicates = atomic_load(&app->duplicates),
	};
	ret->checks = checks_stats(app->checks, &ret->checked);
	provider_stats(app->provider, &ret->credentials);
	events_stats(app->events, &ret->events);
	ledger_stats(app->parts.ledger, &ret->ledger);
}

enum err app_trust_key(struct app *app, struct slice url, struct slice pem)
{
	return public_keys_add(app->keys, url, pem);
}

enum err app_begin_credentials(struct app *app)
{
	return provider_begin(app->provider);
}

void app_end_credentials(struct app *app)
{
	if (app)
		provider_end(app->provider);
}

/* Whether objects go to another folder, which the key may have other rights for. */
static bool moves(struct app *app, const struct rules *to)
{
	SCOPED_RULES struct rules *from = rules_history_now(&app->rules);
	return !slice_eq(
		key_template_start(&from->profiles->dir), key_template_start(&to->profiles->dir));
}

enum err app_take(struct app *app, struct settings *settings)
{
	bool asks = moves(app, settings->rules);
	enum err e = checks_prepare(app->checks, settings->rules);
	if (!e)
		e = provider_replace(app->provider, &settings->credentials.pair);
	if (!e)
		know_profiles(app, settings->rules);
	if (!e)
		rules_history_replace(
			&app->rules, TAKE(settings->rules), clock_wall_ms(app->parts.clock) / 1000);
	if (!e && asks)
		app_ask_rights(app);
	return e;
}

enum err app_begin_work(struct app *app)
{
	const struct settings *s = &app->settings;
	enum err e = app->events ? events_start(app->events) : ERR_OK;
	if (e)
		return e;
	if (s->reconcile_seconds == 0 || s->grants_max == 0)
		return ERR_OK;
	return reconciler_new(app, &app->reconciler);
}

void app_stop_work(struct app *app)
{
	if (!app)
		return;
	checks_stop(app->checks);
	reconciler_free(TAKE(app->reconciler));
	events_stop(app->events);
}

void app_end_work(struct app *app)
{
	if (!app)
		return;
	checks_drain(app->checks);
	events_end(app->events);
}

void app_free(struct app *app)
{
	if (!app)
		return;
	checks_free(app->checks);
	events_free(app->events);
	public_keys_free(app->keys);
	jwt_source_free(app->jwt_source);
	jwt_cache_free(app->jwt_cache);
	counts_free(app->part_counts);
	in_flight_release(&app->completing);
	outcomes_free(app->outcomes);
	counts_free(app->grant_rates);
	counts_free(app->part_rates);
	provider_free(app->provider);
	callback_text_release(&app->callback_text);
	strbuf_release(&app->host_json);
	strbuf_release(&app->page_policy);
	strbuf_release(&app->uploads_path);
	rules_history_release(&app->rules);
	settings_release(&app->settings);
	(void)pthread_mutex_destroy(&app->rights_lock);
	free(app);
}
