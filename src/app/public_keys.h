/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The public keys of trusted stores, by URL. A key is fetched once, however many callbacks wait for
 * it, and kept. A failed fetch is not repeated for some seconds. A key under which a callback did
 * not verify is fetched again, at most once a minute, in case the store has changed it. The caller
 * checks beforehand whether the URL is trusted.
 *
 * Thread-safe.
 */
#ifndef APP_PUBLIC_KEYS_H
#define APP_PUBLIC_KEYS_H

#include <stdbool.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/slice.h"
#include "base/task.h"
#include "net/outgoing.h"

#define PUBLIC_KEYS_RETRY_MS 5000
#define PUBLIC_KEYS_REFETCH_MS 60000
#define PUBLIC_KEYS_FETCH_MS 3000 /* of the five seconds that the store waits for us */

struct public_keys;
struct public_key;
struct rsa_public; /* crypto/rsa.h */

enum err public_keys_new(struct outgoing *outgoing, const struct allow_list *allow,
	const struct clock *clock, struct public_keys **ret) MUST_USE;
/* When no fetch is in progress. NULL is allowed. */
void public_keys_free(struct public_keys *keys);

/*
 * Sets the key of `url` permanently; it is never fetched. ERR_INVALID_ARGUMENT if it is not a key.
 */
enum err public_keys_add(struct public_keys *keys, struct slice url, struct slice pem) MUST_USE;
/* Whether the key of `url` was set so. */
bool public_keys_has_fixed(struct public_keys *keys, struct slice url) MUST_USE;

struct public_key_wait {
	struct executor *home;
	/*
	 * The configuration has this URL in full, so its key is not evicted for others. Other URLs
	 * share LIMIT_PUBLIC_KEYS_UNPINNED places.
	 */
	bool pinned;
	struct task done;    /* done.run set by the caller */
	int64_t deadline_ms; /* monotonic: a fetch that begins here ends by then; 0: none */
	/*
	 * The result, to be released by public_key_release(); NULL: the key could not be fetched.
	 */
	struct public_key *key;
	struct public_key_wait *next_;
};

/*
 * True: wait->key is set. False: `wait->done` will be posted to its home, with wait->key set then.
 *
 * `stale` is NULL, or an earlier result under which the callback did not verify: the result is then
 * a different key if there is one. `url` is copied.
 */
bool public_keys_get(struct public_keys *keys, struct slice url, const struct public_key *stale,
	struct public_key_wait *wait) MUST_USE;

const struct rsa_public *public_key_rsa(const struct public_key *key);
/* NULL is allowed. */
void public_key_release(struct public_key *key);

#endif
