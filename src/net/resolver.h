/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Names of hosts, resolved by a few threads: getaddrinfo() blocks, for a name that nobody answers
 * for half a minute, and cannot be given up. So the threads are shared: whoever names hosts by
 * callbacks has some of them at most, less the fewer are free, and some are kept for the names in
 * our own configuration. What was found, and what was not, is remembered for a while. `localhost`
 * and the names below it are the loopback, whatever the system knows (RFC 6761 section 6.3).
 *
 * All calls are made by one thread, none of them waits.
 */
#ifndef NET_RESOLVER_H
#define NET_RESOLVER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/slice.h"
#include "base/strbuf.h"

struct resolver;
struct resolver_lookup;

struct resolver_options {
	/*
	 * Appends the addresses of `host`, separated by commas, those of IPv6 in brackets; false if
	 * there are none. On a thread of the resolver, may block. NULL: as the system does it.
	 */
	bool (*look_up)(const char *host, struct strbuf *ret);
	/* There is something for resolver_take(). On a thread of the resolver; must not block. */
	void (*ready)(void *ctx);
	void *ctx;
};

struct resolver_wait {
	/* ---- The result. ---- */
	bool found;
	struct strbuf addresses; /* freed by the caller */

	/* ---- The module's own. ---- */
	struct resolver_lookup *lookup_; /* NULL: nothing is asked for */
	struct resolver_wait *next_;
};

enum err resolver_new(const struct resolver_options *options, struct resolver **ret) MUST_USE;
/* Nobody waits any more. Threads that still wait for an answer end when it comes. NULL is allowed.
 */
void resolver_free(struct resolver *resolver);

enum resolver_now {
	RESOLVER_DONE, /* the result is there */
	RESOLVER_WAIT, /* resolver_take() will return it, unless it is cancelled */
	RESOLVER_BUSY, /* no memory, or no thread */
};

/*
 * Asks for the addresses of `host`. `requester` is who named it, for its share of the threads;
 * `trusted`: our own configuration did.
 */
enum resolver_now resolver_ask(struct resolver *resolver, const char *host, struct slice requester,
	bool trusted, int64_t now_ms, struct resolver_wait *wait) MUST_USE;
/* One that has its result; NULL if there is none. */
struct resolver_wait *resolver_take(struct resolver *resolver, int64_t now_ms) MUST_USE;
/* It is not waited for any more; does nothing if it is not. */
void resolver_cancel(struct resolver *resolver, struct resolver_wait *wait);

#endif
