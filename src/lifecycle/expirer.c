/* SPDX-License-Identifier: Apache-2.0 */
#include "lifecycle/expirer.h"

#include <errno.h>
#include <pthread.h>
#include <time.h>

#include "base/log.h"
#include "lifecycle/pass.h"

struct expirer {
	struct expirer_options options;
	pthread_t thread;
	pthread_mutex_t lock; /* stop */
	pthread_cond_t wake;
	bool stop;
};

/* Sleeps; false when it is time to stop. */
static bool pause_for(void *ctx, int64_t ms)
{
	struct expirer *expirer = ctx;
	struct timespec until;
	(void)clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += (time_t)(ms / 1000);
	until.tv_nsec += (long)(ms % 1000) * 1000000;
	if (until.tv_nsec >= 1000000000) {
		until.tv_nsec -= 1000000000;
		until.tv_sec++;
	}
	(void)pthread_mutex_lock(&expirer->lock);
	while (!expirer->stop && ms > 0)
		if (pthread_cond_timedwait(&expirer->wake, &expirer->lock, &until) == ETIMEDOUT)
			break;
	bool stop = expirer->stop;
	(void)pthread_mutex_unlock(&expirer->lock);
	return !stop;
}

/* Adds the name and a line end. */
static void add_name(const struct store_bucket *bucket, void *ctx)
{
	struct strbuf *names = ctx;
	if (bucket->settings[STORE_SETTING_LIFECYCLE].len == 0)
		return;
	strbuf_add_slice(names, bucket->name);
	strbuf_addc(names, '\n');
}

static void pass_all(struct expirer *expirer)
{
	const struct pass pass = {
		.store = expirer->options.store,
		.clock = expirer->options.clock,
		.pause = pause_for,
		.ctx = expirer,
	};
	struct pass_counts counts = {0};
	SCOPED_STRBUF(names, 1 << 20);
	store_bucket_each(expirer->options.store, add_name, &names);
	struct slice rest = strbuf_slice(&names);
	struct slice name;
	while (rest.len && pause_for(expirer, 0)) {
		(void)slice_cut(&rest, '\n', &name);
		pass_bucket(&pass, name, &counts);
	}
}

static void *run(void *arg)
{
	struct expirer *expirer = arg;
	do
		pass_all(expirer);
	while (pause_for(expirer, expirer->options.interval_ms));
	return NULL;
}

static void release(struct expirer *expirer)
{
	(void)pthread_cond_destroy(&expirer->wake);
	(void)pthread_mutex_destroy(&expirer->lock);
	free(expirer);
}

enum err expirer_new(const struct expirer_options *options, struct expirer **ret)
{
	struct expirer *expirer = calloc(1, sizeof(*expirer));
	pthread_condattr_t attributes;
	if (!expirer)
		return ERR_UNAVAILABLE;
	expirer->options = *options;
	(void)pthread_mutex_init(&expirer->lock, NULL);
	(void)pthread_condattr_init(&attributes);
	(void)pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	(void)pthread_cond_init(&expirer->wake, &attributes);
	(void)pthread_condattr_destroy(&attributes);
	int failed = pthread_create(&expirer->thread, NULL, run, expirer);
	if (failed) {
		log_error("cannot start a thread: %s", strerror(failed));
		release(expirer);
		return ERR_UNAVAILABLE;
	}
	(void)pthread_setname_np(expirer->thread, "lifecycle");
	*ret = expirer;
	return ERR_OK;
}

void expirer_free(struct expirer *expirer)
{
	if (!expirer)
		return;
	(void)pthread_mutex_lock(&expirer->lock);
	expirer->stop = true;
	(void)pthread_cond_signal(&expirer->wake);
	(void)pthread_mutex_unlock(&expirer->lock);
	(void)pthread_join(expirer->thread, NULL);
	release(expirer);
}
