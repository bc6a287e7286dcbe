/* SPDX-License-Identifier: Apache-2.0 */
#include "oss/text/wildcard.h"

/* The end of the character that begins at `at`. */
static size_t next_character(struct slice text, size_t at)
{
	at++;
	while (at < text.len && ((unsigned char)text.ptr[at] & 0xc0) == 0x80)
		at++;
	return at;
}

/* Where the plain bytes from `p` on, up to the next wildcard, end. */
static size_t plain_end(struct slice pattern, size_t p)
{
	while (p < pattern.len && pattern.ptr[p] != '*' && pattern.ptr[p] != '?')
		p++;
	return p;
}

/*
 * Behind a star at `p`: where in the text from `t` on it can go on at the earliest, which is where
 * the plain bytes behind the star are; at the text's end if nothing follows them. Past the text if
 * nowhere. What the star takes is found here at once and not byte by byte.
 */
static size_t skip_to(struct slice pattern, size_t p, struct slice text, size_t t)
{
	size_t end = plain_end(pattern, p);
	struct slice plain = slice_of(pattern.ptr + p, end - p);
	if (end == pattern.len)
		return plain.len <= text.len - t ? text.len - plain.len : text.len + 1;
	size_t at = slice_find_slice(slice_from(text, t), plain);
	return at < text.len - t || plain.len == 0 ? t + at * (plain.len > 0) : text.len + 1;
}

/*
 * Goes along both. Where they differ the last `*` takes more of the text, and it goes on from
 * there; stars before that one need never be looked at again, for what they took has already led to
 * the last one as early as can be.
 */
bool wildcard_match(struct slice pattern, struct slice text)
{
	size_t p = 0, t = 0;
	size_t after_star = 0; /* in the pattern; 0: there was no star yet */
	size_t star_end = 0;   /* what of the text the star has taken ends here */
	while (t < text.len) {
		if (p < pattern.len && pattern.ptr[p] == '*') {
			after_star = ++p;
			t = star_end = skip_to(pattern, p, text, t);
		} else if (p < pattern.len && pattern.ptr[p] == '?') {
			p++;
			t = next_character(text, t);
		} else if (p < pattern.len && pattern.ptr[p] == text.ptr[t]) {
			p++;
			t++;
		} else if (after_star) {
			p = after_star;
			t = star_end = skip_to(pattern, p, text, star_end + 1);
		} else {
			return false;
		}
	}
	while (p < pattern.len && pattern.ptr[p] == '*')
		p++;
	return p == pattern.len && t == text.len;
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
