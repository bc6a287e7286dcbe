/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The credentials used now: who signs takes a reference from here for each signature, and so never
 * signs with what has ended or was replaced. Any thread; nothing is waited for.
 */
#ifndef APP_CREDENTIALS_PROVIDER_H
#define APP_CREDENTIALS_PROVIDER_H

#include "app/credentials/credentials.h"
#include "app/credentials/grant_keys.h"
#include "app/credentials/provider_options.h"
#include "base/clock.h"

struct provider;

/* `options` and `clock` outlive the provider. ERR_UNAVAILABLE without memory. */
enum err provider_new(const struct provider_options *options, const struct clock *clock,
	struct provider **ret) MUST_USE;
/* NULL is allowed. */
void provider_free(struct provider *p);

/* A reference, to be released; NULL: there are no valid credentials. */
struct credentials *provider_get(struct provider *p) MUST_USE;

/* What grants are checked with. */
struct grant_keys *provider_grant_keys(struct provider *p);

#endif
