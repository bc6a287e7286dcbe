/* SPDX-License-Identifier: Apache-2.0 */
#include "net/resolver.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <pthread.h>
#include <stdlib.h>

#include "base/host.h"
#include "base/limits.h"
#include "base/thread.h"
#include "crypto/random.h"
#include "net/shares.h"

#define ADDRESSES_BYTES_MAX KIB(4)

struct resolver_lookup {
	struct resolver_lookup *next; /* in the queue, or of what is done */
	char *host;
	struct slots slots;
	bool trusted;
	/* Under the lock: */
	bool unwanted; /* nobody waits any more */
	bool finished;
	bool tried;
	bool found;
	struct strbuf addresses;
	/* The caller's thread alone: */
	struct resolver_lookup *sibling; /* in `asked` */
	struct resolver_wait *waits;
};

/* What is known of a name. */
struct known {
	char *host; /* NULL: nothing */
	bool found;
	struct strbuf addresses;
	int64_t until_ms;
};

struct resolver {
	struct resolver_options options;

	pthread_mutex_t lock; /* protects what follows; held for a few instructions */
	pthread_cond_t changed;
	struct resolver_lookup *queue, **queue_last;
	struct resolver_lookup *done;
	unsigned threads;
	unsigned holders; /* these, and the caller */
	unsigned idle;
	bool ending;
	struct shares untrusted; /* threads at work for names that callbacks say */

	/* The caller's thread alone: */
	uint64_t seed; /* of its hash */
	struct resolver_lookup *asked;
	struct known cache[LIMIT_NAMES_CACHED];
};

/* ---- The threads ------------------------------------------------------------------------------
 */

static void add_address(struct strbuf *out, const struct sockaddr *address)
{
	char text[INET6_ADDRSTRLEN];
	const void *any = address;
	bool v6 = address->sa_family == AF_INET6;
	if (!v6 && address->sa_family != AF_INET)
		return;
	const void *number = v6 ? (const void *)&((const struct sockaddr_in6 *)any)->sin6_addr
				: (const void *)&((const struct sockaddr_in *)any)->sin_addr;
	if (inet_ntop(address->sa_family, number, text, sizeof(text)))
		strbuf_addf(out, v6 ? "%s[%s]" : "%s%s", out->len ? "," : "", text);
}

static bool look_up(const char *host, struct strbuf *ret)
{
	struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
	struct addrinfo *found = NULL;
	if (getaddrinfo(host, NULL, &hints, &found) != 0)
		return false;
	for (struct addrinfo *one = found; one; one = one->ai_next)
		add_address(ret, one->ai_addr);
	freeaddrinfo(found);
	return ret->len > 0 && !strbuf_broken(ret);
}

static void lookup_free(struct resolver_lookup *lookup)
{
	strbuf_release(&lookup->addresses);
	free(lookup->host);
	free(lookup);
}

/* The first in the queue that a thread may work on, out of it. Under the lock. */
static struct resolver_lookup *next_lookup(struct resolver *r)
{
	struct resolver_lookup **at = &r->queue;
	while (*at && !(*at)->unwanted && !(*at)->trusted &&
		!shares_may(&r->untrusted, (*at)->slots))
		at = &(*at)->next;
	struct resolver_lookup *lookup = *at;
	if (!lookup)
		return NULL;
	*at = lookup->next;
	if (!*at)
		r->queue_last = at;
	return lookup;
}

/* One lookup. Under the lock, which is given up meanwhile. */
static void work_on(struct resolver *r, struct resolver_lookup *lookup)
{
	bool wanted = !lookup->unwanted;
	if (wanted) {
		if (!lookup->trusted)
			shares_take(&r->untrusted, lookup->slots);
		(void)pthread_mutex_unlock(&r->lock);
		bool found = r->options.look_up(lookup->host, &lookup->addresses);
		(void)pthread_mutex_lock(&r->lock);
		lookup->tried = true;
		lookup->found = found;
		if (!lookup->trusted)
			shares_give(&r->untrusted, lookup->slots);
		/* Another of the same requester may have waited for that. */
		(void)pthread_cond_broadcast(&r->changed);
	}
	if (r->ending) {
		lookup_free(lookup);
		return;
	}
	lookup->finished = true;
	lookup->next = r->done;
	r->done = lookup;
	r->options.ready(r->options.ctx);
}

