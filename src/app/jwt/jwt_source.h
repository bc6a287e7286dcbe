/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Keys of tokens that are at a URL. What it answers is kept; it is asked again when a token names a
 * key that is not in the set, at most once in JWT_KEYS_REFETCH_MS, and by the way when the set is
 * older than JWT_KEYS_REFRESH_MS. While it does not answer with keys, those that are there go on.
 *
 * Thread-safe.
 */
#ifndef APP_JWT_JWT_SOURCE_H
#define APP_JWT_JWT_SOURCE_H

#include "app/jwt/jwt_keys.h"
#include "base/clock.h"
#include "base/task.h"
#include "net/outgoing.h"

#define JWT_KEYS_REFETCH_MS 30000
#define JWT_KEYS_RETRY_MS 5000 /* while there is no set at all */
#define JWT_KEYS_REFRESH_MS 600000

struct jwt_source;

struct jwt_wait {
	struct executor *home;
	struct task done; /* done.run set by the caller */
	/* The result, which the caller gives back by jwt_keys_release(); NULL: not to be had. */
	struct jwt_keys *keys;
	struct jwt_wait *next_;
};

/* `url` stays in place; it is the operator's own, so it may be at any address. */
enum err jwt_source_new(struct outgoing *outgoing, const struct clock *clock, const char *url,
	struct jwt_source **ret) MUST_USE;
/* Once no fetch is under way. NULL is allowed. */
void jwt_source_free(struct jwt_source *source);

/*
 * True: wait->keys is set. False: `wait->done` will be posted to its home, with wait->keys set
 * then. `stale` is NULL, or a set that was got here and has not the key that is wanted: the result
 * is another one, or the same if no other can be had now.
 */
bool jwt_source_get(
	struct jwt_source *source, const struct jwt_keys *stale, struct jwt_wait *wait) MUST_USE;

#endif
