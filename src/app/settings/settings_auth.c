/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "app/settings/settings_internal.h"

/* RFC 6265: a token of RFC 9110. */
static bool is_cookie_name(struct slice name)
{
	for (size_t i = 0; i < name.len; i++)
		if (name.ptr[i] <= ' ' || name.ptr[i] > '~' ||
			strchr("()<>@,;:\\\"/[]?={}", name.ptr[i]))
			return false;
	return true;
}

static void read_keys(struct reading *r, const char *name, struct slice text,
	enum err (*parse)(struct slice text, struct jwt_keys **ret, const char **why))
{
	const char *why = "";
	if (r->err || !text.ptr)
		return;
	enum err e = parse(text, &r->rules->jwt_keys, &why);
	if (e == ERR_INVALID_ARGUMENT)
		settings_refuse(r, "%s: %s", name, why);
	else if (e)
		r->err = e;
}

void settings_read_keys_url(struct reading *r, const struct app_options *options)
{
	r->settings->jwt_keys_url = settings_keep_url(r, "jwt_keys_url", options->jwt_keys_url);
}

static bool is_set(const char *text)
{
	return text && *text;
}

/* What is set and does nothing would be taken for protection. */
static void refuse_unused(struct reading *r, const struct app_options *options)
{
	if (options->jwt_keys.ptr || options->jwt_secret.ptr || is_set(options->jwt_keys_url) ||
		is_set(options->jwt_cookie) || is_set(options->jwt_issuer) ||
		is_set(options->jwt_audience))
		settings_refuse(r, "auth: must be jwt for the options jwt_... to mean anything");
}

static void read_jwt(struct reading *r, const struct app_options *options)
{
	struct rules *rules = r->rules;
	struct jwt_rules *jwt = &rules->jwt_rules;
	int sources = (options->jwt_keys.ptr != NULL) + (options->jwt_secret.ptr != NULL) +
		      is_set(options->jwt_keys_url);
	if (sources != 1)
		settings_refuse(r, "auth: jwt needs one of jwt_key_file, jwt_secret_file and "
				   "jwt_keys_url, and not more");
	read_keys(r, "jwt_key_file", options->jwt_keys, jwt_keys_parse);
	read_keys(r, "jwt_secret_file", options->jwt_secret, jwt_keys_secret);
	jwt->issuer = settings_keep_text(r, "jwt_issuer", options->jwt_issuer);
	jwt->audience = settings_keep_text(r, "jwt_audience", options->jwt_audience);
	jwt->leeway = options->jwt_leeway_seconds;
	rules->jwt_cookie = settings_keep_text(r, "jwt_cookie", options->jwt_cookie);
	if (!is_cookie_name(rules->jwt_cookie))
		settings_refuse(r, "jwt_cookie: is not the name of a cookie");
}

static void read_forward(struct reading *r, const struct app_options *options)
{
	r->rules->auth_url = settings_keep_url(r, "auth_url", options->auth_url);
	if (r->rules->auth_url.len == 0)
		settings_refuse(r, "auth_url: must be an http or https URL for auth = forward");
}

void settings_read_auth(struct reading *r, const struct app_options *options)
{
	r->rules->auth = options->auth;
	if (options->auth != APP_AUTH_FORWARD && is_set(options->auth_url))
		settings_refuse(r, "auth: must be forward for auth_url to mean anything");
	switch (options->auth) {
	case APP_AUTH_NONE:
		refuse_unused(r, options);
		break;
	case APP_AUTH_JWT:
		read_jwt(r, options);
		break;
	case APP_AUTH_FORWARD:
		refuse_unused(r, options);
		read_forward(r, options);
		break;
	}
	settings_want_claims(r);
}
