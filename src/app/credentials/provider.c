/* SPDX-License-Identifier: Apache-2.0 */
#include "app/credentials/provider.h"

#include <stdio.h>
#include <stdlib.h>

#include "app/credentials/source.h"
#include "base/log.h"
#include "base/sleeper.h"
#include "base/thread.h"
#include "crypto/secret.h"

#define FETCH_BYTES KIB(128)
#define FAULT_BYTES_MAX KIB(2)
#define FILES_MS 1000
#define PAUSE_MS_MIN 1000
#define PAUSE_MS_MAX 21600000

struct provider {
	const struct provider_options *options;
	struct provider_parts parts;
	struct grant_keys grant_keys;
	pthread_mutex_t lock; /* of the following; held while a reference is taken or replaced */
	pthread_cond_t attempted;
	struct credentials *current; /* NULL: there are none yet */
	struct credentials *pair;    /* of the options, or what has replaced it */
	bool tried;
	uint64_t refreshed, failed;

	struct sleeper sleeper;
	pthread_t thread;
	bool runs;
	/* The thread's own. */
	struct strbuf fault; /* what was logged last; empty: nothing is wrong */
	int64_t logged_ms;
	int64_t retry_ms;
};

static int64_t now(const struct provider *p)
{
	return clock_wall_ms(p->parts.clock) / 1000;
}

/* A pair of the configuration is used as it is. */
static bool is_pair(const struct provider *p)
{
	return p->options->source == APP_CREDENTIALS_FIXED ||
	       p->options->source == APP_CREDENTIALS_ENVIRONMENT;
}

static struct credentials *share(struct provider *p, struct credentials *const *which)
{
	(void)pthread_mutex_lock(&p->lock);
	struct credentials *c = *which ? credentials_share(*which) : NULL;
	(void)pthread_mutex_unlock(&p->lock);
	return c;
}

/* Takes over the reference. */
static void replace(struct provider *p, struct credentials **which, struct credentials *c)
{
	(void)pthread_mutex_lock(&p->lock);
	struct credentials *before = *which;
	*which = c;
	(void)pthread_mutex_unlock(&p->lock);
	credentials_release(before);
}

/* ---- Getting them -----------------------------------------------------------------------------
 */

static bool is_same(const struct credentials *c, const struct credential_values *v)
{
	return c && slice_eq(c->values.id, v->id) && slice_eq_secret(c->values.secret, v->secret) &&
	       slice_eq_secret(c->values.token, v->token) && c->values.expires == v->expires;
}

/* Grants are made with what lasts: the pair's secret, if it assumes a role. */
static struct slice grant_secret(const struct provider *p, const struct credentials *pair)
{
	return p->options->grant_secret.len > 0 ? p->options->grant_secret : pair->values.secret;
}

static bool use(struct provider *p, const struct credential_values *values, struct slice secret)
{
	SCOPED_CREDENTIALS struct credentials *before = share(p, &p->current);
	if (is_same(before, values))
		return true;
	struct credentials *c = credentials_new(values, secret);
	if (!c)
		return false;
	grant_keys_use(&p->grant_keys, &c->grant_key, now(p));
	replace(p, &p->current, c);
	(void)pthread_mutex_lock(&p->lock);
	p->refreshed++;
	(void)pthread_mutex_unlock(&p->lock);
	return true;
}

/* One attempt. The fault is the caller's to release. */
static bool fetch(struct provider *p, struct strbuf *fault)
{
	SCOPED_CREDENTIALS struct credentials *pair = share(p, &p->pair);
	/* One block, so that nothing stays behind of what is read. */
	SCOPED_FREE char *block = malloc(FETCH_BYTES);
	struct arena arena;
	struct source_call call = {.options = p->options,
		.pair = &pair->values,
		.outgoing = p->parts.outgoing,
		.clock = p->parts.clock,
		.arena = &arena,
		.fault = STRBUF_INIT(FAULT_BYTES_MAX)};
	arena_init(&arena, block, block ? FETCH_BYTES : 0, 0);
	bool ok = source_fetch(&call);
	if (ok && !use(p, &call.values, grant_secret(p, pair)))
		ok = source_fail(&call, "there is no memory");
	arena_reset(&arena);
	if (block)
		secret_wipe(block, FETCH_BYTES);
	*fault = call.fault;
	return ok;
}

/* What goes wrong in the same way is said once a minute. */
static void log_fault(struct provider *p, struct strbuf *fault)
{
	struct provider_stats stats;
	int64_t now_ms = clock_monotonic_ms();
	if (slice_eq(strbuf_slice(fault), strbuf_slice(&p->fault)) &&
		now_ms - p->logged_ms < LIMIT_CREDENTIALS_RETRY_MS) {
		strbuf_release(fault);
		return;
	}
	provider_stats(p, &stats);
	log_error("[app] credentials: %s; %s", fault->ptr,
		stats.valid ? "those that there are go on" : "nothing can be signed");
	strbuf_release(&p->fault);
	p->fault = *fault;
	p->logged_ms = now_ms;
}

static int64_t pause_ms(const struct provider *p, int64_t expires)
{
	if (p->options->source == APP_CREDENTIALS_FILE)
		return FILES_MS;
	int64_t ms = expires == CREDENTIALS_FOREVER ? PAUSE_MS_MAX : (expires - now(p)) * 1000 / 2;
	return ms < PAUSE_MS_MIN ? PAUSE_MS_MIN : ms > PAUSE_MS_MAX ? PAUSE_MS_MAX : ms;
}

