/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The public keys of the stores whose callbacks we believe, by URL. A key is fetched once, however
 * many callbacks wait for it, and kept. A fetch that failed is not tried again for some seconds; a
 * key under which a callback did not verify is fetched again at most once a minute, in case the
 * store has changed it. Whether a URL is to be trusted is decided by the caller, before.
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
/* Once no fetch is under way. NULL is allowed. */
void public_keys_free(struct public_keys *keys);

/* Sets the key of `url` for good: it is never fetched. ERR_INVALID_ARGUMENT if it is no key. */
enum err public_keys_add(struct public_keys *keys, struct slice url, struct slice pem) MUST_USE;
/* Whether it was set like that. */
bool public_keys_has_fixed(struct public_keys *keys, struct slice url) MUST_USE;

struct public_key_wait {
	struct executor *home;
	/*
	 * The configuration names this very URL: its key is not given up for others. URLs that are
	 * not named so have LIMIT_PUBLIC_KEYS_UNPINNED places for themselves.
	 */
	bool pinned;
	struct task done;    /* done.run set by the caller */
	int64_t deadline_ms; /* monotonic: a fetch that begins here ends by then; 0: none */
	/* The result, which the caller gives back by public_key_release(); NULL: not to be had. */
	struct public_key *key;
	struct public_key_wait *next_;
};

/*
 * True: wait->key is set. False: `wait->done` will be posted to its home, with wait->key set then.
 *
 * `stale` is NULL, or a key that was got here and under which nothing verified: the result is
 * another key if there is one. `url` is copied.
 */
bool public_keys_get(struct public_keys *keys, struct slice url, const struct public_key *stale,
	struct public_key_wait *wait) MUST_USE;

const struct rsa_public *public_key_rsa(const struct public_key *key);
/* NULL is allowed. */
void public_key_release(struct public_key *key);

#endif
