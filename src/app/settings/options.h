/* SPDX-License-Identifier: Apache-2.0 */
/* The options of the application server, as they are given: text and numbers, nothing checked. */
#ifndef APP_SETTINGS_OPTIONS_H
#define APP_SETTINGS_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

#include "app/credentials/provider_options.h"
#include "base/slice.h"

/* Whether callbacks are confirmed by HEAD requests to the store. */
enum app_confirm {
	APP_CONFIRM_AUTO, /* yes, unless the store answers 403 at start */
	APP_CONFIRM_ON,
	APP_CONFIRM_OFF,
};

/* Who may ask for a token or a grant. */
enum app_auth {
	APP_AUTH_NONE,    /* anybody who can reach us */
	APP_AUTH_JWT,     /* who has a JSON Web Token */
	APP_AUTH_FORWARD, /* whom a back end admits */
};

/* A section [profile NAME]; NULL or "": as in [app], or not limited. An allowed_types that is "" is
 * any type. */
struct app_profile_options {
	const char *name;
#define PROFILE(option, help) const char *option;
#include "app/settings/profile.def"
#undef PROFILE
};

/*
 * Names, meaning and defaults are those of the section [app] of the configuration (options.def).
 * Text may be NULL, which is the same as "". Lists are separated by commas or white space.
 * app_new() copies what it keeps.
 */
struct app_options {
#define TEXT(section, name, when, fallback, help) const char *name;
#define SECRET(section, name, when, help) const char *name;
#define WORD(section, name, when, fallback, words, help) enum app_##name name;
#define NUMBER(section, name, when, fallback, min, max, help) int64_t name;
#define EITHER(section, name, when, fallback, other, help) int64_t name;
#define FLAG(section, name, when, fallback, help) bool name;
#include "app/settings/options.def"
	/* With APP_AUTH_JWT one of these two, or jwt_keys_url: the bytes of jwt_key_file (a PEM or
	 * JWK set) or of jwt_secret_file. ptr is NULL if not given. */
	struct slice jwt_keys;
	struct slice jwt_secret;
	/* The contents of security_token_file and of grant_secret_file. */
	const char *security_token;
	const char *grant_secret;
	/* With APP_CREDENTIALS_FILE the names of access_key_secret_file and security_token_file,
	 * which are read by us then. */
	const char *secret_file;
	const char *token_file;
	struct slice role_policy;     /* the contents of role_policy_file */
	struct slice events_password; /* of events_password_file; empty: none */
	struct slice events_kafka;    /* of events_kafka_file; empty: none */
	bool own_sts;                 /* sts_url is in this process */
	/* The URL, without a bucket, of the store in this process if the policies are for it;
	 * otherwise NULL or "". */
	const char *own_store_url;
	const struct app_profile_options *profiles;
	size_t profile_count;
};

/* A structure with every default. */
struct app_options app_options_default(void);

#endif
