/* SPDX-License-Identifier: Apache-2.0 */
#include "app/app.h"

#include <stdio.h>
#include <stdlib.h>

#include "app/app_internal.h"
#include "app/json.h"
#include "app/jwt_cache.h"
#include "app/jwt_source.h"
#include "app/ledger.h"
#include "app/multipart/part_counts.h"
#include "oss/rules/origin.h"

#define JSON_PART_MAX KIB(8)
#define CORS_MAX_AGE "600"

struct app_options app_options_default(void)
{
	return (struct app_options){
		.upload_dir = APP_DEFAULT_UPLOAD_DIR,
		.region = APP_DEFAULT_REGION,
		.signature_version = 4,
		.expire_seconds = APP_DEFAULT_EXPIRE_SECONDS,
		.max_size = APP_DEFAULT_MAX_SIZE,
		.allowed_origins = APP_DEFAULT_ORIGINS,
		.confirm = APP_CONFIRM_AUTO,
		.grant_uploads = APP_DEFAULT_GRANT_UPLOADS,
		.bind_callback = true,
		.require_grant = true,
		.key_urls = APP_DEFAULT_KEY_URLS,
		.multipart_path = APP_DEFAULT_MULTIPART_PATH,
		.multipart_expire_seconds = APP_DEFAULT_MULTIPART_EXPIRE_SECONDS,
		.grants_max = APP_DEFAULT_GRANTS_MAX,
		.grants_keep_days = APP_DEFAULT_GRANTS_KEEP_DAYS,
		.jwt_leeway_seconds = APP_DEFAULT_LEEWAY_SECONDS,
	};
}

/* ---- Answering --------------------------------------------------------------------------------
 */

static bool is_allowed(const struct settings_list *origins, struct slice origin)
{
	for (size_t i = 0; i < origins->count; i++)
		if (origin_matches(origins->words[i], origin) ||
			(slice_eq(origin, S("null")) && slice_eq(origins->words[i], origin)))
			return true;
	return false;
}

void app_allow_origin(const struct app *app, struct exchange *x)
{
	const struct settings *settings = &app->settings;
	struct slice origin = request_head_get(exchange_head(x), S("Origin"));
	bool cookies = settings_use_cookies(settings);
	bool named = cookies && settings_names_origin(settings, origin);
	if (cookies || !settings->any_origin)
		exchange_header(x, "Vary", S("Origin"));
	if (!named && settings->any_origin) {
		exchange_header(x, "Access-Control-Allow-Origin", S("*"));
	} else {
		if (origin.len == 0 || !is_allowed(&settings->origins, origin))
			return;
		exchange_header(x, "Access-Control-Allow-Origin", origin);
	}
	/* Cookies are let through for pages that are known by name, never for any. */
	if (named)
		exchange_header(x, "Access-Control-Allow-Credentials", S("true"));
	exchange_header(x, "Access-Control-Expose-Headers", S("Retry-After, WWW-Authenticate"));
	exchange_header(x, "Access-Control-Allow-Methods", S("GET, POST, DELETE"));
}

void app_send_json(const struct app *app, struct exchange *x, int status, struct slice json)
{
	exchange_header(x, "Content-Type", S("application/json"));
	exchange_header(x, "Cache-Control", S("no-store"));
	exchange_header(x, "X-Content-Type-Options", S("nosniff"));
	app_allow_origin(app, x);
	exchange_send(x, status, json);
}

void app_send_error(const struct app *app, struct exchange *x, int status, const char *code,
	const char *message)
{
	SCOPED_STRBUF(json, KIB(4));
	strbuf_adds(&json, "{\"error\":");
	json_add_string(&json, slice_str(code));
	strbuf_adds(&json, ",\"message\":");
	json_add_string(&json, slice_str(message));
	strbuf_addc(&json, '}');
	app_send_json(app, x, status, strbuf_slice(&json));
}

/* ---- Routing ----------------------------------------------------------------------------------
 */

enum resource {
	RESOURCE_NONE,
	RESOURCE_TOKEN,    /* GET; and POST of a callback */
	RESOURCE_CALLBACK, /* POST */
	RESOURCE_SAMPLE,   /* GET */
	RESOURCE_GRANT,    /* GET */
	RESOURCE_GRANTS,   /* POST */
	RESOURCE_STATE,    /* GET: what became of a grant */
	RESOURCE_PAGE,     /* GET */
};

