/* SPDX-License-Identifier: Apache-2.0 */
#include "base/budget.h"

#include <pthread.h>

#include "base/arena.h"
#include "base/limits.h"
#include "base/strbuf.h"
#include "tap.h"

static const struct slots nobody;

static uint64_t used(enum budget_pool pool)
{
	struct budget_stats stats;
	budget_stats(&stats);
	return stats.used[pool];
}

static void shares(void)
{
	struct budget_account stranger = {.pool = BUDGET_ANONYMOUS};
	struct budget_account other = {.pool = BUDGET_ANONYMOUS};
	struct budget_account signed_one = {.pool = BUDGET_SIGNED};
	struct budget_account operator_one = {.pool = BUDGET_CONSOLE};
	budget_set(MIB(16));
	OK(budget_take(&stranger, MIB(1)), "one stranger may have half of the strangers' share");
	OK(!budget_take(&stranger, 1), "and no more");
	OK(budget_take(&other, LIMIT_MEMORY_SMALL_BYTES),
		"the other half is for those who need little");
	OK(!budget_take(&other, 1), "little, not more");
	OK(budget_take(&signed_one, MIB(11)), "signed requests do not feel it");
	OK(!budget_take(&signed_one, 1), "but have an end too");
	OK(budget_take(&operator_one, KIB(64)), "the operator feels neither");
	OK(!budget_assign(&other, BUDGET_SIGNED, nobody), "what is signed moves if there is room");
	IS_INT(used(BUDGET_ANONYMOUS), MIB(1) + LIMIT_MEMORY_SMALL_BYTES, "and stays if not");
	budget_give(&signed_one, MIB(1));
	OK(budget_assign(&other, BUDGET_SIGNED, nobody) && used(BUDGET_ANONYMOUS) == MIB(1),
		"moved");
	IS_INT(used(BUDGET_SIGNED), MIB(10) + LIMIT_MEMORY_SMALL_BYTES, "to where it counts now");
	OK(!budget_is_scarce(BUDGET_ANONYMOUS) && budget_is_scarce(BUDGET_SIGNED),
		"which is scarce");
	OK(!budget_is_ample(BUDGET_SIGNED, 1) && budget_is_ample(BUDGET_CONSOLE, 1), "or ample");
	budget_close(&stranger);
	budget_close(&other);
	budget_close(&signed_one);
	budget_close(&operator_one);
	for (size_t i = BUDGET_CONSOLE; i < BUDGET_POOLS; i++)
		IS_INT(used((enum budget_pool)i), 0, "nothing is left");
}

static void with_a_store(void)
{
	struct budget_account object = {.pool = BUDGET_STORE};
	struct budget_account signed_one = {.pool = BUDGET_SIGNED};
	budget_set_with_store(MIB(32));
	OK(budget_has(BUDGET_STORE, MIB(16)) && !budget_has(BUDGET_STORE, MIB(16) + 1),
		"a store in memory has half");
	OK(budget_take(&object, MIB(16)) && !budget_take(&object, 1), "and no more");
	OK(!budget_has(BUDGET_STORE, 1), "then it is full");
	OK(budget_take(&signed_one, MIB(11)) && !budget_take(&signed_one, 1),
		"the others share the rest");
	budget_close(&object);
	budget_close(&signed_one);
	budget_set(MIB(16));
}

/* Of a pool of 11 MiB. */
static void requesters(void)
{
	struct slots his = budget_share_of(S("his")), hers = budget_share_of(S("hers"));
	struct budget_account one = {.pool = BUDGET_SIGNED, .share = his};
	struct budget_account other = {.pool = BUDGET_SIGNED, .share = hers};
	struct budget_account small = {.pool = BUDGET_SIGNED, .share = his};
	OK(!slots_nobody(his) && !slots_nobody(hers) && slots_same(his, budget_share_of(S("his"))),
		"requesters have slots");
	OK(!budget_fits(&one, MIB(8)) && budget_fits(&one, MIB(7)), "one cannot have all");
	OK(budget_raise(&one, MIB(7)) && !budget_raise(&one, MIB(8)), "but two thirds");
	OK(budget_raise(&one, 1) && one.bytes == MIB(7), "who has more has enough");
	struct budget_account second = budget_account_like(&one);
	OK(slots_same(second.share, his) && !budget_take(&second, MIB(1)),
		"whatever account it is in");
	OK(budget_take(&small, LIMIT_MEMORY_SMALL_BYTES) && !budget_take(&small, MIB(1)),
		"what is small is not asked about, what becomes large is");
	OK(budget_take(&other, MIB(2)) && !budget_take(&other, MIB(1)),
		"another has a share of what is left");
	budget_close(&one);
	OK(budget_take(&other, MIB(4)), "which grows when something is given back");
	OK(budget_take(&small, MIB(1)) && !budget_take(&small, MIB(8)), "for everybody");
	budget_give(&small, MIB(1));
	budget_return(&other, BUDGET_ANONYMOUS, nobody);
	one = budget_account_like(&small);
	OK(budget_take(&one, MIB(7)), "what went elsewhere does not count");
	budget_close(&one);
	one = budget_account_like(&small);
	budget_close(&other);
	budget_close(&small);
	IS_INT(used(BUDGET_SIGNED), 0, "nothing is left");
	OK(budget_take(&one, MIB(7)) && !budget_take(&one, MIB(1)), "of the shares either");
	budget_close(&one);
}

