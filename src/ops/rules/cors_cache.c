/* SPDX-License-Identifier: Apache-2.0 */
#include "ops/rules/cors_cache.h"

static enum err parse(struct slice document, void **ret, struct strbuf *reason)
{
	struct cors *cors = NULL;
	enum err e = cors_parse(document, &cors, reason);
	*ret = cors;
	return e;
}

static void release(void *cors)
{
	cors_free(cors);
}

struct setting_cache *cors_cache_new(void)
{
	static const struct setting_kind kind = {
		.name = "CORS rules",
		.setting = STORE_SETTING_CORS,
		.parse = parse,
		.free = release,
	};
	return setting_cache_new(&kind);
}

void cors_cache_actual(struct setting_cache *cache, const struct store_bucket *bucket,
	struct slice origin, struct slice method, struct strbuf *out)
{
	const void *cors;
	if (setting_cache_take(cache, bucket, &cors) == ERR_UNAVAILABLE)
		strbuf_starve(out);
	if (!cors)
		return;
	cors_actual(cors, origin, method, out);
	setting_cache_done(cache);
}

enum err cors_cache_preflight(struct setting_cache *cache, const struct store_bucket *bucket,
	const struct cors_request *request, struct strbuf *out)
{
	const void *cors;
	enum err e = setting_cache_take(cache, bucket, &cors);
	if (e != ERR_UNAVAILABLE)
		e = cors_preflight(cors, request, out);
	if (cors)
		setting_cache_done(cache);
	return e;
}
