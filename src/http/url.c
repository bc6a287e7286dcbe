/* SPDX-License-Identifier: Apache-2.0 */
#include "http/url.h"

#include <string.h>

/* How many bytes are in front of the first of `marks`. */
static size_t find_any(struct slice text, const char *marks)
{
	size_t at = 0;
	while (at < text.len && (text.ptr[at] == '\0' || !strchr(marks, text.ptr[at])))
		at++;
	return at;
}

bool url_has_scheme(struct slice text, size_t *ret_end)
{
	static const struct slice mark = SLICE_LIT("://");
	size_t scheme = find_any(text, ":/?#");
	*ret_end = scheme + mark.len;
	return scheme > 0 && slice_starts(slice_from(text, scheme), mark);
}

bool url_split(struct slice text, struct url *ret)
{
	size_t start;
	if (!url_has_scheme(text, &start))
		return false;
	struct slice scheme = slice_head(text, slice_find(text, ':'));
	ret->tls = slice_eq_nocase(scheme, S("https"));
	if (!ret->tls && !slice_eq_nocase(scheme, S("http")))
		return false;
	struct slice behind = slice_from(text, start);
	ret->authority = slice_head(behind, find_any(behind, "/?#"));
	ret->origin = slice_head(text, start + ret->authority.len);
	ret->rest = slice_from(behind, ret->authority.len);
	ret->target = slice_head(ret->rest, slice_find(ret->rest, '#'));
	ret->path = slice_head(ret->target, slice_find(ret->target, '?'));
	return true;
}