/* Who meets another in one row only does not feel what that one has. */
static void met_in_one_row(void)
{
	for (size_t row = 0; row < SLOT_ROWS; row++) {
		struct budget_account one = {.pool = BUDGET_SIGNED, .share = {{1, 2}}};
		struct budget_account other = {.pool = BUDGET_SIGNED, .share = {{3, 4}}};
		other.share.in[row] = one.share.in[row];
		OK(budget_take(&one, MIB(7)) && !budget_take(&one, MIB(1)), "one has its share");
		OK(budget_take(&other, MIB(2)), "the other has one of its own");
		budget_close(&one);
		OK(budget_take(&other, MIB(5)) && !budget_take(&other, MIB(1)),
			"which ends as well");
		budget_close(&other);
	}
}

/* Of a thousand names hardly any two meet, and those that do in both rows are none. */
static void names(void)
{
	struct slots all[1000];
	char name[32];
	size_t met = 0, same = 0;
	for (size_t i = 0; i < ARRAY_LEN(all); i++) {
		(void)snprintf(name, sizeof(name), "form-%zu", i);
		all[i] = slots_of(UINT64_C(0x123456789abcdef), slice_str(name));
		for (size_t j = 0; j < i; j++) {
			met += all[j].in[0] == all[i].in[0];
			met += all[j].in[1] == all[i].in[1];
			same += slots_same(all[i], all[j]);
		}
	}
	/* Of 2 x 499,500 pairs one in 4,095 is expected to meet: 244. */
	OK(met > 150 && met < 350, "%zu pairs meet in a row", met);
	IS_INT(same, 0, "and none in both");
}

static void unassigned(void)
{
	struct budget_account account = {.bytes = 0};
	OK(budget_take(&account, MIB(100)), "before it is known whose it is nothing is refused");
	OK(!budget_assign(&account, BUDGET_SIGNED, nobody), "but then");
	IS_INT(used(BUDGET_SIGNED), 0, "nothing was counted");
	budget_give(&account, MIB(99));
	OK(budget_assign(&account, BUDGET_SIGNED, nobody) && used(BUDGET_SIGNED) == MIB(1),
		"what is left");
	budget_return(&account, BUDGET_ANONYMOUS, nobody);
	OK(used(BUDGET_SIGNED) == 0 && used(BUDGET_ANONYMOUS) == MIB(1), "returned");
	budget_close(&account);
}

static void text(void)
{
	struct budget_account account = {.pool = BUDGET_SIGNED};
	struct strbuf sb;
	strbuf_init_counted(&sb, MIB(64), &account);
	strbuf_reserve(&sb, KIB(300));
	OK(account.bytes == sb.size && sb.size > KIB(300), "what is reserved is counted");
	strbuf_adds(&sb, "text");
	for (int i = 0; i < 64 && !strbuf_broken(&sb); i++)
		(void)!strbuf_extend(&sb, MIB(1));
	OK(strbuf_broken(&sb) && strbuf_starved(&sb), "it grows as far as the budget");
	OK(account.bytes == sb.size && sb.size <= MIB(11), "and not beyond");
	strbuf_release(&sb);
	IS_INT(account.bytes, 0, "released");
	OK(!strbuf_broken(&sb), "and as new");

	struct arena arena;
	arena_init_counted(&arena, NULL, 0, MIB(64), &account, true);
	size_t blocks = 0;
	while (arena_alloc(&arena, MIB(1)))
		blocks++;
	IS_INT(blocks, 11, "so does an arena");
	arena_reset(&arena);
	IS_INT(account.bytes, 0, "which gives back all");
	arena_init_counted(&arena, NULL, 0, MIB(64), &account, false);
	for (int i = 0; i < 12; i++)
		if (!arena_alloc(&arena, MIB(1)))
			abort();
	OK(!budget_take(&account, 1), "one that is not refused leaves less for others");
	arena_reset(&arena);
	IS_INT(account.bytes, 0, "and gives back all, too");
}

static void *take_and_give(void *arg)
{
	struct budget_account account = {.pool = BUDGET_SIGNED};
	for (int i = 0; i < 20000; i++) {
		size_t bytes = KIB(1) * (size_t)(1 + i % 700);
		if (budget_take(&account, bytes) && i % 3)
			budget_give(&account, bytes);
		if (account.bytes > MIB(2))
			budget_close(&account);
		account.pool = BUDGET_SIGNED;
	}
	budget_close(&account);
	return arg;
}

static void threads(void)
{
	pthread_t threads[4];
	for (size_t i = 0; i < ARRAY_LEN(threads); i++)
		if (pthread_create(&threads[i], NULL, take_and_give, NULL) != 0)
			abort();
	for (size_t i = 0; i < ARRAY_LEN(threads); i++)
		(void)pthread_join(threads[i], NULL);
	IS_INT(used(BUDGET_SIGNED), 0, "many threads leave nothing behind");
}

int main(void)
{
	shares();
	with_a_store();
	requesters();
	met_in_one_row();
	names();
	unassigned();
	text();
	threads();
	return tap_done();
}