static void resolver_release(struct resolver *r)
{
	while (r->queue) {
		struct resolver_lookup *lookup = r->queue;
		r->queue = lookup->next;
		lookup_free(lookup);
	}
	while (r->done) {
		struct resolver_lookup *lookup = r->done;
		r->done = lookup->next;
		lookup_free(lookup);
	}
	for (size_t i = 0; i < ARRAY_LEN(r->cache); i++) {
		free(r->cache[i].host);
		strbuf_release(&r->cache[i].addresses);
	}
	(void)pthread_cond_destroy(&r->changed);
	(void)pthread_mutex_destroy(&r->lock);
	free(r);
}

static void *resolver_main(void *argument)
{
	struct resolver *r = argument;
	(void)pthread_mutex_lock(&r->lock);
	while (!r->ending) {
		struct resolver_lookup *lookup = next_lookup(r);
		if (lookup) {
			work_on(r, lookup);
			continue;
		}
		r->idle++;
		(void)pthread_cond_wait(&r->changed, &r->lock);
		r->idle--;
	}
	r->threads--;
	bool last = --r->holders == 0;
	(void)pthread_cond_broadcast(&r->changed);
	(void)pthread_mutex_unlock(&r->lock);
	if (last)
		resolver_release(r);
	return NULL;
}

/* Under the lock. They are not waited for: what getaddrinfo() does cannot be ended. */
static bool start_thread(struct resolver *r)
{
	pthread_t thread;
	if (!thread_start(&thread, "resolver", THREAD_SERVERS, resolver_main, r))
		return false;
	(void)pthread_detach(thread);
	r->threads++;
	r->holders++;
	return true;
}

/* ---- What is known ----------------------------------------------------------------------------
 */

static struct known *known_of(struct resolver *r, const char *host)
{
	uint64_t hash = slot_hash(r->seed, slice_str(host));
	return &r->cache[hash % ARRAY_LEN(r->cache)];
}

static void remember(struct resolver *r, const struct resolver_lookup *lookup, int64_t now_ms)
{
	struct known *known = known_of(r, lookup->host);
	char *host = strdup(lookup->host);
	if (!host)
		return;
	free(known->host);
	known->host = host;
	known->found = lookup->found;
	strbuf_clear(&known->addresses);
	strbuf_add_slice(&known->addresses, strbuf_slice(&lookup->addresses));
	known->until_ms = now_ms + (lookup->found ? LIMIT_NAME_KNOWN_MS : LIMIT_NAME_UNKNOWN_MS);
}

static void tell(struct resolver_wait *wait, bool found, const struct strbuf *addresses)
{
	strbuf_init(&wait->addresses, ADDRESSES_BYTES_MAX);
	strbuf_add_slice(&wait->addresses, strbuf_slice(addresses));
	wait->found = found && !strbuf_broken(&wait->addresses);
	wait->lookup_ = NULL;
}

/* ---- The caller's side ------------------------------------------------------------------------
 */

enum err resolver_new(const struct resolver_options *options, struct resolver **ret)
{
	struct resolver *r = calloc(1, sizeof(*r));
	if (!r)
		return ERR_UNAVAILABLE;
	r->options = *options;
	if (!r->options.look_up)
		r->options.look_up = look_up;
	(void)pthread_mutex_init(&r->lock, NULL);
	(void)pthread_cond_init(&r->changed, NULL);
	r->queue_last = &r->queue;
	r->holders = 1;
	shares_init(&r->untrusted, LIMIT_RESOLVER_THREADS - LIMIT_RESOLVER_THREADS_TRUSTED);
	random_bytes(&r->seed, sizeof(r->seed));
	for (size_t i = 0; i < ARRAY_LEN(r->cache); i++)
		strbuf_init(&r->cache[i].addresses, ADDRESSES_BYTES_MAX);
	*ret = r;
	return ERR_OK;
}

void resolver_free(struct resolver *r)
{
	if (!r)
		return;
	(void)pthread_mutex_lock(&r->lock);
	r->ending = true;
	(void)pthread_cond_broadcast(&r->changed);
	/* Those that have nothing to do end now. */
	while (r->idle > 0)
		(void)pthread_cond_wait(&r->changed, &r->lock);
	bool last = --r->holders == 0;
	(void)pthread_mutex_unlock(&r->lock);
	if (last)
		resolver_release(r);
}

static struct resolver_lookup *lookup_new(
	struct resolver *r, const char *host, struct slice requester, bool trusted)
{
	struct resolver_lookup *lookup = calloc(1, sizeof(*lookup));
	if (!lookup)
		return NULL;
	*lookup = (struct resolver_lookup){
		.host = strdup(host),
		.slots = shares_slots(&r->untrusted, requester),
		.trusted = trusted,
	};
	strbuf_init(&lookup->addresses, ADDRESSES_BYTES_MAX);
	if (lookup->host)
		return lookup;
	lookup_free(lookup);
	return NULL;
}

