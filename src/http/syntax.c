/* SPDX-License-Identifier: Apache-2.0 */
#include "http/syntax.h"

#define EACH_BYTE(value) (UINT64_C(0x0101010101010101) * (value))

/* Sums of enum syntax_class, for the characters from 0x20 to 0x7f; the others have none. */
/* clang-format off */
const unsigned char syntax_table[256] = {
	[0x20] =
	/* 0x20 */ 0, 1, 0, 1, 1, 1, 1, 1, 0, 0, 1, 1, 0, 3, 7, 0,
	/* 0x30 */ 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 4, 0, 0, 0, 0, 0,
	/* 0x40 */ 0, 7, 7, 7, 7, 7, 7, 3, 3, 3, 3, 3, 3, 3, 3, 3,
	/* 0x50 */ 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 0, 0, 0, 1, 3,
	/* 0x60 */ 1, 7, 7, 7, 7, 7, 7, 3, 3, 3, 3, 3, 3, 3, 3, 3,
	/* 0x70 */ 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 0, 1, 0, 3, 0,
};
/* clang-format on */

/* Non-zero if one of the eight bytes is below `limit`, which is at most 0x80. */
static uint64_t below(uint64_t word, uint64_t limit)
{
	return (word - EACH_BYTE(limit)) & ~word & EACH_BYTE(0x80);
}

/* Non-zero if one of the eight bytes is 0x7f. */
static uint64_t has_delete(uint64_t word)
{
	return below(word ^ EACH_BYTE(0x7f), 1);
}

static bool is_control(char c)
{
	return ((unsigned char)c < 0x20 && c != '\t') || c == 0x7f;
}

size_t syntax_token_len(struct slice s)
{
	size_t len = 0;
	while (len < s.len && syntax_is(s.ptr[len], SYNTAX_TOKEN))
		len++;
	return len;
}

bool syntax_is_token(struct slice s)
{
	return s.len > 0 && syntax_token_len(s) == s.len;
}

bool syntax_has_control(struct slice s)
{
	size_t i = 0;
	for (; i + 8 <= s.len; i += 8) {
		uint64_t word;
		memcpy(&word, s.ptr + i, 8);
		if (LIKELY((below(word, 0x20) | has_delete(word)) == 0))
			continue;
		/* It may have been a tab. */
		for (size_t k = i; k < i + 8; k++)
			if (is_control(s.ptr[k]))
				return true;
	}
	for (; i < s.len; i++)
		if (is_control(s.ptr[i]))
			return true;
	return false;
}

bool syntax_has_space_or_control(struct slice s)
{
	size_t i = 0;
	for (; i + 8 <= s.len; i += 8) {
		uint64_t word;
		memcpy(&word, s.ptr + i, 8);
		if ((below(word, 0x21) | has_delete(word)) != 0)
			return true;
	}
	for (; i < s.len; i++)
		if ((unsigned char)s.ptr[i] < 0x21 || s.ptr[i] == 0x7f)
			return true;
	return false;
}