/* Returns for how long to sleep. */
static int64_t attempt(struct provider *p)
{
	struct strbuf fault;
	bool ok = fetch(p, &fault);
	SCOPED_CREDENTIALS struct credentials *c = share(p, &p->current);
	(void)pthread_mutex_lock(&p->lock);
	p->failed += ok ? 0 : 1;
	p->tried = true;
	(void)pthread_cond_broadcast(&p->attempted);
	(void)pthread_mutex_unlock(&p->lock);
	if (!ok) {
		if (sleeper_stopped(&p->sleeper))
			strbuf_release(&fault);
		else
			log_fault(p, &fault);
		p->retry_ms = p->retry_ms ? 2 * p->retry_ms : PAUSE_MS_MIN;
		if (p->retry_ms > LIMIT_CREDENTIALS_RETRY_MS)
			p->retry_ms = LIMIT_CREDENTIALS_RETRY_MS;
		return p->options->source == APP_CREDENTIALS_FILE ? FILES_MS : p->retry_ms;
	}
	strbuf_release(&fault);
	if (p->fault.len > 0) {
		log_info("[app] credentials: they are had again");
		if (p->parts.came)
			p->parts.came(p->parts.ctx);
	}
	strbuf_clear(&p->fault);
	p->retry_ms = 0;
	return pause_ms(p, c->values.expires);
}

static void *run(void *state)
{
	struct provider *p = state;
	while (sleeper_sleep_until_woken(&p->sleeper, (uint64_t)attempt(p)))
		;
	return NULL;
}

/* ---- Life -------------------------------------------------------------------------------------
 */

/* What can be had without asking anybody. */
static enum err start(struct provider *p, char *why, size_t why_size)
{
	struct strbuf fault;
	p->pair = credentials_new(&p->options->pair, S(""));
	if (!p->pair)
		return ERR_UNAVAILABLE;
	if (!is_pair(p) && p->options->source != APP_CREDENTIALS_FILE) {
		/* Grants of before the start are known before there are credentials. */
		struct ticket_key key;
		ticket_key_derive(grant_secret(p, p->pair), &key);
		grant_keys_use(&p->grant_keys, &key, now(p));
		return ERR_OK;
	}
	bool ok = fetch(p, &fault);
	if (!ok && why_size > 0)
		(void)snprintf(why, why_size, "credentials: %s", fault.ptr);
	strbuf_release(&fault);
	return ok ? ERR_OK : ERR_INVALID_ARGUMENT;
}

enum err provider_new(const struct provider_options *options, const struct provider_parts *parts,
	struct provider **ret, char *why, size_t why_size)
{
	struct provider *p = calloc(1, sizeof(*p));
	if (!p)
		return ERR_UNAVAILABLE;
	p->options = options;
	p->parts = *parts;
	strbuf_init(&p->fault, FAULT_BYTES_MAX);
	sleeper_init(&p->sleeper);
	(void)pthread_mutex_init(&p->lock, NULL);
	(void)pthread_cond_init(&p->attempted, NULL);
	grant_keys_init(&p->grant_keys);
	enum err e = start(p, why, why_size);
	if (e) {
		provider_free(p);
		return e;
	}
	*ret = p;
	return ERR_OK;
}

enum err provider_begin(struct provider *p)
{
	if (is_pair(p))
		return ERR_OK;
	if (!thread_start(&p->thread, "credentials", THREAD_DISK, run, p))
		return ERR_UNAVAILABLE;
	p->runs = true;
	(void)pthread_mutex_lock(&p->lock);
	while (!p->tried)
		(void)pthread_cond_wait(&p->attempted, &p->lock);
	(void)pthread_mutex_unlock(&p->lock);
	return ERR_OK;
}

void provider_end(struct provider *p)
{
	if (p)
		sleeper_stop(&p->sleeper);
}

void provider_free(struct provider *p)
{
	if (!p)
		return;
	provider_end(p);
	if (p->runs)
		(void)pthread_join(p->thread, NULL);
	credentials_release(p->current);
	credentials_release(p->pair);
	grant_keys_release(&p->grant_keys);
	strbuf_release(&p->fault);
	sleeper_destroy(&p->sleeper);
	(void)pthread_cond_destroy(&p->attempted);
	(void)pthread_mutex_destroy(&p->lock);
	free(p);
}

/* ---- Using them -------------------------------------------------------------------------------
 */

struct credentials *provider_get(struct provider *p)
{
	struct credentials *c = share(p, &p->current);
	if (!c || now(p) < c->values.expires)
		return c;
	credentials_release(c);
	return NULL;
}

struct grant_keys *provider_grant_keys(struct provider *p)
{
	return &p->grant_keys;
}

enum err provider_replace(struct provider *p, const struct credential_values *pair)
{
	struct credentials *c = credentials_new(pair, S(""));
	if (!c)
		return ERR_UNAVAILABLE;
	if (is_pair(p) && !use(p, pair, grant_secret(p, c))) {
		credentials_release(c);
		return ERR_UNAVAILABLE;
	}
	replace(p, &p->pair, c);
	sleeper_wake(&p->sleeper);
	return ERR_OK;
}

void provider_stats(struct provider *p, struct provider_stats *ret)
{
	(void)pthread_mutex_lock(&p->lock);
	const struct credentials *c = p->current;
	*ret = (struct provider_stats){
		.valid = c && now(p) < c->values.expires,
		.expires = c && c->values.expires != CREDENTIALS_FOREVER ? c->values.expires : 0,
		.refreshed = p->refreshed,
		.failed = p->failed,
	};
	(void)pthread_mutex_unlock(&p->lock);
}
