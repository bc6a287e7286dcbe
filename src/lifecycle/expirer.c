/* SPDX-License-Identifier: Apache-2.0 */
#include "lifecycle/expirer.h"

#include <pthread.h>

#include "base/sleeper.h"
#include "base/strbuf.h"
#include "base/thread.h"
#include "lifecycle/pass.h"

struct expirer {
	struct expirer_options options;
	pthread_t thread;
	struct sleeper sleeper;
};

/* Sleeps; false when it is time to stop. */
static bool pause_for(void *ctx, int64_t ms)
{
	struct expirer *expirer = ctx;
	return sleeper_sleep(&expirer->sleeper, ms > 0 ? (uint64_t)ms : 0);
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
	sleeper_destroy(&expirer->sleeper);
	free(expirer);
}

enum err expirer_new(const struct expirer_options *options, struct expirer **ret)
{
	struct expirer *expirer = calloc(1, sizeof(*expirer));
	if (!expirer)
		return ERR_UNAVAILABLE;
	expirer->options = *options;
	sleeper_init(&expirer->sleeper);
	if (!thread_start(&expirer->thread, "lifecycle", THREAD_DISK, run, expirer)) {
		release(expirer);
		return ERR_UNAVAILABLE;
	}
	*ret = expirer;
	return ERR_OK;
}

void expirer_free(struct expirer *expirer)
{
	if (!expirer)
		return;
	sleeper_stop(&expirer->sleeper);
	(void)pthread_join(expirer->thread, NULL);
	release(expirer);
}
