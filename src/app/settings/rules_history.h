/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The rules that are in force, and those before them for as long as a grant that was given by them
 * can be of use. Any thread; nothing is waited for.
 */
#ifndef APP_SETTINGS_RULES_HISTORY_H
#define APP_SETTINGS_RULES_HISTORY_H

#include <pthread.h>

#include "app/settings/rules.h"
#include "base/limits.h"

/* So long after rules were replaced a request that began by them may still give a grant. */
#define RULES_SLACK_SECONDS 60

struct rules_history {
	pthread_mutex_t lock_; /* a leaf, of all that follows */
	struct rules *current_;
	struct {
		struct rules *rules;
		int64_t ended;       /* Unix seconds */
	} before_[LIMIT_RULES_KEPT]; /* the newest first */
	size_t count_;
};

/* Takes over the reference. */
void rules_history_init(struct rules_history *history, struct rules *rules);
/* When no thread uses it any more. All-zero is allowed. */
void rules_history_release(struct rules_history *history);

/* A reference to those in force, to be released. */
struct rules *rules_history_now(struct rules_history *history) MUST_USE;

/*
 * Takes over the reference: these are in force from `now` on (Unix seconds). Those before are kept
 * if they have a profile that is missing in these, or one that allows more; at most
 * LIMIT_RULES_KEPT.
 */
void rules_history_replace(struct rules_history *history, struct rules *rules, int64_t now);

/* What an upload is judged by. */
struct judging {
	struct rules *rules; /* those that have the profile; a reference */
	const struct profile *profile;
	int64_t max_size; /* what a grant of then may have allowed */
};

/*
 * By what an upload is judged whose grant is for the profile of that name and was given at
 * `issued`: by that profile of `rules`, those of the request. If it is missing there, by what it
 * was when it was last in force. A size that the grant was given stays allowed, though the profile
 * allows less by now. `now`, `issued`: Unix seconds. *ret is to be released.
 *
 * False if the profile is not known (any more): *ret has the default one of `rules` then.
 */
bool rules_history_judge(struct rules_history *history, struct rules *rules, struct slice profile,
	int64_t issued, int64_t now, struct judging *ret);
/* All-zero is allowed. */
void judging_release(struct judging *judging);

#endif
