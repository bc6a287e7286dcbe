/* SPDX-License-Identifier: Apache-2.0 */
/* Which handler a request is for. */
#include "app/app_internal.h"
#include "app/settings/own_paths.h"

#define CORS_MAX_AGE "600"

/* Whether callbacks come to the path, besides what else is there. */
static bool takes_callbacks(const struct app *app, struct slice path)
{
	const struct settings_list *paths = &app->settings.callback_paths;
	for (size_t i = 0; i < paths->count; i++)
		if (slice_eq(path, paths->words[i]))
			return own_path_takes_callback(path);
	return own_path_at(path) == OWN_PATH_TOKEN;
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

static void send_preflight(struct exchange *x)
{
	struct slice wanted =
		request_head_get(exchange_head(x), S("Access-Control-Request-Headers"));
	app_allow_origin(x);
	if (wanted.len > 0)
		exchange_header(x, "Access-Control-Allow-Headers", wanted);
	exchange_header(x, "Access-Control-Max-Age", S(CORS_MAX_AGE));
	exchange_header(x, "Cache-Control", S("no-store"));
	exchange_send(x, 204, S(""));
}

static const char *allowed_methods(enum own_path at, bool callbacks)
{
	if (at == OWN_PATH_GRANTS || at == OWN_PATH_NONE)
		return "POST, OPTIONS";
	return callbacks ? "GET, HEAD, POST, OPTIONS" : "GET, HEAD, OPTIONS";
}

static void route_get(struct app *app, struct exchange *x, enum own_path at, bool callbacks)
{
	switch (at) {
	case OWN_PATH_TOKEN:
		app_admit(app, x, app_send_token, NULL);
		break;
	case OWN_PATH_SAMPLE:
		app_admit(app, x, app_send_sample, NULL);
		break;
	case OWN_PATH_GRANT:
		app_admit(app, x, app_send_grant, NULL);
		break;
	case OWN_PATH_DUPLICATES:
		app_admit(app, x, app_send_duplicate, NULL);
		break;
	case OWN_PATH_STATE:
		app_send_grant_state(app, x);
		break;
	case OWN_PATH_PAGE:
		if (app_send_page(app, x))
			break;
		if (callbacks)
			send_not_allowed(app, x, "POST, OPTIONS");
		else
			send_not_found(app, x);
		break;
	case OWN_PATH_NONE:
	case OWN_PATH_GRANTS:
		send_not_allowed(app, x, allowed_methods(at, callbacks));
		break;
	}
}

static void let_go_of_rules(void *rules)
{
	rules_release(rules);
}

void app_begin(void *ctx, struct exchange *x)
{
	struct app *app = ctx;
	exchange_hold(x, rules_history_now(&app->rules), let_go_of_rules);
	const struct request_head *head = exchange_head(x);
	enum own_path at = own_path_at(head->path);
	bool callbacks = takes_callbacks(app, head->path);
	if (!hosts_admit(&app_rules(x)->hosts, head->host))
		send_misdirected(app, x);
	else if (app_is_s3_path(app, head->path) && head->method != HTTP_OPTIONS)
		app_answer_s3(app, x);
	else if (app_is_s3_path(app, head->path))
		send_preflight(x);
	else if (at == OWN_PATH_NONE && !callbacks)
		send_not_found(app, x);
	else if (head->method == HTTP_GET || head->method == HTTP_HEAD)
		route_get(app, x, at, callbacks);
	else if (head->method == HTTP_OPTIONS)
		send_preflight(x);
	else if (head->method == HTTP_POST && callbacks)
		app_receive_callback(app, x);
	else if (head->method == HTTP_POST && at == OWN_PATH_GRANTS)
		app_send_grants(app, x);
	else
		send_not_allowed(app, x, allowed_methods(at, callbacks));
}
