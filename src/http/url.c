/* SPDX-License-Identifier: Apache-2.0 */
#include "http/url.h"

#include <stdint.h>
#include <string.h>

#include "base/host.h"

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

static bool has_gap(struct slice text)
{
	for (size_t i = 0; i < text.len; i++)
		if ((unsigned char)text.ptr[i] <= ' ' || text.ptr[i] == 0x7f)
			return true;
	return false;
}

/* Behind the host, and behind the brackets of an IPv6 address. */
static bool has_good_port(struct slice authority)
{
	uint64_t port = 1;
	size_t start = slice_starts(authority, S("[")) ? slice_find(authority, ']') : 0;
	struct slice rest = slice_from(authority, start);
	struct slice digits = slice_from(rest, slice_find(rest, ':') + 1);
	return digits.len == 0 || (slice_to_u64(digits, &port) && port > 0 && port <= UINT16_MAX);
}

const char *url_request_fault(struct slice text)
{
	struct url url;
	if (has_gap(text))
		return "must not contain spaces or control characters: write a space as %20";
	if (!url_split(text, &url))
		return "must be an http or https URL";
	if (slice_find(url.authority, '@') < url.authority.len)
		return "must not contain a user name or password, which are not sent: take out "
		       "what "
		       "stands before the `@`";
	if (host_of_authority(url.authority).len == 0)
		return "must name a host, as in http://127.0.0.1:8080/";
	if (!has_good_port(url.authority))
		return "must have a port from 1 to 65535, or none";
	return NULL;
}