static enum resource find_resource(const struct app *app, struct slice path)
{
	const struct settings_list *paths = &app->settings.callback_paths;
	if (slice_eq(path, S("/")))
		return RESOURCE_TOKEN;
	if (slice_eq(path, S("/grant")))
		return RESOURCE_GRANT;
	if (slice_eq(path, S("/grants")))
		return RESOURCE_GRANTS;
	if (slice_eq(path, S("/get_post_signature_for_oss_upload")))
		return RESOURCE_SAMPLE;
	if (slice_starts(path, S("/grants/")))
		return RESOURCE_STATE;
	for (size_t i = 0; i < paths->count; i++)
		if (slice_eq(path, paths->words[i]))
			return RESOURCE_CALLBACK;
	if (slice_eq(path, S("/upload")) || slice_starts(path, S("/upload/")) ||
		slice_starts(path, S("/client/")))
		return RESOURCE_PAGE;
	return RESOURCE_NONE;
}

/* A store's callback that a proxy has sent elsewhere, most often by taking a prefix away. */
static bool is_stray_callback(const struct app *app, const struct exchange *x)
{
	const struct request_head *head = exchange_head(x);
	return head->method == HTTP_POST && app->settings.callback_paths.count > 0 &&
	       request_head_get(head, S("x-oss-pub-key-url")).len > 0;
}

static void send_not_found(const struct app *app, struct exchange *x)
{
	if (is_stray_callback(app, x)) {
		exchange_note(x, "refused=\"a callback for a path that is not in callback_url\"");
		app_send_error(app, x, 404, "not_found",
			"This is a callback, but callback_url has other paths. A proxy in front "
			"must "
			"pass the path on as it is, prefix included: it is signed.");
		return;
	}
	app_send_error(app, x, 404, "not_found",
		"There is nothing at this path. Try /, /grant or /upload/.");
}

static void send_misdirected(const struct app *app, struct exchange *x)
{
	exchange_note(x, "refused=\"a host name that is not in [app] hosts\"");
	app_send_error(app, x, 421, "misdirected_request",
		"This server is not known under the host name of the request. If it is one of its "
		"names, add it to hosts in [app].");
}

static void send_not_allowed(const struct app *app, struct exchange *x, const char *allow)
{
	exchange_header(x, "Allow", slice_str(allow));
	app_send_error(
		app, x, 405, "method_not_allowed", "This path does not answer to that method.");
}

static void send_preflight(const struct app *app, struct exchange *x)
{
	struct slice wanted =
		request_head_get(exchange_head(x), S("Access-Control-Request-Headers"));
	app_allow_origin(app, x);
	if (wanted.len > 0)
		exchange_header(x, "Access-Control-Allow-Headers", wanted);
	exchange_header(x, "Access-Control-Max-Age", S(CORS_MAX_AGE));
	exchange_header(x, "Cache-Control", S("no-store"));
	exchange_send(x, 204, S(""));
}

static const char *allowed_methods(enum resource resource)
{
	switch (resource) {
	case RESOURCE_TOKEN:
		return "GET, HEAD, POST, OPTIONS";
	case RESOURCE_CALLBACK:
	case RESOURCE_GRANTS:
		return "POST, OPTIONS";
	case RESOURCE_NONE:
	case RESOURCE_SAMPLE:
	case RESOURCE_GRANT:
	case RESOURCE_STATE:
	case RESOURCE_PAGE:
		break;
	}
	return "GET, HEAD, OPTIONS";
}

static void route_get(struct app *app, struct exchange *x, enum resource resource)
{
	if (resource == RESOURCE_TOKEN)
		app_admit(app, x, app_send_token, NULL);
	else if (resource == RESOURCE_SAMPLE)
		app_admit(app, x, app_send_sample, NULL);
	else if (resource == RESOURCE_GRANT)
		app_admit(app, x, app_send_grant, NULL);
	else if (resource == RESOURCE_STATE)
		app_send_grant_state(app, x);
	else if (resource == RESOURCE_CALLBACK || resource == RESOURCE_GRANTS)
		send_not_allowed(app, x, allowed_methods(resource));
	else if (!app_send_page(app, x))
		send_not_found(app, x);
}

