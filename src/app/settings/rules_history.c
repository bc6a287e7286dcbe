/* SPDX-License-Identifier: Apache-2.0 */
#include "app/settings/rules_history.h"

#include "oss/callback/ticket.h"

/* The longest life of a grant: an upload in parts, and the callback behind it. */
#define KEPT_SECONDS (LIMIT_MULTIPART_SECONDS + TICKET_SLACK_SECONDS)

void rules_history_init(struct rules_history *history, struct rules *rules)
{
	*history = (struct rules_history){.current_ = rules};
	(void)pthread_mutex_init(&history->lock_, NULL);
}

void rules_history_release(struct rules_history *history)
{
	if (!history->current_)
		return;
	rules_release(history->current_);
	for (size_t i = 0; i < history->count_; i++)
		rules_release(history->before_[i].rules);
	(void)pthread_mutex_destroy(&history->lock_);
}

struct rules *rules_history_now(struct rules_history *history)
{
	(void)pthread_mutex_lock(&history->lock_);
	struct rules *rules = rules_share(history->current_);
	(void)pthread_mutex_unlock(&history->lock_);
	return rules;
}

/* ---- Which are kept ---------------------------------------------------------------------------
 */

/* Whether no grant needs `old` besides `fresh`. */
static bool covers(const struct rules *fresh, const struct rules *old)
{
	for (size_t i = 0; i < old->profile_count; i++) {
		const struct profile *profile = rules_profile(fresh, old->profiles[i].name);
		if (!profile || profile->max_size < old->profiles[i].max_size)
			return false;
	}
	return true;
}

/*
 * Those that are of no use leave, and the oldest if there are too many. Returns what is to be
 * released, of which there are *ret_count.
 */
static void leave_out(struct rules_history *history, int64_t now,
	struct rules *ret[LIMIT_RULES_KEPT + 1], size_t *ret_count)
{
	size_t kept = 0;
	for (size_t i = 0; i < history->count_; i++) {
		struct rules *rules = history->before_[i].rules;
		bool of_use = now < history->before_[i].ended + KEPT_SECONDS &&
			      !covers(history->current_, rules);
		if (of_use)
			history->before_[kept++] = history->before_[i];
		else
			ret[(*ret_count)++] = rules;
	}
	history->count_ = kept;
}

static void push(struct rules_history *history, struct rules *old, int64_t now,
	struct rules *ret[LIMIT_RULES_KEPT + 1], size_t *ret_count)
{
	if (covers(history->current_, old)) {
		ret[(*ret_count)++] = old;
		return;
	}
	if (history->count_ == LIMIT_RULES_KEPT)
		ret[(*ret_count)++] = history->before_[--history->count_].rules;
	memmove(&history->before_[1], &history->before_[0],
		history->count_ * sizeof(history->before_[0]));
	history->before_[0].rules = old;
	history->before_[0].ended = now;
	history->count_++;
}

void rules_history_replace(struct rules_history *history, struct rules *rules, int64_t now)
{
	struct rules *left[LIMIT_RULES_KEPT + 1];
	size_t count = 0;
	(void)pthread_mutex_lock(&history->lock_);
	struct rules *old = history->current_;
	history->current_ = rules;
	leave_out(history, now, left, &count);
	push(history, old, now, left, &count);
	(void)pthread_mutex_unlock(&history->lock_);
	while (count > 0)
		rules_release(left[--count]);
}

/* ---- Judging by them --------------------------------------------------------------------------
 */

static void use(struct judging *judging, struct rules *rules, const struct profile *profile)
{
	*judging = (struct judging){
		.rules = rules_share(rules), .profile = profile, .max_size = profile->max_size};
}

bool rules_history_judge(struct rules_history *history, struct rules *rules, struct slice name,
	int64_t issued, int64_t now, struct judging *ret)
{
	const struct profile *profile = rules_profile(rules, name);
	*ret = (struct judging){.rules = NULL};
	if (profile)
		use(ret, rules, profile);
	(void)pthread_mutex_lock(&history->lock_);
	for (size_t i = 0; i < history->count_; i++) {
		struct rules *old = history->before_[i].rules;
		int64_t ended = history->before_[i].ended;
		profile = now < ended + KEPT_SECONDS ? rules_profile(old, name) : NULL;
		if (profile && !ret->profile)
			use(ret, old, profile);
		else if (profile && issued <= ended + RULES_SLACK_SECONDS &&
			 profile->max_size > ret->max_size)
			ret->max_size = profile->max_size;
	}
	(void)pthread_mutex_unlock(&history->lock_);
	bool known = ret->profile != NULL;
	if (!known)
		use(ret, rules, rules->profiles);
	return known;
}

void judging_release(struct judging *judging)
{
	rules_release(judging->rules);
	*judging = (struct judging){.rules = NULL};
}
