/* SPDX-License-Identifier: Apache-2.0 */
#include "base/host.h"

#include <arpa/inet.h>
#include <string.h>

struct slice host_of_authority(struct slice authority)
{
	if (authority.len == 0 || authority.ptr[0] != '[')
		return slice_head(authority, slice_find(authority, ':'));
	authority = slice_from(authority, 1);
	return slice_head(authority, slice_find(authority, ']'));
}

bool host_parse_address(int family, struct slice text, void *ret)
{
	char copy[INET6_ADDRSTRLEN];
	if (text.len == 0 || text.len >= sizeof(copy) || slice_find(text, '\0') < text.len)
		return false;
	memcpy(copy, text.ptr, text.len);
	copy[text.len] = '\0';
	return inet_pton(family, copy, ret) == 1;
}

bool host_is_localhost(struct slice name)
{
	static const struct slice top = SLICE_LIT("localhost");
	if (slice_ends(name, S(".")))
		name.len--;
	if (name.len < top.len || !slice_eq_nocase(slice_from(name, name.len - top.len), top))
		return false;
	size_t below = name.len - top.len;
	return below == 0 || (below > 1 && name.ptr[below - 1] == '.');
}
