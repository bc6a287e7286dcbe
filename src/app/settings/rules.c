/* SPDX-License-Identifier: Apache-2.0 */
#include "app/settings/rules.h"

#include <stdlib.h>

#include "crypto/secret.h"
#include "oss/rules/origin.h"

struct rules *rules_share(struct rules *rules)
{
	atomic_fetch_add(&rules->references_, 1);
	return rules;
}

void rules_release(struct rules *rules)
{
	if (!rules || atomic_fetch_sub(&rules->references_, 1) > 1)
		return;
	secret_wipe(&rules->webhook_keys, sizeof(rules->webhook_keys));
	jwt_keys_release(rules->jwt_keys);
	allow_list_free(rules->trusted_proxies);
	arena_reset(&rules->arena_);
	free(rules);
}

const struct profile *rules_profile(const struct rules *rules, struct slice name)
{
	if (name.len == 0 || slice_eq(name, S("default")))
		return rules->profiles;
	for (size_t i = 1; i < rules->profile_count; i++)
		if (slice_eq(rules->profiles[i].name, name))
			return &rules->profiles[i];
	return NULL;
}

bool rules_use_cookies(const struct rules *rules)
{
	return rules->jwt_cookie.len > 0 || rules->auth == APP_AUTH_FORWARD;
}

bool rules_name_origin(const struct rules *rules, struct slice origin)
{
	for (size_t i = 0; i < rules->origins.count; i++) {
		struct slice word = rules->origins.words[i];
		if (slice_find(word, '*') == word.len && !slice_eq(word, S("null")) &&
			origin_matches(word, origin))
			return true;
	}
	return false;
}
