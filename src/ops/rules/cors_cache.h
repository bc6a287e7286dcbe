/* SPDX-License-Identifier: Apache-2.0 */
/* The compiled CORS rules of buckets. Any thread. */
#ifndef OPS_RULES_CORS_CACHE_H
#define OPS_RULES_CORS_CACHE_H

#include "base/strbuf.h"
#include "ops/rules/setting_cache.h"
#include "oss/rules/cors.h"

struct setting_cache *cors_cache_new(void) MUST_USE;

/*
 * As cors_actual() and cors_preflight() with the rules of the bucket, which may be NULL; `out` is
 * starved, or ERR_UNAVAILABLE, without memory.
 */
void cors_cache_actual(struct setting_cache *cache, const struct store_bucket *bucket,
	struct slice origin, struct slice method, struct strbuf *out);
enum err cors_cache_preflight(struct setting_cache *cache, const struct store_bucket *bucket,
	const struct cors_request *request, struct strbuf *out) MUST_USE;

#endif
