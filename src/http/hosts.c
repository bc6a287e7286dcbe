/* SPDX-License-Identifier: Apache-2.0 */
#include "http/hosts.h"

#include <arpa/inet.h>
#include <string.h>

#include "base/host.h"
#include "http/url.h"

/* The host without port, brackets and final dot. */
static struct slice name_of(struct slice host)
{
	bool bracket = slice_starts(host, S("["));
	host = host_of_authority(host);
	if (!bracket && host.len > 1 && host.ptr[host.len - 1] == '.')
		host.len--;
	return host;
}

static bool is_address(struct slice name, bool *ret_loopback)
{
	struct in_addr v4;
	struct in6_addr v6;
	if (host_parse_address(AF_INET, name, &v4)) {
		*ret_loopback = ntohl(v4.s_addr) >> 24 == 127;
		return true;
	}
	*ret_loopback = false;
	if (!host_parse_address(AF_INET6, name, &v6))
		return false;
	*ret_loopback = IN6_IS_ADDR_LOOPBACK(&v6);
	return true;
}

void hosts_listen(struct hosts *hosts, struct slice listen)
{
	size_t end = listen.len;
	while (end > 0 && listen.ptr[end - 1] != ':')
		end--;
	struct slice address = slice_head(listen, end > 0 ? end - 1 : 0);
	if (address.len == 0 || slice_eq(address, S("0.0.0.0")) || slice_eq(address, S("[::]")))
		hosts->any_address = true;
	else
		(void)!hosts_add(hosts, address);
}

bool hosts_add(struct hosts *hosts, struct slice name)
{
	if (slice_eq(name, S("*"))) {
		hosts->any = true;
		return true;
	}
	for (size_t i = 0; i < name.len; i++)
		if ((unsigned char)name.ptr[i] <= 0x20 || (unsigned char)name.ptr[i] >= 0x7f ||
			strchr("/@*?#\\", name.ptr[i]))
			return false;
	name = name_of(name);
	if (name.len == 0 || hosts->count == LIMIT_HOSTS)
		return false;
	hosts->names[hosts->count++] = name;
	return true;
}

void hosts_add_url(struct hosts *hosts, struct slice url)
{
	struct url parts;
	if (url_split(url, &parts))
		(void)!hosts_add(hosts, parts.authority);
}

bool hosts_is_loopback(struct slice host)
{
	struct slice name = name_of(host);
	bool loopback;
	return host_is_localhost(name) || (is_address(name, &loopback) && loopback);
}

bool hosts_admit(const struct hosts *hosts, struct slice host)
{
	struct slice name = name_of(host);
	bool loopback;
	if (hosts->any || host.len == 0 || hosts_is_loopback(host))
		return true;
	if (hosts->any_address && is_address(name, &loopback))
		return true;
	for (size_t i = 0; i < hosts->count; i++)
		if (slice_eq_nocase(hosts->names[i], name))
			return true;
	return false;
}