static bool submit(struct resolver *r, struct resolver_lookup *lookup)
{
	(void)pthread_mutex_lock(&r->lock);
	if (r->idle == 0 && r->threads < LIMIT_RESOLVER_THREADS)
		(void)start_thread(r);
	bool ok = r->threads > 0;
	if (ok) {
		*r->queue_last = lookup;
		r->queue_last = &lookup->next;
		(void)pthread_cond_broadcast(&r->changed);
	}
	(void)pthread_mutex_unlock(&r->lock);
	return ok;
}

/* Whether it can still be waited for. */
static bool join(struct resolver *r, struct resolver_lookup *lookup)
{
	(void)pthread_mutex_lock(&r->lock);
	bool ok = !lookup->finished;
	if (ok)
		lookup->unwanted = false;
	(void)pthread_mutex_unlock(&r->lock);
	return ok;
}

/* One that is under way already: no name takes two threads of a kind. */
static struct resolver_lookup *asked_for(struct resolver *r, const char *host, bool trusted)
{
	struct resolver_lookup *lookup = r->asked;
	while (lookup &&
		(lookup->trusted != trusted || strcmp(lookup->host, host) != 0 || !join(r, lookup)))
		lookup = lookup->sibling;
	return lookup;
}

enum resolver_now resolver_ask(struct resolver *r, const char *host, struct slice requester,
	bool trusted, int64_t now_ms, struct resolver_wait *wait)
{
	if (host_is_localhost(slice_str(host))) {
		struct strbuf loopback = STRBUF_INIT(ADDRESSES_BYTES_MAX);
		strbuf_adds(&loopback, "127.0.0.1,[::1]");
		tell(wait, true, &loopback);
		strbuf_release(&loopback);
		return RESOLVER_DONE;
	}
	const struct known *known = known_of(r, host);
	if (known->host && known->until_ms > now_ms && strcmp(known->host, host) == 0) {
		tell(wait, known->found, &known->addresses);
		return RESOLVER_DONE;
	}
	struct resolver_lookup *lookup = asked_for(r, host, trusted);
	if (!lookup) {
		lookup = lookup_new(r, host, requester, trusted);
		if (!lookup)
			return RESOLVER_BUSY;
		if (!submit(r, lookup)) {
			lookup_free(lookup);
			return RESOLVER_BUSY;
		}
		lookup->sibling = r->asked;
		r->asked = lookup;
	}
	wait->lookup_ = lookup;
	wait->next_ = lookup->waits;
	lookup->waits = wait;
	return RESOLVER_WAIT;
}

static void forget(struct resolver *r, struct resolver_lookup *lookup)
{
	struct resolver_lookup **at = &r->asked;
	while (*at != lookup)
		at = &(*at)->sibling;
	*at = lookup->sibling;
}

struct resolver_wait *resolver_take(struct resolver *r, int64_t now_ms)
{
	for (;;) {
		(void)pthread_mutex_lock(&r->lock);
		struct resolver_lookup *lookup = r->done;
		(void)pthread_mutex_unlock(&r->lock);
		if (!lookup)
			return NULL;
		if (lookup->waits) {
			struct resolver_wait *wait = lookup->waits;
			lookup->waits = wait->next_;
			tell(wait, lookup->found, &lookup->addresses);
			return wait;
		}
		/* Nobody waits for it any more. Only this thread takes from the list. */
		(void)pthread_mutex_lock(&r->lock);
		struct resolver_lookup **at = &r->done;
		while (*at != lookup)
			at = &(*at)->next;
		*at = lookup->next;
		(void)pthread_mutex_unlock(&r->lock);
		if (lookup->tried)
			remember(r, lookup, now_ms);
		forget(r, lookup);
		lookup_free(lookup);
	}
}

void resolver_cancel(struct resolver *r, struct resolver_wait *wait)
{
	struct resolver_lookup *lookup = wait->lookup_;
	if (!lookup)
		return;
	struct resolver_wait **at = &lookup->waits;
	while (*at != wait)
		at = &(*at)->next_;
	*at = wait->next_;
	wait->lookup_ = NULL;
	if (lookup->waits)
		return;
	(void)pthread_mutex_lock(&r->lock);
	lookup->unwanted = true;
	(void)pthread_mutex_unlock(&r->lock);
}
