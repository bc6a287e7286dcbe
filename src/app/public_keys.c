/* SPDX-License-Identifier: Apache-2.0 */
#include "app/public_keys.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "base/limits.h"
#include "base/log.h"
#include "crypto/rsa.h"

struct public_key {
	atomic_int references;
	struct rsa_public *rsa;
};

struct entry {
	struct public_keys *keys;
	char *url; /* NULL: the entry is free */
	struct public_key *key;
	bool fixed;
	bool pinned; /* a place for a URL that the configuration names; else for others */
	bool fetching;
	bool tried; /* there was a fetch: */
	int64_t tried_ms;
	uint64_t used; /* the count of public_keys_get() when it was last asked for */
	struct public_key_wait *waits;
	struct outgoing_request request;
};

struct public_keys {
	struct outgoing *outgoing;
	const struct allow_list *allow;
	const struct clock *clock;
	pthread_mutex_t lock; /* protects what follows; nothing is waited for under it */
	uint64_t uses;
	struct entry entries[LIMIT_PUBLIC_KEYS_CACHED];
};

static struct public_key *key_new(struct slice pem)
{
	struct public_key *key = calloc(1, sizeof(*key));
	if (key && rsa_public_parse(pem, &key->rsa) != ERR_OK) {
		free(key);
		return NULL;
	}
	if (key)
		atomic_init(&key->references, 1);
	return key;
}

static struct public_key *key_share(struct public_key *key)
{
	if (key)
		atomic_fetch_add(&key->references, 1);
	return key;
}

static struct entry *find(struct public_keys *keys, struct slice url)
{
	for (size_t i = 0; i < ARRAY_LEN(keys->entries); i++)
		if (keys->entries[i].url && slice_eq(slice_str(keys->entries[i].url), url))
			return &keys->entries[i];
	return NULL;
}

/*
 * A free entry, or else the one that was not used for longest. NULL if all are busy. Entries are of
 * two kinds that do not take each other's place: whoever makes us ask for many URLs that we only
 * trust by their beginning cannot have the keys forgotten that callbacks come with.
 */
static struct entry *claim(struct public_keys *keys, struct slice url, bool pinned)
{
	struct entry *best = NULL;
	for (size_t i = 0; i < ARRAY_LEN(keys->entries); i++) {
		struct entry *entry = &keys->entries[i];
		if (entry->pinned != pinned)
			continue;
		if (entry->url && (entry->fixed || entry->fetching))
			continue;
		if (!best || (best->url && (!entry->url || entry->used < best->used)))
			best = entry;
	}
	char *copy = best ? strndup(url.ptr, url.len) : NULL;
	if (!copy)
		return NULL;
	free(best->url);
	public_key_release(best->key);
	*best = (struct entry){.keys = keys, .url = copy, .pinned = pinned};
	return best;
}

/* On the home of the wait that began it. */
static void on_fetched(struct task *task)
{
	struct outgoing_request *request = CONTAINER_OF(task, struct outgoing_request, done);
	struct entry *entry = CONTAINER_OF(request, struct entry, request);
	struct public_keys *keys = entry->keys;
	bool answered = request->kind == OUTGOING_ANSWERED && request->status == 200;
	struct public_key *key = answered ? key_new(strbuf_slice(&request->answer)) : NULL;
	if (!key) {
		char url[200];
		log_error("public key %s: %s (status %d)",
			log_quoted(slice_str(entry->url), url, sizeof(url)),
			answered         ? "what came is no RSA public key"
			: request->fault ? request->fault
					 : "not answered with 200",
			request->status);
	}
	outgoing_request_release(request);
	(void)pthread_mutex_lock(&keys->lock);
	if (key) {
		public_key_release(entry->key);
		entry->key = key;
	}
	entry->fetching = false;
	entry->tried = true;
	entry->tried_ms = clock_wall_ms(keys->clock);
	struct public_key_wait *waits = TAKE(entry->waits);
	for (struct public_key_wait *wait = waits; wait; wait = wait->next_)
		wait->key = key_share(entry->key);
	(void)pthread_mutex_unlock(&keys->lock);
	while (waits) {
		struct public_key_wait *wait = waits;
		waits = wait->next_;
		executor_post(wait->home, &wait->done);
	}
}

