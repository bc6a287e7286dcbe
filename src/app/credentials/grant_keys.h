/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The keys that grants are made with, and have been made with lately: a grant that was given before
 * the secret was changed is still good. Any thread.
 */
#ifndef APP_CREDENTIALS_GRANT_KEYS_H
#define APP_CREDENTIALS_GRANT_KEYS_H

#include <pthread.h>

#include "base/limits.h"
#include "oss/callback/ticket.h"

struct grant_keys {
	pthread_mutex_t lock_; /* held for a copy */
	struct {
		struct ticket_key key;
		int64_t until;     /* Unix seconds */
	} list_[LIMIT_GRANT_KEYS]; /* the newest first */
	size_t count_;
};

void grant_keys_init(struct grant_keys *keys);
/* When no thread uses it any more. */
void grant_keys_release(struct grant_keys *keys);

/*
 * From now on grants are made with `key`. The one before is known until no grant of it can be good
 * any more, or LIMIT_GRANT_KEYS are newer.
 */
void grant_keys_use(struct grant_keys *keys, const struct ticket_key *key, int64_t now);

/* The keys one by one, from 0; false: there are no more. */
bool grant_keys_at(
	struct grant_keys *keys, size_t at, int64_t now, struct ticket_key *ret) MUST_USE;

/* As ticket_is_of() and ticket_check(), by any of them. */
bool grant_keys_made(struct grant_keys *keys, struct slice text, int64_t now) MUST_USE;
enum ticket_result grant_keys_check(struct grant_keys *keys, struct slice text, struct slice object,
	int64_t now, struct ticket *ret) MUST_USE;

#endif
