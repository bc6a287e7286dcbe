/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One setting of buckets, compiled, so that a request does not read XML. There is room for every
 * bucket; a new bucket takes the room of a deleted one. A value compiled from an earlier generation
 * of a bucket is replaced. Any thread.
 */
#ifndef OPS_RULES_SETTING_CACHE_H
#define OPS_RULES_SETTING_CACHE_H

#include "base/err.h"
#include "base/strbuf.h"
#include "store/store.h"

struct setting_cache;

/* What is cached, and how it is made. */
struct setting_kind {
	const char *name; /* for the log: "CORS rules" */
	enum store_setting setting;
	enum err (*parse)(struct slice document, void **ret, struct strbuf *reason);
	void (*free)(void *value); /* NULL is allowed */
};

/* `kind` outlives it. */
struct setting_cache *setting_cache_new(const struct setting_kind *kind) MUST_USE;
/* NULL is allowed. */
void setting_cache_free(struct setting_cache *cache);

/*
 * The setting of the bucket, which may be NULL; *ret is NULL if it is not set. Otherwise the cache
 * is locked until setting_cache_done(), which is due soon. ERR_UNAVAILABLE without memory,
 * ERR_INTERNAL (logged) if it cannot be read; *ret is NULL then.
 */
enum err setting_cache_take(
	struct setting_cache *cache, const struct store_bucket *bucket, const void **ret) MUST_USE;
/* After one that was not NULL. */
void setting_cache_done(struct setting_cache *cache);

#endif
