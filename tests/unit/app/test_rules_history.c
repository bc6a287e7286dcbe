/* SPDX-License-Identifier: Apache-2.0 */
/* Which rules are in force, which are kept, and by what an upload is judged. */
#include "app/settings/rules_history.h"

#include <pthread.h>

#include "app/settings/settings.h"
#include "oss/callback/ticket.h"
#include "tap.h"

#define NOW 1700000000
#define KEPT (LIMIT_MULTIPART_SECONDS + TICKET_SLACK_SECONDS)

/* Rules with a default profile of that size and, unless it is NULL, another one. */
static struct rules *make(int64_t max_size, const char *name, const char *its_size)
{
	struct app_options o = app_options_default();
	struct app_profile_options section = {.name = name, .max_size = its_size};
	struct settings settings;
	char why[256];
	o.access_key_id = "AKI";
	o.access_key_secret = "secret";
	o.host = "http://127.0.0.1:9000/uploads/";
	o.max_size = max_size;
	o.profiles = &section;
	o.profile_count = name != NULL;
	if (settings_init(&settings, &o, why, sizeof(why)) != ERR_OK)
		abort();
	struct rules *rules = TAKE(settings.rules);
	settings_release(&settings);
	return rules;
}

/* For a request that begins now. The size, or -1 if the profile is not known. */
static int64_t allowed(struct rules_history *history, const char *name, int64_t issued, int64_t now)
{
	struct judging judging;
	SCOPED_RULES struct rules *rules = rules_history_now(history);
	bool known = rules_history_judge(history, rules, slice_str(name), issued, now, &judging);
	int64_t size = judging.max_size;
	bool is_default = judging.profile == rules->profiles;
	judging_release(&judging);
	if (!known && !is_default)
		abort();
	return known ? size : -1;
}

static void replacing(void)
{
	struct rules_history history;
	struct rules *first = make(100, NULL, NULL), *second = make(200, NULL, NULL);
	rules_history_init(&history, first);
	struct rules *held = rules_history_now(&history);
	OK(held == first, "those at first");
	rules_history_replace(&history, second, NOW);
	struct rules *now = rules_history_now(&history);
	OK(now == second, "then others");
	IS_INT(held->profiles->max_size, 100, "who has a reference still has the first");
	IS_INT(history.count_, 0, "which nobody else needs: they allowed less");
	OK(first->jwt_rules.number != second->jwt_rules.number, "each has a number of its own");
	rules_release(held);
	rules_release(now);
	rules_history_release(&history);
}

static void smaller(void)
{
	struct rules_history history;
	rules_history_init(&history, make(100, NULL, NULL));
	rules_history_replace(&history, make(10, NULL, NULL), NOW);
	IS_INT(allowed(&history, "", NOW - 1, NOW + 1), 100, "what a grant of before allows");
	IS_INT(allowed(&history, "", NOW + RULES_SLACK_SECONDS, NOW + 100), 100,
		"or of a request that began before");
	IS_INT(allowed(&history, "", NOW + RULES_SLACK_SECONDS + 1, NOW + 100), 10,
		"not a later one");
	rules_history_replace(&history, make(50, NULL, NULL), NOW + 1000);
	IS_INT(allowed(&history, "", NOW - 1, NOW + 1001), 100, "of before the two changes");
	IS_INT(allowed(&history, "", NOW + 900, NOW + 1001), 50, "of between them: what is now");
	IS_INT(allowed(&history, "", NOW - 1, NOW + KEPT - 1), 100,
		"as long as a grant can be of use");
	IS_INT(allowed(&history, "", NOW - 1, NOW + KEPT), 50, "and not longer");
	rules_history_replace(&history, make(50, NULL, NULL), NOW + KEPT);
	IS_INT(history.count_, 0, "then they are let go of");
	rules_history_release(&history);
}

static void gone(void)
{
	struct rules_history history;
	struct judging judging;
	rules_history_init(&history, make(100, "a", "70"));
	rules_history_replace(&history, make(100, "b", "80"), NOW);
	IS_INT(allowed(&history, "a", NOW - 1, NOW), 70, "one that is gone, as it was");
	IS_INT(allowed(&history, "b", NOW, NOW), 80, "one that is there");
	IS_INT(allowed(&history, "c", NOW, NOW), -1, "one that never was");
	SCOPED_RULES struct rules *rules = rules_history_now(&history);
	OK(rules_history_judge(&history, rules, S("a"), NOW - 1, NOW, &judging), "it is known");
	OK(judging.rules != rules && rules_profile(judging.rules, S("a")) == judging.profile,
		"with the rules that have it");
	rules_history_replace(&history, make(100, "a", "5"), NOW + 10);
	IS_INT(allowed(&history, "a", NOW + 500, NOW + 500), 5, "made anew it is another");
	IS_INT(allowed(&history, "a", NOW - 1, NOW + 500), 70, "but for the size");
	IS_INT(allowed(&history, "b", NOW, NOW + 500), 80, "and now the other one is gone");
	IS_INT(judging.profile->max_size, 70, "what is judged stays");
	judging_release(&judging);
	rules_history_release(&history);
}

static void many(void)
{
	struct rules_history history;
	rules_history_init(&history, make(1000, NULL, NULL));
	for (int64_t i = 1; i <= LIMIT_RULES_KEPT + 1; i++)
		rules_history_replace(&history, make(1000 - i, NULL, NULL), NOW + i);
	IS_INT(history.count_, LIMIT_RULES_KEPT, "as many as there are places");
	IS_INT(allowed(&history, "", NOW, NOW + 100), 999, "the first is forgotten");
	for (int i = 0; i < 100; i++)
		rules_history_replace(
			&history, make(1000 - LIMIT_RULES_KEPT - 1, NULL, NULL), NOW + 100);
	IS_INT(allowed(&history, "", NOW, NOW + 100), 999, "the same once more forgets nothing");
	rules_history_release(&history);
}

/* ---- By several threads -----------------------------------------------------------------------
 */

static struct rules_history shared;
static atomic_bool over;

static void *judge(void *ctx)
{
	uintptr_t wrong = 0;
	while (!atomic_load(&over)) {
		struct judging judging;
		SCOPED_RULES struct rules *rules = rules_history_now(&shared);
		(void)rules_history_judge(&shared, rules, S("a"), NOW, NOW, &judging);
		wrong += judging.rules->profile_count == 0 ||
			 !slice_eq(judging.profile->acl, S("default"));
		judging_release(&judging);
	}
	(void)ctx;
	return (void *)wrong;
}

static void together(void)
{
	pthread_t threads[3];
	bool right = true;
	rules_history_init(&shared, make(100, "a", "9"));
	for (size_t i = 0; i < ARRAY_LEN(threads); i++)
		if (pthread_create(&threads[i], NULL, judge, NULL) != 0)
			abort();
	for (int i = 0; i < 500; i++)
		rules_history_replace(&shared, make(100 + i % 7, i % 2 ? "a" : "b", "9"), NOW);
	atomic_store(&over, true);
	for (size_t i = 0; i < ARRAY_LEN(threads); i++) {
		void *wrong;
		(void)pthread_join(threads[i], &wrong);
		right = right && wrong == NULL;
	}
	OK(right, "each of those who judge has all of some rules");
	rules_history_release(&shared);
}

int main(void)
{
	replacing();
	smaller();
	gone();
	many();
	together();
	return tap_done();
}
