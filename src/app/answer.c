/* SPDX-License-Identifier: Apache-2.0 */
/* How this server answers: JSON, errors, and who may read it. */
#include "app/app_internal.h"
#include "oss/rules/origin.h"
#include "oss/text/json_text.h"

static bool is_allowed(const struct settings_list *origins, struct slice origin)
{
	for (size_t i = 0; i < origins->count; i++)
		if (origin_matches(origins->words[i], origin) ||
			(slice_eq(origin, S("null")) && slice_eq(origins->words[i], origin)))
			return true;
	return false;
}

void app_allow_origin(struct exchange *x)
{
	const struct rules *rules = app_rules(x);
	struct slice origin = request_head_get(exchange_head(x), S("Origin"));
	bool cookies = rules_use_cookies(rules);
	bool named = cookies && rules_name_origin(rules, origin);
	if (cookies || !rules->any_origin)
		exchange_header(x, "Vary", S("Origin"));
	if (!named && rules->any_origin) {
		exchange_header(x, "Access-Control-Allow-Origin", S("*"));
	} else {
		if (origin.len == 0 || !is_allowed(&rules->origins, origin))
			return;
		exchange_header(x, "Access-Control-Allow-Origin", origin);
	}
	/* Cookies are let through for pages that are known by name, never for any. */
	if (named)
		exchange_header(x, "Access-Control-Allow-Credentials", S("true"));
	exchange_header(x, "Access-Control-Expose-Headers", S("Retry-After, WWW-Authenticate"));
	exchange_header(x, "Access-Control-Allow-Methods", S("GET, POST, DELETE"));
}

void app_send_json(const struct app *app UNUSED, struct exchange *x, int status, struct slice json)
{
	exchange_header(x, "Content-Type", S("application/json"));
	exchange_header(x, "Cache-Control", S("no-store"));
	exchange_header(x, "X-Content-Type-Options", S("nosniff"));
	app_allow_origin(x);
	exchange_send(x, status, json);
}

void app_send_error(const struct app *app, struct exchange *x, int status, const char *code,
	const char *message)
{
	SCOPED_STRBUF(json, KIB(4));
	strbuf_addc(&json, '{');
	json_member_string(&json, "error", slice_str(code));
	json_member_string(&json, "message", slice_str(message));
	strbuf_addc(&json, '}');
	app_send_json(app, x, status, strbuf_slice(&json));
}

void app_send_no_memory(const struct app *app, struct exchange *x)
{
	exchange_header(x, "Retry-After", S("1"));
	app_send_error(app, x, 503, "unavailable", "There is no memory; try again.");
}