/* Whether what the entry has is all that can be had now. */
static bool is_newest(
	const struct public_keys *keys, const struct entry *entry, const struct public_key *stale)
{
	if (entry->fixed || (entry->key && entry->key != stale))
		return true;
	int64_t pause_ms = entry->key ? PUBLIC_KEYS_REFETCH_MS : PUBLIC_KEYS_RETRY_MS;
	/* A clock that was set back says nothing. */
	int64_t ago_ms = clock_wall_ms(keys->clock) - entry->tried_ms;
	return !entry->fetching && entry->tried && ago_ms >= 0 && ago_ms < pause_ms;
}

/* At least a millisecond: libcurl takes 0 for no limit. */
static int64_t fetch_ms(const struct public_key_wait *wait)
{
	int64_t left_ms = wait->deadline_ms - clock_monotonic_ms();
	if (wait->deadline_ms == 0 || left_ms > PUBLIC_KEYS_FETCH_MS)
		return PUBLIC_KEYS_FETCH_MS;
	return left_ms > 1 ? left_ms : 1;
}

static void fetch(struct public_keys *keys, struct entry *entry, const struct public_key_wait *wait)
{
	entry->fetching = true;
	entry->request = (struct outgoing_request){
		.class = OUTGOING_KEY,
		.url = entry->url,
		.timeout_ms = fetch_ms(wait),
		.max_answer_bytes = LIMIT_PUBLIC_KEY_BYTES,
		.flags = OUTGOING_SNI,
		.allow = keys->allow,
		.home = wait->home,
		.done.run = on_fetched,
	};
	outgoing_send(keys->outgoing, &entry->request);
}

enum err public_keys_new(struct outgoing *outgoing, const struct allow_list *allow,
	const struct clock *clock, struct public_keys **ret)
{
	struct public_keys *keys = calloc(1, sizeof(*keys));
	if (!keys)
		return ERR_UNAVAILABLE;
	keys->outgoing = outgoing;
	keys->allow = allow;
	keys->clock = clock;
	(void)pthread_mutex_init(&keys->lock, NULL);
	for (size_t i = LIMIT_PUBLIC_KEYS_UNPINNED; i < ARRAY_LEN(keys->entries); i++)
		keys->entries[i].pinned = true;
	*ret = keys;
	return ERR_OK;
}

void public_keys_free(struct public_keys *keys)
{
	if (!keys)
		return;
	for (size_t i = 0; i < ARRAY_LEN(keys->entries); i++) {
		free(keys->entries[i].url);
		public_key_release(keys->entries[i].key);
	}
	(void)pthread_mutex_destroy(&keys->lock);
	free(keys);
}

enum err public_keys_add(struct public_keys *keys, struct slice url, struct slice pem)
{
	struct public_key *key = key_new(pem);
	if (!key)
		return ERR_INVALID_ARGUMENT;
	(void)pthread_mutex_lock(&keys->lock);
	struct entry *entry = claim(keys, url, true);
	if (entry) {
		entry->key = key;
		entry->fixed = true;
	}
	(void)pthread_mutex_unlock(&keys->lock);
	if (!entry)
		public_key_release(key);
	return entry ? ERR_OK : ERR_UNAVAILABLE;
}

bool public_keys_has_fixed(struct public_keys *keys, struct slice url)
{
	(void)pthread_mutex_lock(&keys->lock);
	const struct entry *entry = find(keys, url);
	bool fixed = entry && entry->fixed;
	(void)pthread_mutex_unlock(&keys->lock);
	return fixed;
}

bool public_keys_get(struct public_keys *keys, struct slice url, const struct public_key *stale,
	struct public_key_wait *wait)
{
	wait->key = NULL;
	(void)pthread_mutex_lock(&keys->lock);
	struct entry *entry = find(keys, url);
	if (!entry)
		entry = claim(keys, url, wait->pinned);
	bool ready = !entry || is_newest(keys, entry, stale);
	if (entry)
		entry->used = ++keys->uses;
	if (entry && ready) {
		wait->key = key_share(entry->key);
	} else if (entry) {
		wait->next_ = entry->waits;
		entry->waits = wait;
		if (!entry->fetching)
			fetch(keys, entry, wait);
	}
	(void)pthread_mutex_unlock(&keys->lock);
	return ready;
}

const struct rsa_public *public_key_rsa(const struct public_key *key)
{
	return key->rsa;
}

void public_key_release(struct public_key *key)
{
	if (!key || atomic_fetch_sub(&key->references, 1) > 1)
		return;
	rsa_public_free(key->rsa);
	free(key);
}
