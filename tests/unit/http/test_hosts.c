/* SPDX-License-Identifier: Apache-2.0 */
/* Under which names a port answers, and that a rebound name is none of them. */
#include "http/hosts.h"

#include "tap.h"

static void check(const struct hosts *hosts, const char *host, bool admitted)
{
	OK(hosts_admit(hosts, slice_str(host)) == admitted, "%s is %s", host,
		admitted ? "admitted" : "turned away");
}

static void loopback(void)
{
	static const char *const good[] = {"", "localhost", "localhost:8888", "LOCALHOST",
		"localhost.", "a.localhost:1", "127.0.0.1", "127.0.0.1:8888", "127.9.9.9", "[::1]",
		"[::1]:8888"};
	static const char *const bad[] = {"evil.test", "evil.test:8888", "localhost.evil.test",
		"127.0.0.1.evil.test", "xlocalhost", ".localhost", "10.0.0.1", "0.0.0.0", "[::2]",
		"[::ffff:10.0.0.1]", "0x7f000001", "2130706433", "127.1", "*", "[", "[]", ":", "."};
	struct hosts hosts = {.count = 0};
	hosts_listen(&hosts, S("127.0.0.1:8888"));
	for (size_t i = 0; i < ARRAY_LEN(good); i++)
		check(&hosts, good[i], true);
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		check(&hosts, bad[i], false);
}

static void addresses(void)
{
	struct hosts one = {.count = 0}, all = {.count = 0}, six = {.count = 0},
		     bare = {.count = 0};
	hosts_listen(&one, S("10.0.0.7:80"));
	check(&one, "10.0.0.7", true);
	check(&one, "10.0.0.8", false);
	hosts_listen(&all, S("0.0.0.0:80"));
	check(&all, "10.0.0.8:80", true);
	check(&all, "[2001:db8::1]", true);
	check(&all, "evil.test", false);
	hosts_listen(&six, S("[::]:80"));
	check(&six, "10.0.0.8:80", true);
	hosts_listen(&bare, S(":80"));
	check(&bare, "10.0.0.8:80", true);
	struct hosts own = {.count = 0};
	hosts_listen(&own, S("[2001:db8::1]:80"));
	check(&own, "[2001:db8::1]:80", true);
	check(&own, "[2001:db8::2]:80", false);
}

static void listed(void)
{
	struct hosts hosts = {.count = 0};
	OK(hosts_add(&hosts, S("app.example.com")), "a name");
	OK(hosts_add(&hosts, S("Proxy:8080")), "with a port, which does not matter");
	hosts_add_url(&hosts, S("https://www.example.com"));
	hosts_add_url(&hosts, S("http://cb.example.com:81/callback?x=http://no.example.com/"));
	hosts_add_url(&hosts, S("capacitor://inside.example.com"));
	hosts_add_url(&hosts, S("https://*.wild.example.com"));
	check(&hosts, "APP.example.com:443", true);
	check(&hosts, "proxy", true);
	check(&hosts, "www.example.com", true);
	check(&hosts, "cb.example.com", true);
	check(&hosts, "no.example.com", false);
	check(&hosts, "inside.example.com", false);
	check(&hosts, "a.wild.example.com", false);
	check(&hosts, "example.com", false);
	static const char *const bad[] = {"", "a/b", "http://a", "a b", "a@b", "*.a", "\xff"};
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		OK(!hosts_add(&hosts, slice_str(bad[i])), "no name: %s", bad[i]);
	OK(hosts_add(&hosts, S("*")), "all names");
	check(&hosts, "evil.test", true);
	struct hosts many = {.count = 0};
	for (size_t i = 0; i < LIMIT_HOSTS; i++)
		if (!hosts_add(&many, S("a")))
			abort();
	OK(!hosts_add(&many, S("a")), "so many and no more");
}

static void local(void)
{
	static const char *const yes[] = {
		"127.0.0.1", "127.1.2.3:80", "localhost:8888", "[::1]:1", "a.localhost"};
	static const char *const no[] = {"", ":8888", "0.0.0.0:1", "[::]:1", "10.0.0.1:80", "a.b:1",
		"localhost.example.com:1", "128.0.0.1"};
	for (size_t i = 0; i < ARRAY_LEN(yes); i++)
		OK(hosts_is_loopback(slice_str(yes[i])), "the loopback: %s", yes[i]);
	for (size_t i = 0; i < ARRAY_LEN(no); i++)
		OK(!hosts_is_loopback(slice_str(no[i])), "more than that: %s", no[i]);
}

int main(void)
{
	local();
	loopback();
	addresses();
	listed();
	return tap_done();
}
