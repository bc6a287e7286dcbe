/* SPDX-License-Identifier: Apache-2.0 */
#include "base/host.h"

#include <arpa/inet.h>
#include <string.h>

#include "tap.h"

static void authorities(void)
{
	static const char *const rows[][2] = {{"a", "a"}, {"a:80", "a"}, {"a:", "a"}, {":80", ""},
		{"", ""}, {"[::1]", "::1"}, {"[::1]:80", "::1"}, {"[::1", "::1"}, {"[", ""}};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		IS(host_of_authority(slice_str(rows[i][0])), slice_str(rows[i][1]), "the host");
}

static void addresses(void)
{
	struct in_addr v4;
	struct in6_addr v6;
	OK(host_parse_address(AF_INET, S("127.0.0.1"), &v4) && ntohl(v4.s_addr) == INADDR_LOOPBACK,
		"an IPv4 address");
	OK(host_parse_address(AF_INET6, S("::1"), &v6) && IN6_IS_ADDR_LOOPBACK(&v6),
		"an IPv6 address");
	OK(host_parse_address(AF_INET6, S("ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255"), &v6),
		"the longest there is");
	static const struct slice bad[] = {SLICE_LIT(""), SLICE_LIT("a"), SLICE_LIT("127.0.0.1 "),
		SLICE_LIT("127.0.0.1\0"), SLICE_LIT("1\0"), SLICE_LIT("127.1"),
		SLICE_LIT("0000:0000:0000:0000:0000:0000:255.255.255.2555555")};
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		OK(!host_parse_address(AF_INET, bad[i], &v4) &&
				!host_parse_address(AF_INET6, bad[i], &v6),
			"none, row %zu", i);
}

static void loopback_names(void)
{
	static const char *const good[] = {
		"localhost", "LOCALHOST", "localhost.", "a.localhost", "a.b.LocalHost."};
	static const char *const bad[] = {"", ".", ".localhost", "localhos", "xlocalhost",
		"localhost.a", "localhost..", "127.0.0.1"};
	for (size_t i = 0; i < ARRAY_LEN(good); i++)
		OK(host_is_localhost(slice_str(good[i])), "%s is the loopback's", good[i]);
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		OK(!host_is_localhost(slice_str(bad[i])), "`%s` is not", bad[i]);
}

int main(void)
{
	authorities();
	addresses();
	loopback_names();
	return tap_done();
}
