/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Resolves host names on a few threads, because getaddrinfo() blocks, for half a minute if no
 * server answers, and cannot be cancelled. The threads are shared: each requester gets only some of
 * them, fewer the fewer are free, and some are kept for names in postern's own configuration.
 * Results, also negative ones, are cached for a while. `localhost` and the names below it are the
 * loopback, whatever the system says (RFC 6761 section 6.3).
 *
 * All calls are made by one thread, and none of them blocks.
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
	/* resolver_take() has a result. On a thread of the resolver; must not block. */
	void (*ready)(void *ctx);
	void *ctx;
};

struct resolver_wait {
	/* ---- The result. ---- */
	bool found;
	struct strbuf addresses; /* freed by the caller */

	/* ---- Private. ---- */
	struct resolver_lookup *lookup_; /* NULL: no lookup is in progress */
	struct resolver_wait *next_;
};

enum err resolver_new(const struct resolver_options *options, struct resolver **ret) MUST_USE;
/* Cancels everything. Threads that are blocked end when the system answers. NULL is allowed. */
void resolver_free(struct resolver *resolver);

enum resolver_now {
	RESOLVER_DONE, /* the result is set */
	RESOLVER_WAIT, /* resolver_take() will return it, unless it is cancelled */
	RESOLVER_BUSY, /* no memory, or no thread */
};

/*
 * Looks up the addresses of `host`. `requester` named it, and gets a share of the threads;
 * `trusted` means that postern's own configuration names it.
 */
enum resolver_now resolver_ask(struct resolver *resolver, const char *host, struct slice requester,
	bool trusted, int64_t now_ms, struct resolver_wait *wait) MUST_USE;
/* A wait whose result is set; NULL if there is none. */
struct resolver_wait *resolver_take(struct resolver *resolver, int64_t now_ms) MUST_USE;
/* Cancels a lookup, if one is in progress. */
void resolver_cancel(struct resolver *resolver, struct resolver_wait *wait);

#endif
