/* SPDX-License-Identifier: Apache-2.0 */
/* Which addresses a stranger may send us to, and the exceptions. */
#include "net/address.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/un.h>

#include "tap.h"

struct any_address {
	struct sockaddr_storage storage;
};

static const struct sockaddr *address(struct any_address *a, const char *text, int port)
{
	memset(a, 0, sizeof(*a));
	struct sockaddr_in *in = (void *)&a->storage;
	struct sockaddr_in6 *in6 = (void *)&a->storage;
	if (inet_pton(AF_INET, text, &in->sin_addr) == 1) {
		in->sin_family = AF_INET;
		in->sin_port = htons((uint16_t)port);
	} else if (inet_pton(AF_INET6, text, &in6->sin6_addr) == 1) {
		in6->sin6_family = AF_INET6;
		in6->sin6_port = htons((uint16_t)port);
	} else {
		abort();
	}
	return (const void *)&a->storage;
}

static void rule(void)
{
	static const char *const refused[] = {"0.0.0.0", "0.1.2.3", "10.0.0.1", "10.255.255.255",
		"100.64.0.0", "100.100.100.200", "100.127.255.255", "127.0.0.1", "127.255.255.255",
		"168.63.129.16", "169.254.0.1", "169.254.169.254", "172.16.0.0", "172.31.255.255",
		"192.0.0.8", "192.0.2.1", "192.88.99.1", "192.168.0.1", "192.168.255.255",
		"198.18.0.1", "198.19.255.255", "198.51.100.7", "203.0.113.9", "224.0.0.1",
		"239.255.255.255", "240.0.0.1", "255.255.255.255", "::", "::1", "::7f00:1",
		"::ffff:127.0.0.1", "::ffff:10.1.2.3", "::ffff:169.254.169.254",
		"::ffff:0:127.0.0.1", "64:ff9b::10.0.0.1", "64:ff9b::169.254.169.254",
		"64:ff9b:1::808:808", "100::1", "2001::1", "2001:0:4136:e378::1", "2001:10::1",
		"2001:db8::1", "2002:7f00:1::1",
		"2002:a00:1::", "2002:a9fe:a9fe::", "2400::5efe:127.0.0.1",
		"2400::200:5efe:10.0.0.1", "3fff::1", "4000::1", "fc00::1", "fd00:ec2::254",
		"fdff::1", "fe80::1", "febf::1", "fec0::1", "ff02::1", "ff0e::1"};
	static const char *const allowed[] = {"1.1.1.1", "8.8.8.8", "9.255.255.255", "11.0.0.0",
		"100.63.255.255", "100.128.0.0", "126.255.255.255", "128.0.0.1", "168.63.129.17",
		"169.253.255.255", "169.255.0.0", "172.15.255.255", "172.32.0.0", "192.0.1.0",
		"192.167.255.255", "192.169.0.0", "198.17.255.255", "198.20.0.0", "223.255.255.255",
		"::ffff:8.8.8.8", "64:ff9b::8.8.8.8", "2001:200::1", "2001:4860:4860::8888",
		"2002:808:808::1", "2400:3200::1", "2400::5efe:8.8.8.8", "2606:4700:4700::1111"};
	struct any_address a;
	for (size_t i = 0; i < ARRAY_LEN(refused); i++)
		OK(address_refused(address(&a, refused[i], 80)), "refused: %s", refused[i]);
	for (size_t i = 0; i < ARRAY_LEN(allowed); i++)
		OK(!address_refused(address(&a, allowed[i], 80)), "public: %s", allowed[i]);
	struct sockaddr_un local = {.sun_family = AF_UNIX};
	OK(address_refused((const struct sockaddr *)&local), "refused: a local socket");
}

