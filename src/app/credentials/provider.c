/* SPDX-License-Identifier: Apache-2.0 */
#include "app/credentials/provider.h"

#include <pthread.h>
#include <stdlib.h>

struct provider {
	const struct provider_options *options;
	const struct clock *clock;
	struct grant_keys grant_keys;
	pthread_mutex_t lock; /* held while a reference is taken or replaced */
	struct credentials *current;
};

static int64_t now(const struct provider *p)
{
	return clock_wall_ms(p->clock) / 1000;
}

/* Takes over the reference. */
static void use(struct provider *p, struct credentials *c)
{
	grant_keys_use(&p->grant_keys, &c->grant_key, now(p));
	(void)pthread_mutex_lock(&p->lock);
	struct credentials *before = p->current;
	p->current = c;
	(void)pthread_mutex_unlock(&p->lock);
	credentials_release(before);
}

enum err provider_new(
	const struct provider_options *options, const struct clock *clock, struct provider **ret)
{
	struct provider *p = calloc(1, sizeof(*p));
	if (!p)
		return ERR_UNAVAILABLE;
	p->options = options;
	p->clock = clock;
	(void)pthread_mutex_init(&p->lock, NULL);
	grant_keys_init(&p->grant_keys);
	struct credentials *c = credentials_new(&options->pair, options->grant_secret);
	if (!c) {
		provider_free(p);
		return ERR_UNAVAILABLE;
	}
	use(p, c);
	*ret = p;
	return ERR_OK;
}

void provider_free(struct provider *p)
{
	if (!p)
		return;
	credentials_release(p->current);
	grant_keys_release(&p->grant_keys);
	(void)pthread_mutex_destroy(&p->lock);
	free(p);
}

struct credentials *provider_get(struct provider *p)
{
	(void)pthread_mutex_lock(&p->lock);
	struct credentials *c = p->current ? credentials_share(p->current) : NULL;
	(void)pthread_mutex_unlock(&p->lock);
	if (c && now(p) < c->values.expires)
		return c;
	credentials_release(c);
	return NULL;
}

struct grant_keys *provider_grant_keys(struct provider *p)
{
	return &p->grant_keys;
}
