/* SPDX-License-Identifier: Apache-2.0 */
#include "oss/wildcard.h"

/* The end of the character that begins at `at`. */
static size_t next_character(struct slice text, size_t at)
{
	at++;
	while (at < text.len && ((unsigned char)text.ptr[at] & 0xc0) == 0x80)
		at++;
	return at;
}

/*
 * Goes along both. Where they differ the last `*` takes one more byte of the text, and it goes on
 * from there; stars before that one need never be looked at again, for what they took has already
 * led to the last one as early as can be.
 */
bool wildcard_match(struct slice pattern, struct slice text)
{
	size_t p = 0, t = 0;
	size_t after_star = 0; /* in the pattern; 0: there was no star yet */
	size_t star_end = 0;   /* what of the text the star has taken ends here */
	while (t < text.len) {
		if (p < pattern.len && pattern.ptr[p] == '*') {
			after_star = ++p;
			star_end = t;
		} else if (p < pattern.len && pattern.ptr[p] == '?') {
			p++;
			t = next_character(text, t);
		} else if (p < pattern.len && pattern.ptr[p] == text.ptr[t]) {
			p++;
			t++;
		} else if (after_star) {
			p = after_star;
			t = ++star_end;
		} else {
			return false;
		}
	}
	while (p < pattern.len && pattern.ptr[p] == '*')
		p++;
	return p == pattern.len;
}