static void lists(void)
{
	static const struct {
		const char *list, *host, *address;
		int port;
		bool has;
	} rows[] = {
		{"", "x", "127.0.0.1", 80, false},
		{" , ", "x", "127.0.0.1", 80, false},
		{"127.0.0.1", "x", "127.0.0.1", 80, true},
		{"127.0.0.1", "x", "127.0.0.1", 8888, true},
		{"127.0.0.1", "x", "127.0.0.2", 80, false},
		{"127.0.0.1:8888", "x", "127.0.0.1", 8888, true},
		{"127.0.0.1:8888", "x", "127.0.0.1", 8889, false},
		{"127.0.0.1:8888", "x", "::ffff:127.0.0.1", 8888, true},
		{"127.0.0.1:8888", "x", "::1", 8888, false},
		{"10.0.0.0/8", "x", "10.200.1.1", 5, true},
		{"10.0.0.0/8", "x", "11.0.0.1", 5, false},
		{"10.128.0.0/9", "x", "10.127.0.1", 5, false},
		{"10.128.0.0/9", "x", "10.129.0.1", 5, true},
		{"0.0.0.0/0", "x", "10.129.0.1", 5, true},
		{"0.0.0.0/0", "x", "::1", 5, false},
		{"::1", "x", "::1", 80, true},
		{"[::1]", "x", "::1", 80, true},
		{"[::1]:8080", "x", "::1", 8080, true},
		{"[::1]:8080", "x", "::1", 80, false},
		{"fd00::/8", "x", "fd12::1", 80, true},
		{"fd00::/8", "x", "fe12::1", 80, false},
		{"backend.internal", "Backend.Internal", "10.0.0.1", 80, true},
		{"backend.internal", "other.internal", "10.0.0.1", 80, false},
		{"backend.internal:81", "backend.internal", "10.0.0.1", 80, false},
		{"backend.internal:81", "backend.internal", "10.0.0.1", 81, true},
		{"localhost:9, 10.0.0.1\n10.0.0.2", "x", "10.0.0.2", 80, true},
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct allow_list *list = NULL;
		struct any_address a;
		enum err e = allow_list_parse(slice_str(rows[i].list), &list, NULL);
		OK(e == ERR_OK &&
				allow_list_has(list, slice_str(rows[i].host),
					address(&a, rows[i].address, rows[i].port)) == rows[i].has,
			"[%s] %s %s port %d", rows[i].list, rows[i].has ? "has" : "has not",
			rows[i].address, rows[i].port);
		allow_list_free(list);
	}
	struct any_address a;
	OK(!allow_list_has(NULL, S("x"), address(&a, "10.0.0.1", 1)), "no list has nothing");
}

static void bad_lists(void)
{
	static const char *const bad[] = {"127.0.0.1:0", "127.0.0.1:65536",
		"127.0.0.1:", "127.0.0.1:8o", "10.0.0.0/33", "10.0.0.0/", "10.0.0/8",
		"10.0.0.0/8:80", "fd00::/129", "[::1", "[::1]80", "[127.0.0.1]:80", "256.0.0.1",
		"1.2.3", "http://x/", "a b:c", "*", "name:80:81", ":80", "/8", "[]:80"};
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct allow_list *list = NULL;
		struct slice where = {NULL, 0};
		OK(allow_list_parse(slice_str(bad[i]), &list, &where) == ERR_INVALID_ARGUMENT &&
				!list && where.len > 0,
			"refused: %s", bad[i]);
	}
	struct slice where = {NULL, 0};
	struct allow_list *list = NULL;
	OK(allow_list_parse(S("10.0.0.1, oops/3 ,x"), &list, &where) == ERR_INVALID_ARGUMENT,
		"a list with one bad entry");
	IS(where, S("oops/3"), "names it");
}

static void literals(void)
{
	static const struct {
		const char *host;
		uint16_t port;
		bool refused;
	} rows[] = {
		{"127.0.0.1", 80, true},
		{"127.0.0.1", 8888, false},
		{"10.1.2.3", 80, true},
		{"8.8.8.8", 80, false},
		{"localhost", 80, true},
		{"LocalHost", 80, true},
		{"a.localhost", 80, true},
		{"dev.localhost", 80, false},
		{"localhost", 8888, false},
		{"localhost.example", 80, false},
		{"example.com", 80, false},
		{"127.0.0.1.example.com", 80, false},
		{"2130706433", 80, false}, /* resolved later, and refused then */
		{"", 80, false},
		{"[::1]", 80, true},
		{"[::1]", 8888, false},
		{"[::ffff:127.0.0.1]", 80, true},
		{"[fd00::1]", 80, true},
		{"[2400:3200::1]", 80, false},
		{"[", 80, false},
	};
	struct allow_list *list = NULL;
	OK(allow_list_parse(S("127.0.0.1:8888 dev.localhost [::1]:8888"), &list, NULL) == ERR_OK,
		"a list");
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		OK(address_literal_refused(slice_str(rows[i].host), rows[i].port, list) ==
				rows[i].refused,
			"`%s` port %d is %s", rows[i].host, rows[i].port,
			rows[i].refused ? "refused" : "left for later");
	allow_list_free(list);
}

int main(void)
{
	rule();
	lists();
	bad_lists();
	literals();
	return tap_done();
}
