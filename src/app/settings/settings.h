/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The options of the application server, checked and parsed once. A struct settings is always
 * valid, owns what it points to, and is immutable: any thread may read it.
 */
#ifndef APP_SETTINGS_SETTINGS_H
#define APP_SETTINGS_SETTINGS_H

#include "app/checks/clamd.h"
#include "app/credentials/provider_options.h"
#include "app/jwt/jwt.h"
#include "app/settings/options.h"
#include "app/settings/profile.h"
#include "app/text/events_address.h"
#include "app/text/webhook_signature.h"
#include "base/arena.h"
#include "base/err.h"
#include "base/limits.h"
#include "http/hosts.h"
#include "net/address.h"

/* Every slice has a NUL behind it. */
struct settings {
	struct provider_options credentials;
	struct slice host;   /* where the form is posted: the URL without a final `/` */
	struct slice origin; /* scheme and authority of `host` */
	struct slice bucket;
	struct slice store_url; /* of the bucket, for postern's own requests; without a final `/` */
	bool any_certificate;
	bool own_store;
	enum app_confirm confirm;
	int64_t grant_uploads;
	struct profile *profiles; /* the first is the default one */
	size_t profile_count;
	bool dir_per_token; /* of the classic pages */
	struct slice region;
	int signature_version;
	int64_t expire_seconds;
	bool any_origin;
	struct settings_list origins;
	struct hosts hosts;
	bool bind_callback;
	bool require_grant;
	struct slice callback_url;             /* empty: no callback */
	struct settings_list callback_targets; /* path and query of its URLs */
	struct settings_list callback_paths;   /* the paths alone */
	struct settings_list key_urls;         /* one that ends in `/` is a prefix */
	struct clamd_address clamd;            /* for profiles that check for viruses */
	struct slice webhook_url;              /* empty: none */
	struct webhook_keys webhook_keys;
	bool events;             /* they are written down */
	struct slice events_url; /* empty: none */
	struct events_address events_address;
	struct slice events_stream;                /* or topic */
	int64_t events_stream_max;                 /* entries; 0: any number */
	struct slice events_user, events_password; /* of Redis; empty: none */
	struct slice events_kafka;                 /* properties.h; all of it is valid */
	int64_t events_tries;
	int64_t events_max_age_hours;
	int64_t events_max; /* rows */
	int64_t events_keep_days;
	struct slice multipart_path; /* "/s3"; empty: none */
	int64_t multipart_expire_seconds;
	int64_t grant_rate; /* requests a minute; 0: any */
	int64_t part_rate;
	struct allow_list *trusted_proxies;
	int64_t reconcile_seconds; /* 0: the store is not asked */
	int64_t grants_max;
	bool grants_awaited;
	int64_t grants_keep_days;
	enum app_auth auth;
	struct jwt_keys *jwt_keys; /* NULL: they are at */
	struct slice jwt_keys_url;
	struct slice jwt_cookie;    /* empty: no cookie counts */
	struct slice auth_url;      /* with APP_AUTH_FORWARD */
	struct jwt_rules jwt_rules; /* its claims are those of the profiles */
	struct arena arena_;
};

/*
 * Fills *ret, which must be released in any case. ERR_INVALID_ARGUMENT with a sentence in `why`;
 * ERR_UNAVAILABLE without memory.
 */
enum err settings_init(struct settings *ret, const struct app_options *options, char *why,
	size_t why_size) MUST_USE;
void settings_release(struct settings *settings);

/* The profile of that name; empty and `default` are the default one. NULL: there is none. */
const struct profile *settings_profile(const struct settings *settings, struct slice name);

/* Whether a path is one of those of uploads in parts. */
bool settings_is_multipart(const struct settings *settings, struct slice path) MUST_USE;

/* Whether a cookie can have somebody admitted. */
bool settings_use_cookies(const struct settings *settings);

/* Whether allowed_origins has this very origin, rather than a pattern that it matches. */
bool settings_names_origin(const struct settings *settings, struct slice origin) MUST_USE;

#endif
