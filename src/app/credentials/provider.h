/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The credentials used now: who signs takes a reference from here for each signature, and so never
 * signs with what has ended or was replaced. Any thread; nothing is waited for.
 *
 * Those that end, or may change, are got again by a thread of their own: at half of the time they
 * have left, and after a failure with growing pauses. As long as they are valid, they are used.
 */
#ifndef APP_CREDENTIALS_PROVIDER_H
#define APP_CREDENTIALS_PROVIDER_H

#include "app/credentials/credentials.h"
#include "app/credentials/grant_keys.h"
#include "app/credentials/provider_options.h"
#include "base/clock.h"
#include "net/outgoing.h"

struct provider;

struct provider_parts {
	struct outgoing *outgoing;
	const struct clock *clock;
	/* Called when there are credentials again after an attempt has failed. May be NULL. */
	void (*came)(void *ctx);
	void *ctx;
};

/*
 * `options` and what `parts` has outlive the provider. Reads files, if these are the source, and
 * asks nobody. ERR_INVALID_ARGUMENT, with a sentence in `why`, if what the files have is no good;
 * ERR_UNAVAILABLE.
 */
enum err provider_new(const struct provider_options *options, const struct provider_parts *parts,
	struct provider **ret, char *why, size_t why_size) MUST_USE;

/*
 * Begins to get them, if they come from other servers or can change, and waits for the first
 * attempt. Blocks; call it once. What has failed is logged, and tried again. ERR_UNAVAILABLE
 * without a thread.
 */
enum err provider_begin(struct provider *p) MUST_USE;
/* Nothing more is begun. */
void provider_end(struct provider *p);
/* When `outgoing` is stopped. NULL is allowed. */
void provider_free(struct provider *p);

/* A reference, to be released; NULL: there are no valid credentials. */
struct credentials *provider_get(struct provider *p) MUST_USE;

/* What grants are checked with. */
struct grant_keys *provider_grant_keys(struct provider *p);

/*
 * Takes another pair (and, unless grant_secret is set, makes grants with it): it is used at once,
 * or for the next call of STS, which is made now. Files are read again now. ERR_UNAVAILABLE
 * without memory: the old one goes on.
 */
enum err provider_replace(struct provider *p, const struct credential_values *pair) MUST_USE;

struct provider_stats {
	bool valid;         /* there are credentials, and they have not ended */
	int64_t expires;    /* when they end, Unix seconds; 0: they do not, or there are none */
	uint64_t refreshed; /* how often other ones came */
	uint64_t failed;    /* attempts */
};
void provider_stats(struct provider *p, struct provider_stats *ret);

#endif
