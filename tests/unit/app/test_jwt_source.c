/* SPDX-License-Identifier: Apache-2.0 */
/* When keys are fetched, which of them are kept, and which tokens are remembered. */
#include "app/jwt/jwt_source.h"

#include "app/jwt/jwt_cache.h"
#include "loopback.h"
#include "tap.h"
#include "waiting.h"

#define SET(kid)                                                                  \
	"HTTP/1.1 200 OK\r\n\r\n{\"keys\":[{\"kty\":\"OKP\",\"crv\":\"Ed25519\"," \
	"\"kid\":\"" kid "\",\"x\":\"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo\"}]}"

static _Atomic int64_t now_ms = 1700000000000;

static int64_t test_wall_ms(const struct clock *clock)
{
	(void)clock;
	return now_ms;
}

static const struct clock test_clock = {test_wall_ms};
static const struct loopback_answer first[] = {{"/", SET("a")}, {NULL, NULL}};
static const struct loopback_answer second[] = {{"/", SET("b")}, {NULL, NULL}};
static const struct loopback_answer broken[] = {
	{"/", "HTTP/1.1 200 OK\r\n\r\n<html>"}, {NULL, NULL}};

static struct waiting here;
static struct loopback server;
static struct jwt_source *source;

struct call {
	struct jwt_wait wait;
	bool done;
};

static void on_done(struct task *task)
{
	struct jwt_wait *wait = CONTAINER_OF(task, struct jwt_wait, done);
	CONTAINER_OF(wait, struct call, wait)->done = true;
}

/* The set that there is now, given that `stale` has not the key; the caller's. */
static struct jwt_keys *get(const struct jwt_keys *stale)
{
	struct call call = {.wait = {.home = &here.executor, .done.run = on_done}};
	if (!jwt_source_get(source, stale, &call.wait))
		waiting_until(&here, &call.done);
	return call.wait.keys;
}

static bool has(const struct jwt_keys *keys, const char *kid)
{
	return keys && jwt_keys_find(keys, SIGNATURE_EDDSA, true, slice_str(kid));
}

static void refetching(void)
{
	struct jwt_keys *keys = get(NULL), *again = get(NULL);
	OK(has(keys, "a") && again == keys, "the first set, kept");
	IS_INT(loopback_connections(&server), 1, "was fetched once");
	jwt_keys_release(again);
	loopback_change(&server, second);
	now_ms += JWT_KEYS_REFETCH_MS - 1;
	again = get(keys);
	OK(again == keys, "a name that is not in it, too early");
	IS_INT(loopback_connections(&server), 1, "fetches nothing");
	jwt_keys_release(again);
	now_ms += 1;
	again = get(keys);
	OK(has(again, "b") && !has(again, "a"), "after half a minute it brings the second set");
	jwt_keys_release(keys);
	loopback_change(&server, broken);
	now_ms += JWT_KEYS_REFETCH_MS;
	keys = get(again);
	OK(keys == again, "what is no set does not take the place of one");
	IS_INT(loopback_connections(&server), 3, "though it was fetched");
	jwt_keys_release(keys);
	jwt_keys_release(again);
}

/* The set is used while it is looked whether it is still so; then the new one. */
static void refreshing(void)
{
	loopback_change(&server, first);
	now_ms += JWT_KEYS_REFRESH_MS;
	struct jwt_keys *old = get(NULL), *new = NULL;
	OK(has(old, "b"), "an old set is still good");
	while (!has(new, "a")) {
		jwt_keys_release(new);
		new = get(old); /* waits for the fetch that the first has begun */
	}
	IS_INT(loopback_connections(&server), 4, "and is fetched again by the way");
	jwt_keys_release(old);
	jwt_keys_release(new);
}

static void remembering(void)
{
	static const struct jwt_rules rules = {.leeway = 10, .claim_count = 1};
	const struct jwt_claims claims = {
		.expires = 1000, .subject = S("ann"), .values = {S("sales")}};
	struct jwt_cache *cache = jwt_cache_new();
	struct jwt_keys *keys = get(NULL), *other = NULL;
	struct jwt_claims found;
	struct arena arena;
	const char *why;
	arena_init(&arena, NULL, 0, KIB(64));
	if (jwt_keys_secret(S("0123456789abcdef0123456789abcdef"), &other, &why) != ERR_OK)
		abort();
	OK(!jwt_cache_find(cache, keys, &rules, S("t"), 0, &arena, &found), "not seen before");
	jwt_cache_add(cache, keys, &rules, S("t"), &claims);
	jwt_cache_add(cache, keys, &rules, S("t"), &claims);
	OK(jwt_cache_find(cache, keys, &rules, S("t"), 1009, &arena, &found), "seen before");
	IS(found.subject, S("ann"), "its subject");
	IS(found.values[0], S("sales"), "its claim");
	OK(!jwt_cache_find(cache, keys, &rules, S("t"), 1010, &arena, &found), "but not past exp");
	OK(!jwt_cache_find(cache, keys, &rules, S("T"), 0, &arena, &found), "nor another token");
	OK(!jwt_cache_find(cache, other, &rules, S("t"), 0, &arena, &found), "nor with other keys");
	struct jwt_rules others = rules;
	others.number++;
	OK(!jwt_cache_find(cache, keys, &others, S("t"), 0, &arena, &found), "nor by other rules");
	for (int i = 0; i < 4 * LIMIT_JWT_CACHED; i++) {
		char text[20];
		int len = snprintf(text, sizeof(text), "%d", i);
		jwt_cache_add(cache, keys, &rules, slice_of(text, (size_t)len), &claims);
	}
	int kept = 0;
	for (int i = 0; i < 4 * LIMIT_JWT_CACHED; i++) {
		char text[20];
		int len = snprintf(text, sizeof(text), "%d", i);
		kept += jwt_cache_find(
			cache, keys, &rules, slice_of(text, (size_t)len), 0, &arena, &found);
		arena_reset(&arena);
	}
	OK(kept > 0 && kept <= LIMIT_JWT_CACHED, "%d of many are kept", kept);
	jwt_cache_free(cache);
	jwt_keys_release(keys);
	jwt_keys_release(other);
}

int main(void)
{
	char url[100];
	struct outgoing *outgoing = NULL;
	loopback_start(&server, first);
	waiting_init(&here);
	(void)snprintf(url, sizeof(url), "http://127.0.0.1:%d/", server.port);
	if (outgoing_new(&(struct outgoing_options){.ca_file = NULL}, &outgoing) != ERR_OK ||
		jwt_source_new(outgoing, &test_clock, url, &source) != ERR_OK)
		return 1;
	refetching();
	refreshing();
	remembering();
	outgoing_free(outgoing);
	jwt_source_free(source);
	loopback_stop(&server);
	return tap_done();
}
