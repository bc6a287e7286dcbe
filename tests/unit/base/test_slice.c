/* SPDX-License-Identifier: Apache-2.0 */
#include "tap.h"

static void cutting(void)
{
	struct slice rest = S("a;;b");
	struct slice head;
	OK(slice_cut(&rest, ';', &head), "finds a separator");
	IS(head, S("a"), "what is before it");
	OK(slice_cut(&rest, ';', &head), "finds the next");
	IS(head, S(""), "an empty piece");
	OK(!slice_cut(&rest, ';', &head), "no more");
	IS(head, S("b"), "the last piece");
	IS(rest, S(""), "nothing is left");
}

static void numbers(void)
{
	uint64_t v = 7;
	OK(slice_to_u64(S("18446744073709551615"), &v) && v == UINT64_MAX, "the largest number");
	OK(!slice_to_u64(S("18446744073709551616"), &v), "one more overflows");
	OK(!slice_to_u64(S("99999999999999999999"), &v), "twenty nines overflow");
	OK(!slice_to_u64(S(""), &v) && !slice_to_u64(S("-1"), &v) && !slice_to_u64(S("+1"), &v) &&
			!slice_to_u64(S(" 1"), &v) && !slice_to_u64(S("1x"), &v),
		"refuses what is not digits");
	OK(v == UINT64_MAX, "a refusal leaves the result alone");
	OK(slice_to_u64(S("0"), &v) && v == 0, "zero");
}

int main(void)
{
	cutting();
	numbers();
	IS(slice_trim(S(" \t a b\t ")), S("a b"), "trims both ends");
	IS(slice_trim(S(" \t")), S(""), "trims to nothing");
	OK(slice_cmp(S("a"), S("ab")) < 0 && slice_cmp(S("b"), S("ab")) > 0 &&
			slice_cmp(S("\xff"), S("a")) > 0 && slice_cmp(S("x"), S("x")) == 0,
		"order is byte-wise, the shorter first");
	OK(slice_eq_nocase(S("Content-TYPE"), S("content-type")), "ignores ASCII case");
	OK(!slice_eq_nocase(S("@"), S("`")), "only letters have case");
	OK(slice_eq_secret(S("abc"), S("abc")) && !slice_eq_secret(S("abc"), S("abd")) &&
			!slice_eq_secret(S("abc"), S("ab")),
		"secret comparison");
	IS_INT(slice_find_slice(S("xxabyab"), S("ab")), 2, "finds the first occurrence");
	IS_INT(slice_find_slice(S("xxab"), S("abc")), 4, "says the length when absent");
	return tap_done();
}
