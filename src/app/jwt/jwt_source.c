/* SPDX-License-Identifier: Apache-2.0 */
#include "app/jwt/jwt_source.h"

#include <pthread.h>

#include "base/limits.h"
#include "base/log.h"

struct jwt_source {
	struct outgoing *outgoing;
	const struct clock *clock;
	const char *url;
	pthread_mutex_t lock; /* protects what follows; nothing is waited for under it */
	struct jwt_keys *keys;
	bool fetching;
	bool tried; /* there was a fetch: */
	int64_t tried_ms;
	struct jwt_wait *waits;
	struct outgoing_request request;
};

static struct jwt_keys *keys_of_answer(const struct outgoing_request *request)
{
	const char *why = request->fault ? request->fault : "not answered with 200";
	struct jwt_keys *keys = NULL;
	if (request->kind == OUTGOING_ANSWERED && request->status == 200 &&
		jwt_keys_parse(strbuf_slice(&request->answer), &keys, &why) == ERR_OK)
		return keys;
	log_error("[app] jwt_keys_url: %s (status %d)", why, request->status);
	return NULL;
}

/* On the home of the wait that began it. */
static void on_fetched(struct task *task)
{
	struct outgoing_request *request = CONTAINER_OF(task, struct outgoing_request, done);
	struct jwt_source *source = CONTAINER_OF(request, struct jwt_source, request);
	struct jwt_keys *keys = keys_of_answer(request), *before = NULL;
	outgoing_request_release(request);
	(void)pthread_mutex_lock(&source->lock);
	if (keys) {
		before = source->keys;
		source->keys = keys;
	}
	source->fetching = false;
	source->tried = true;
	source->tried_ms = clock_wall_ms(source->clock);
	struct jwt_wait *waits = TAKE(source->waits);
	for (struct jwt_wait *wait = waits; wait; wait = wait->next_)
		wait->keys = jwt_keys_share(source->keys);
	(void)pthread_mutex_unlock(&source->lock);
	jwt_keys_release(before);
	while (waits) {
		struct jwt_wait *wait = waits;
		waits = wait->next_;
		executor_post(wait->home, &wait->done);
	}
}

static void fetch(struct jwt_source *source, struct executor *home)
{
	static const char *const headers[] = {
		"Accept: application/json", "User-Agent: postern/" POSTERN_VERSION};
	source->fetching = true;
	source->request = (struct outgoing_request){
		.class = OUTGOING_WEBHOOK,
		.url = source->url,
		.headers = headers,
		.header_count = ARRAY_LEN(headers),
		.timeout_ms = LIMIT_ADMISSION_MS,
		.max_answer_bytes = LIMIT_JWT_KEYS_BYTES,
		.flags = OUTGOING_SNI | OUTGOING_ANY_ADDRESS,
		.home = home,
		.done.run = on_fetched,
	};
	outgoing_send(source->outgoing, &source->request);
}

/* Whether a fetch was tried so lately. A clock that was set back does not stop us for long. */
static bool tried_within(const struct jwt_source *source, int64_t ms)
{
	int64_t ago = clock_wall_ms(source->clock) - source->tried_ms;
	return source->tried && ago >= 0 && ago < ms;
}

enum err jwt_source_new(struct outgoing *outgoing, const struct clock *clock, const char *url,
	struct jwt_source **ret)
{
	struct jwt_source *source = calloc(1, sizeof(*source));
	if (!source)
		return ERR_UNAVAILABLE;
	source->outgoing = outgoing;
	source->clock = clock;
	source->url = url;
	(void)pthread_mutex_init(&source->lock, NULL);
	*ret = source;
	return ERR_OK;
}

void jwt_source_free(struct jwt_source *source)
{
	if (!source)
		return;
	jwt_keys_release(source->keys);
	(void)pthread_mutex_destroy(&source->lock);
	free(source);
}

/* Whether what there is will do, or is all that can be had now. */
static bool is_newest(const struct jwt_source *source, const struct jwt_keys *stale)
{
	if (source->keys && source->keys != stale)
		return true;
	return !source->fetching &&
	       tried_within(source, source->keys ? JWT_KEYS_REFETCH_MS : JWT_KEYS_RETRY_MS);
}

bool jwt_source_get(struct jwt_source *source, const struct jwt_keys *stale, struct jwt_wait *wait)
{
	wait->keys = NULL;
	(void)pthread_mutex_lock(&source->lock);
	bool ready = is_newest(source, stale);
	bool old = !tried_within(source, JWT_KEYS_REFRESH_MS);
	if (ready) {
		wait->keys = jwt_keys_share(source->keys);
	} else {
		wait->next_ = source->waits;
		source->waits = wait;
	}
	if ((!ready || old) && !source->fetching)
		fetch(source, wait->home);
	(void)pthread_mutex_unlock(&source->lock);
	return ready;
}
