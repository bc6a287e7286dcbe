/* SPDX-License-Identifier: Apache-2.0 */
#include "oss/text/wildcard.h"

#include <stdint.h>

#include "base/limits.h"

enum {
	WORD_BITS = 64,
	WORDS_MAX = LIMIT_RAM_POLICY_BYTES / WORD_BITS + 1,
	BYTES = 256, /* different ones */
};

/*
 * A pattern as an automaton: bit i of a word is the place in front of its byte i, and behind the
 * last there is one more. Of several stars in a row there is one.
 */
struct automaton {
	size_t len;
	size_t words;             /* of each of these: */
	uint64_t star[WORDS_MAX]; /* the places of `*` */
	uint64_t any[WORDS_MAX];  /* and of `?` */
	uint64_t now[WORDS_MAX];  /* where it can be in the pattern */
	uint64_t held[WORDS_MAX]; /* where it will be when the character that `?` took has ended */
	uint64_t same[BYTES * WORDS_MAX]; /* for each byte the places where the pattern has it */
};

static void set(uint64_t *words, size_t at)
{
	words[at / WORD_BITS] |= UINT64_C(1) << at % WORD_BITS;
}

static void build(struct automaton *a, struct slice pattern)
{
	a->len = 0;
	a->words = pattern.len / WORD_BITS + 1;
	size_t bytes = a->words * sizeof(uint64_t);
	memset(a->star, 0, bytes);
	memset(a->any, 0, bytes);
	memset(a->now, 0, bytes);
	memset(a->held, 0, bytes);
	memset(a->same, 0, BYTES * bytes);
	for (size_t i = 0; i < pattern.len; i++) {
		unsigned char c = (unsigned char)pattern.ptr[i];
		if (c == '*' && i > 0 && pattern.ptr[i - 1] == '*')
			continue;
		if (c == '*')
			set(a->star, a->len);
		else if (c == '?')
			set(a->any, a->len);
		else
			set(a->same + c * a->words, a->len);
		a->len++;
	}
	set(a->now, 0);
	if (a->star[0] & 1)
		set(a->now, 1);
}

/* Goes behind places; *carry is from word to word. */
static uint64_t behind(uint64_t places, uint64_t *carry)
{
	uint64_t ret = places << 1 | *carry;
	*carry = places >> (WORD_BITS - 1);
	return ret;
}

/*
 * Takes a byte of the text; false if it is nowhere in the pattern any more. Whoever comes to a star
 * is behind it, too, for that may take nothing.
 */
static bool take(struct automaton *a, unsigned char byte)
{
	const uint64_t *same = a->same + byte * a->words;
	bool goes_on = (byte & 0xc0) == 0x80; /* the character before it */
	uint64_t some = 0;
	uint64_t carry[4] = {0};
	for (size_t i = 0; i < a->words; i++) {
		uint64_t now = a->now[i];
		uint64_t held = a->held[i];
		if (!goes_on) {
			now |= held | behind(held & a->star[i], &carry[0]);
			held = 0;
		}
		held |= behind(now & a->any[i], &carry[1]);
		now = behind(now & same[i], &carry[2]) | (now & a->star[i]);
		now |= behind(now & a->star[i], &carry[3]);
		a->now[i] = now;
		a->held[i] = held;
		some |= now | held;
	}
	return some != 0;
}

static bool is_at(const uint64_t *words, size_t at)
{
	return words[at / WORD_BITS] >> at % WORD_BITS & 1;
}

static bool has_ended(const struct automaton *a)
{
	size_t last = a->len - 1;
	return is_at(a->now, a->len) || is_at(a->held, a->len) ||
	       (is_at(a->held, last) && is_at(a->star, last));
}

/* Where the plain bytes that a pattern begins with end. */
static size_t plain_end(struct slice pattern)
{
	size_t p = 0;
	while (p < pattern.len && pattern.ptr[p] != '*' && pattern.ptr[p] != '?')
		p++;
	return p;
}

/* Nearly all patterns are plain bytes with or without a star behind them. */
bool wildcard_match(struct slice pattern, struct slice text)
{
	struct automaton a;
	size_t plain = plain_end(pattern);
	if (plain == pattern.len || !slice_starts(text, slice_head(pattern, plain)))
		return slice_eq(pattern, text);
	pattern = slice_from(pattern, plain);
	text = slice_from(text, plain);
	if (slice_eq(pattern, S("*")))
		return true;
	if (pattern.len > LIMIT_RAM_POLICY_BYTES)
		return false;
	build(&a, pattern);
	for (size_t i = 0; i < text.len; i++)
		if (!take(&a, (unsigned char)text.ptr[i]))
			return false;
	return has_ended(&a);
}

bool wildcard_match_star(struct slice pattern, struct slice text)
{
	size_t star = slice_find(pattern, '*');
	if (star == pattern.len)
		return slice_eq_nocase(pattern, text);
	size_t after = pattern.len - star - 1;
	return text.len >= star + after &&
	       slice_eq_nocase(slice_head(pattern, star), slice_head(text, star)) &&
	       slice_eq_nocase(
		       slice_from(pattern, star + 1), slice_of(text.ptr + text.len - after, after));
}
