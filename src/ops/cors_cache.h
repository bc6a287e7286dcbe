/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The compiled CORS rules of buckets, so that a request does not read XML. Keyed by the bucket's
 * generation: a changed bucket is another key, and what is not used any more is evicted. Any
 * thread.
 */
#ifndef OPS_CORS_CACHE_H
#define OPS_CORS_CACHE_H

#include "base/strbuf.h"
#include "oss/cors.h"
#include "store/store.h"

struct cors_cache;

struct cors_cache *cors_cache_new(void) MUST_USE;
void cors_cache_free(struct cors_cache *cache);

/* As cors_actual() and cors_preflight() with the rules of the bucket, which may be NULL. */
void cors_cache_actual(struct cors_cache *cache, const struct store_bucket *bucket,
	struct slice origin, struct slice method, struct strbuf *out);
enum err cors_cache_preflight(struct cors_cache *cache, const struct store_bucket *bucket,
	const struct cors_request *request, struct strbuf *out) MUST_USE;

#endif
