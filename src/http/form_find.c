/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The search for a boundary, which every uploaded byte goes through. memchr finds a CR; on most
 * content that is all there is to do. Content full of CRs, or of beginnings of the boundary, is
 * kept cheap by one fact: the delimiter has a CR only at its front. So of several CRs in a window
 * as long as the delimiter only the last can begin one, and after at most two candidates the
 * search is a whole window further.
 */
#include "http/form_internal.h"

/* Whether the first `len` bytes of the delimiter are at `at`; CR is known to be. */
static bool begins(const char *at, struct slice delimiter, size_t len)
{
	/* The end differs where only the beginning of a boundary is imitated. */
	if (len >= 2 && (at[1] != '\n' || at[len - 1] != delimiter.ptr[len - 1]))
		return false;
	return memcmp(at, delimiter.ptr, len) == 0;
}

size_t form_find_delimiter(struct slice delimiter, struct slice text, size_t *ret_matched)
{
	const char *end = text.ptr + text.len;
	const char *at = text.len > 0 ? memchr(text.ptr, '\r', text.len) : NULL;
	while (at) {
		size_t left = (size_t)(end - at);
		size_t window = left < delimiter.len ? left : delimiter.len;
		if (begins(at, delimiter, window)) {
			*ret_matched = window;
			return (size_t)(at - text.ptr);
		}
		const char *next = memchr(at + 1, '\r', left - 1);
		if (next && next < at + window)
			next = memrchr(next, '\r', (size_t)(at + window - next));
		at = next;
	}
	*ret_matched = 0;
	return text.len;
}
