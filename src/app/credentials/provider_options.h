/* SPDX-License-Identifier: Apache-2.0 */
/* Where credentials come from, checked: the part of the settings (app/settings) that says so. */
#ifndef APP_CREDENTIALS_PROVIDER_OPTIONS_H
#define APP_CREDENTIALS_PROVIDER_OPTIONS_H

#include "app/credentials/credentials.h"

/* [app] credentials, in the order of its words. */
enum app_credentials {
	APP_CREDENTIALS_FIXED,       /* a pair of the configuration */
	APP_CREDENTIALS_ENVIRONMENT, /* of the environment, as the SDKs name it */
	APP_CREDENTIALS_FILE,        /* files, read again when they change */
	APP_CREDENTIALS_STS,         /* AssumeRole, with the pair */
	APP_CREDENTIALS_ECS,         /* the role of a machine, by its metadata service */
	APP_CREDENTIALS_OIDC,        /* AssumeRoleWithOIDC, with the token of a service account */
};

/* Every slice has a NUL behind it; those that mean nothing for `source` are empty. */
struct provider_options {
	enum app_credentials source;
	struct credential_values pair; /* fixed, environment; sts: who assumes the role */
	/*
	 * What grants are made with; empty: the secret of the pair. A source without a pair needs
	 * one.
	 */
	struct slice grant_secret;
	struct slice file; /* JSON; or these: */
	struct slice id_file;
	struct slice secret_file;
	struct slice token_file; /* empty: there is none */
	struct slice sts_url;
	bool any_certificate; /* of sts_url, which is in this process */
	struct slice role_arn;
	struct slice session_name;
	struct slice policy; /* JSON; empty: all that the role may */
	int64_t duration_seconds;
	struct slice oidc_provider_arn;
	struct slice oidc_token_file;
	struct slice metadata_url; /* without a final `/` */
	struct slice ecs_role;     /* empty: it is asked for */
};

/* What grants are made with. */
static inline struct slice provider_grant_secret(const struct provider_options *options)
{
	return options->grant_secret.len > 0 ? options->grant_secret : options->pair.secret;
}

#endif
