/* SPDX-License-Identifier: Apache-2.0 */
#include "base/slice.h"

bool slice_eq_nocase(struct slice a, struct slice b)
{
	if (a.len != b.len)
		return false;
	for (size_t i = 0; i < a.len; i++)
		if (ascii_lower(a.ptr[i]) != ascii_lower(b.ptr[i]))
			return false;
	return true;
}

int slice_cmp(struct slice a, struct slice b)
{
	size_t n = a.len < b.len ? a.len : b.len;
	int c = n ? memcmp(a.ptr, b.ptr, n) : 0;
	if (c != 0)
		return c;
	return (a.len > b.len) - (a.len < b.len);
}

struct slice slice_trim(struct slice s)
{
	while (s.len > 0 && (s.ptr[0] == ' ' || s.ptr[0] == '\t')) {
		s.ptr++;
		s.len--;
	}
	while (s.len > 0 && (s.ptr[s.len - 1] == ' ' || s.ptr[s.len - 1] == '\t'))
		s.len--;
	return s;
}

size_t slice_find(struct slice s, char c)
{
	const char *p = s.len ? memchr(s.ptr, c, s.len) : NULL;
	return p ? (size_t)(p - s.ptr) : s.len;
}

size_t slice_find_slice(struct slice s, struct slice needle)
{
	if (needle.len == 0)
		return 0;
	const char *p = s.len ? memmem(s.ptr, s.len, needle.ptr, needle.len) : NULL;
	return p ? (size_t)(p - s.ptr) : s.len;
}

bool slice_cut(struct slice *rest, char sep, struct slice *ret_head)
{
	size_t at = slice_find(*rest, sep);
	bool found = at < rest->len;
	*ret_head = slice_head(*rest, at);
	*rest = slice_from(*rest, at + 1);
	return found;
}

static bool is_list_separator(char c)
{
	return c == ',' || c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

bool slice_next_word(struct slice *rest, struct slice *ret)
{
	size_t start = 0, end;
	while (start < rest->len && is_list_separator(rest->ptr[start]))
		start++;
	for (end = start; end < rest->len && !is_list_separator(rest->ptr[end]);)
		end++;
	*ret = slice_head(slice_from(*rest, start), end - start);
	*rest = slice_from(*rest, end);
	return ret->len > 0;
}

bool slice_to_u64(struct slice s, uint64_t *ret)
{
	if (s.len == 0 || s.len > 20)
		return false;
	uint64_t value = 0;
	for (size_t i = 0; i < s.len; i++) {
		if (!ascii_digit(s.ptr[i]))
			return false;
		if (__builtin_mul_overflow(value, (uint64_t)10, &value) ||
			__builtin_add_overflow(value, (uint64_t)(s.ptr[i] - '0'), &value))
			return false;
	}
	*ret = value;
	return true;
}

bool slice_eq_secret(struct slice a, struct slice b)
{
	if (a.len != b.len)
		return false;
	unsigned char diff = 0;
	for (size_t i = 0; i < a.len; i++) {
		diff = (unsigned char)(diff | (unsigned char)(a.ptr[i] ^ b.ptr[i]));
		/* Keeps the compiler from leaving the loop early. */
		__asm__ volatile("" : "+r"(diff));
	}
	return diff == 0;
}
