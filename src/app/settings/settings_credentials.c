/* SPDX-License-Identifier: Apache-2.0 */
#include "app/settings/settings_internal.h"

#define ENVIRONMENT_NAMES "OSS_ACCESS_KEY_ID and OSS_ACCESS_KEY_SECRET"

static bool is_set(const char *text)
{
	return text && *text;
}

static void read_pair(struct reading *r, const struct app_options *options)
{
	struct provider_options *c = &r->settings->credentials;
	c->pair.id = settings_need_text(r, "access_key_id", options->access_key_id);
	c->pair.secret = settings_need_text(r, "access_key_secret", options->access_key_secret);
	c->pair.token = settings_keep_text(r, "security_token_file", options->security_token);
}

/* What is set and does nothing would be taken for what is used. */
static void refuse_pair(struct reading *r, const struct app_options *options)
{
	if (is_set(options->access_key_id) || is_set(options->access_key_secret))
		settings_refuse(r, "credentials: must be fixed or sts for access_key_id and "
				   "access_key_secret to mean anything");
}

static void read_environment(struct reading *r, const struct app_options *options)
{
	if (!is_set(options->access_key_id) || !is_set(options->access_key_secret))
		settings_refuse(r, "credentials: the environment has no " ENVIRONMENT_NAMES);
	read_pair(r, options);
}

static void read_files(struct reading *r, const struct app_options *options)
{
	struct provider_options *c = &r->settings->credentials;
	c->file = settings_keep_text(r, "credentials_file", options->credentials_file);
	c->id_file = settings_keep_text(r, "access_key_id_file", options->access_key_id_file);
	c->secret_file = settings_keep_text(r, "access_key_secret_file", options->secret_file);
	c->token_file = settings_keep_text(r, "security_token_file", options->token_file);
	bool texts = c->id_file.len > 0 && c->secret_file.len > 0;
	bool any = c->id_file.len + c->secret_file.len + c->token_file.len > 0;
	if (c->file.len > 0 ? any : !texts)
		settings_refuse(r, "credentials: file needs credentials_file, or "
				   "access_key_id_file and access_key_secret_file, and not both");
}

static struct slice keep_url(struct reading *r, const char *name, const char *text)
{
	struct slice url = settings_keep_url(r, name, text);
	if (url.len == 0)
		settings_refuse(r, "%s: must be an http or https URL", name);
	return url;
}

static void read_role(struct reading *r, const struct app_options *options)
{
	struct provider_options *c = &r->settings->credentials;
	SCOPED_STRBUF(url, KIB(4));
	strbuf_addf(&url, "https://sts.%.*s.aliyuncs.com/", SLICE_FMT(r->settings->region));
	c->sts_url = keep_url(r, "sts_url", is_set(options->sts_url) ? options->sts_url : url.ptr);
	c->any_certificate = options->own_sts;
	c->role_arn = settings_need_text(r, "role_arn", options->role_arn);
	c->session_name = settings_need_text(r, "role_session_name", options->role_session_name);
	c->duration_seconds = options->role_seconds;
	c->policy = settings_keep(r, options->role_policy);
	if (!slice_starts(c->role_arn, S("acs:ram::")))
		settings_refuse(r, "role_arn: must be acs:ram::ACCOUNT:role/NAME");
}

static void read_oidc(struct reading *r, const struct app_options *options)
{
	struct provider_options *c = &r->settings->credentials;
	read_role(r, options);
	c->oidc_provider_arn =
		settings_need_text(r, "oidc_provider_arn", options->oidc_provider_arn);
	c->oidc_token_file = settings_need_text(r, "oidc_token_file", options->oidc_token_file);
}

static void read_ecs(struct reading *r, const struct app_options *options)
{
	struct provider_options *c = &r->settings->credentials;
	struct slice url = keep_url(r, "ecs_metadata_url", options->ecs_metadata_url);
	while (slice_ends(url, S("/")))
		url.len--;
	c->metadata_url = url;
	c->ecs_role = settings_keep_text(r, "ecs_role", options->ecs_role);
	for (size_t i = 0; i < c->ecs_role.len; i++) {
		char one = ascii_lower(c->ecs_role.ptr[i]);
		if (!(one >= 'a' && one <= 'z') && !ascii_digit(one) && !strchr(".-_", one))
			settings_refuse(r, "ecs_role: must be the name of a role");
	}
}

void settings_read_credentials(struct reading *r, const struct app_options *options)
{
	struct provider_options *c = &r->settings->credentials;
	c->source = options->credentials;
	c->pair.expires = CREDENTIALS_FOREVER;
	c->grant_secret = settings_keep_text(r, "grant_secret_file", options->grant_secret);
	switch (c->source) {
	case APP_CREDENTIALS_FIXED:
		read_pair(r, options);
		break;
	case APP_CREDENTIALS_ENVIRONMENT:
		read_environment(r, options);
		break;
	case APP_CREDENTIALS_FILE:
		refuse_pair(r, options);
		read_files(r, options);
		break;
	case APP_CREDENTIALS_STS:
		read_pair(r, options);
		read_role(r, options);
		break;
	case APP_CREDENTIALS_ECS:
		refuse_pair(r, options);
		read_ecs(r, options);
		break;
	case APP_CREDENTIALS_OIDC:
		refuse_pair(r, options);
		read_oidc(r, options);
		break;
	}
	if (c->pair.secret.len == 0 && c->grant_secret.len == 0)
		settings_refuse(r, "grant_secret_file: must be set, because there is no pair");
}
