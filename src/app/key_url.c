/* SPDX-License-Identifier: Apache-2.0 */
#include "app/key_url.h"

#include "app/app_internal.h"

/* Below a prefix, OSS has its key under this name. */
static const struct slice oss_key_name = SLICE_LIT("callback_pub_key_v1.pem");

static bool is_visible(struct slice url)
{
	for (size_t i = 0; i < url.len; i++)
		if ((unsigned char)url.ptr[i] <= 0x20 || (unsigned char)url.ptr[i] >= 0x7f)
			return false;
	return true;
}

/* Whether there is an entry that admits the URL; `pinned`: all of it. */
static bool is_listed(
	const struct app *app, const struct rules *rules, struct slice url, bool pinned)
{
	const struct settings_list *trusted = &rules->key_urls;
	for (size_t i = 0; i < trusted->count; i++) {
		struct slice entry = trusted->words[i];
		bool below = slice_ends(entry, S("/")) && slice_starts(url, entry);
		if (slice_eq(url, entry) ||
			(below && (!pinned || slice_eq(slice_from(url, entry.len), oss_key_name))))
			return true;
	}
	return public_keys_has_fixed(app->keys, url);
}

bool key_url_is_trusted(const struct app *app, const struct rules *rules, struct slice url)
{
	return is_visible(url) && is_listed(app, rules, url, false);
}

bool key_url_is_pinned(const struct app *app, const struct rules *rules, struct slice url)
{
	return is_listed(app, rules, url, true);
}
