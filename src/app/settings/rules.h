/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The rules that requests are judged by: the part of the options that may change while the server
 * runs, checked and parsed once. All else is in settings.h.
 *
 * Rules do not change and are counted: who has a reference may read them on any thread for as long
 * as that. A request takes one at its beginning (rules_history.h), and so has the same rules to its
 * end.
 */
#ifndef APP_SETTINGS_RULES_H
#define APP_SETTINGS_RULES_H

#include <stdatomic.h>

#include "app/checks/clamd.h"
#include "app/jwt/jwt.h"
#include "app/settings/options.h"
#include "app/settings/profile.h"
#include "app/text/webhook_signature.h"
#include "base/arena.h"
#include "http/hosts.h"
#include "net/address.h"

/* Every slice has a NUL behind it. */
struct rules {
	struct profile *profiles; /* the first is the default one */
	size_t profile_count;
	bool dir_per_token; /* of the classic pages */
	int64_t expire_seconds;
	int64_t multipart_expire_seconds;
	int64_t grant_uploads;
	bool grants_awaited;
	bool any_origin;
	struct settings_list origins;
	struct hosts hosts;
	bool require_grant;
	struct settings_list key_urls; /* one that ends in `/` is a prefix */
	struct clamd_address clamd;    /* for profiles that check for viruses */
	struct slice webhook_url;      /* empty: none */
	struct webhook_keys webhook_keys;
	int64_t grant_rate; /* requests a minute; 0: any */
	int64_t part_rate;
	struct allow_list *trusted_proxies;
	enum app_auth auth;
	struct jwt_keys *jwt_keys;  /* NULL: they are at jwt_keys_url of the settings */
	struct slice jwt_cookie;    /* empty: no cookie counts */
	struct slice auth_url;      /* with APP_AUTH_FORWARD */
	struct jwt_rules jwt_rules; /* its claims are those of the profiles */
	atomic_int references_;
	struct arena arena_;
};

struct rules *rules_share(struct rules *rules);
/* NULL is allowed. */
void rules_release(struct rules *rules);

static inline void rules_scope_ends(struct rules **rules)
{
	rules_release(*rules);
}
#define SCOPED_RULES CLEANUP(rules_scope_ends)

/* The profile of that name; empty and `default` are the default one. NULL: there is none. */
const struct profile *rules_profile(const struct rules *rules, struct slice name);

/* Whether a cookie can have somebody admitted. */
bool rules_use_cookies(const struct rules *rules);

/* Whether allowed_origins has this very origin, rather than a pattern that it matches. */
bool rules_name_origin(const struct rules *rules, struct slice origin) MUST_USE;

#endif