static void on_begin(void *ctx, struct exchange *x)
{
	struct app *app = ctx;
	const struct request_head *head = exchange_head(x);
	enum resource resource = find_resource(app, head->path);
	if (!hosts_admit(&app->settings.hosts, head->host))
		send_misdirected(app, x);
	else if (app_is_s3_path(app, head->path) && head->method != HTTP_OPTIONS)
		app_answer_s3(app, x);
	else if (app_is_s3_path(app, head->path))
		send_preflight(app, x);
	else if (resource == RESOURCE_NONE)
		send_not_found(app, x);
	else if (head->method == HTTP_GET || head->method == HTTP_HEAD)
		route_get(app, x, resource);
	else if (head->method == HTTP_OPTIONS)
		send_preflight(app, x);
	else if (head->method == HTTP_POST &&
		 (resource == RESOURCE_TOKEN || resource == RESOURCE_CALLBACK))
		app_receive_callback(app, x);
	else if (head->method == HTTP_POST && resource == RESOURCE_GRANTS)
		app_send_grants(app, x);
	else
		send_not_allowed(app, x, allowed_methods(resource));
}

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
	strbuf_init(&app->id_json, JSON_PART_MAX);
	json_add_string(&app->host_json, s->host);
	json_add_string(&app->id_json, s->access_key_id);
}

static enum err start_jwt(struct app *app)
{
	const struct settings *s = &app->settings;
	app->jwt_cache = jwt_cache_new();
	if (!app->jwt_cache)
		return ERR_UNAVAILABLE;
	return s->jwt_keys ? jwt_source_fixed(s->jwt_keys, &app->jwt_source)
			   : jwt_source_url(app->parts.outgoing, app->parts.clock,
				     s->jwt_keys_url.ptr, &app->jwt_source);
}

static enum err app_start(struct app *app, const struct app_parts *parts)
{
	app->service = (struct service){.name = "app",
		.begin = on_begin,
		.ctx = app,
		.secret_params = app_secret_params,
		.pool = BUDGET_APP};
	app->parts = *parts;
	if (app->settings.grants_max > 0)
		ledger_keep_grants(parts->ledger, app->settings.grants_max,
			app->settings.grants_keep_days * 86400);
	atomic_init(&app->confirms, app->settings.confirm != APP_CONFIRM_OFF);
	ticket_key_derive(app->settings.access_key_secret, &app->ticket_key);
	app->part_counts = part_counts_new();
	app->sign_keys = calloc(1, sizeof(*app->sign_keys));
	if (!app->sign_keys || !app->part_counts)
		return ERR_UNAVAILABLE;
	build_json_parts(app);
	build_page_policy(app);
	if (strbuf_broken(&app->host_json) || strbuf_broken(&app->id_json) ||
		strbuf_broken(&app->page_policy))
		return ERR_UNAVAILABLE;
	if (app->settings.auth == APP_AUTH_JWT) {
		enum err e = start_jwt(app);
		if (e)
			return e;
	}
	return public_keys_new(parts->outgoing, parts->allow, parts->clock, &app->keys);
}

enum err app_new(const struct app_options *options, const struct app_parts *parts, struct app **ret,
	char *why, size_t why_size)
{
	struct app *app = calloc(1, sizeof(*app));
	if (!app)
		return ERR_UNAVAILABLE;
	enum err e = settings_init(&app->settings, options, why, why_size);
	if (!e)
		e = app_start(app, parts);
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
		.ledger_fails = atomic_load(&app->ledger_fails),
		.recorded = atomic_load(&app->recorded),
		.refused = atomic_load(&app->refused),
		.unwritten = atomic_load(&app->unwritten),
		.undecided = atomic_load(&app->undecided),
	};
}

enum err app_trust_key(struct app *app, struct slice url, struct slice pem)
{
	return public_keys_add(app->keys, url, pem);
}

void app_free(struct app *app)
{
	if (!app)
		return;
	public_keys_free(app->keys);
	jwt_source_free(app->jwt_source);
	jwt_cache_free(app->jwt_cache);
	part_counts_free(app->part_counts);
	if (app->sign_keys)
		sign_key_cache_clear(app->sign_keys);
	free(app->sign_keys);
	strbuf_release(&app->host_json);
	strbuf_release(&app->id_json);
	strbuf_release(&app->page_policy);
	settings_release(&app->settings);
	free(app);
}
