/* SPDX-License-Identifier: Apache-2.0 */
#include "app/text/events_address.h"

#include "app/text/properties.h"
#include "tap.h"

static struct events_address parsed(const char *text)
{
	struct events_address ret;
	const char *why;
	OK(events_address_parse(slice_str(text), &ret, &why), "%s", text);
	return ret;
}

static void refused(const char *text)
{
	struct events_address address;
	const char *why = NULL;
	OK(!events_address_parse(slice_str(text), &address, &why) && why, "not %s", text);
}

static void redis(const char *url, const char *host, int port, int database)
{
	struct events_address address = parsed(url);
	IS_INT(address.kind, EVENTS_REDIS, "Redis");
	IS(address.host, slice_str(host), "the host");
	IS_INT(address.port, port, "the port");
	IS_INT(address.database, database, "the database");
	IS_INT(address.path.len, 0, "no path");
}

static void redis_unix(const char *url, const char *path, int database)
{
	struct events_address address = parsed(url);
	IS_INT(address.kind, EVENTS_REDIS, "Redis");
	IS(address.path, slice_str(path), "the path");
	IS_INT(address.database, database, "the database");
	IS_INT(address.host.len, 0, "no host");
}

static void kafka(const char *url, const char *brokers)
{
	struct events_address address = parsed(url);
	IS_INT(address.kind, EVENTS_KAFKA, "Kafka");
	IS(address.brokers, slice_str(brokers), "the brokers");
}

static void test_addresses(void)
{
	redis("redis://a", "a", EVENTS_REDIS_PORT, 0);
	redis("redis://a/", "a", EVENTS_REDIS_PORT, 0);
	redis("redis://a.b-c:1/15", "a.b-c", 1, 15);
	redis("redis://[::1]", "::1", EVENTS_REDIS_PORT, 0);
	redis("redis://[fe80::1%eth0]:65535/2", "fe80::1%eth0", 65535, 2);
	redis_unix("redis+unix:/run/redis.sock", "/run/redis.sock", 0);
	redis_unix("redis+unix:///run/redis.sock?db=7", "/run/redis.sock", 7);
	kafka("kafka://a", "a");
	kafka("kafka://a:9092,[::1]:9093,c/", "a:9092,[::1]:9093,c");
	IS_INT(parsed("HTTPS://a/").kind, EVENTS_HTTP, "HTTP");
}

static void test_refused(void)
{
	static const char *const urls[] = {"", "a", "ftp://a", "redis:a", "redis://", "redis://:1",
		"redis://a:", "redis://a:0", "redis://a:65536", "redis://a:1:2", "redis://a/b",
		"redis://a/1/", "redis://a/65536", "redis://u:p@a", "redis://u@a", "redis://a?db=1",
		"redis://[::1", "redis://[]", "redis://::1", "redis://[::1]1", "redis://a b",
		"redis+unix:", "redis+unix:a", "redis+unix://a", "redis+unix:/a?",
		"redis+unix:/a?db=", "redis+unix:/a?db=x", "redis+unix:////a", "rediss://a",
		"kafka://", "kafka:///", "kafka://a,", "kafka://,a", "kafka://a:0",
		"kafka://a/topic", "kafka://u@a"};
	char path[200] = "redis+unix:/";
	for (size_t i = 0; i < ARRAY_LEN(urls); i++)
		refused(urls[i]);
	memset(path + strlen(path), 'a', 107);
	refused(path);
	path[strlen(path) - 1] = '\0';
	OK(parsed(path).path.len == 107, "the longest path");
}

static void test_properties(void)
{
	struct properties p = {
		.rest = S("# a = b\r\n\n a.b =\tc = d \r\nempty=\nnone\n=c\nx=\001\nlast=1")};
	IS_INT(properties_next(&p), PROPERTY, "the first");
	IS(p.name, S("a.b"), "its name");
	IS(p.value, S("c = d"), "its value");
	IS_INT(p.line, 3, "its line");
	IS_INT(properties_next(&p), PROPERTY, "without a value");
	IS(p.value, S(""), "it is empty");
	for (int i = 0; i < 3; i++)
		IS_INT(properties_next(&p), PROPERTY_BAD, "no `=`, no name, a control character");
	IS_INT(properties_next(&p), PROPERTY, "the last");
	IS(p.name, S("last"), "its name");
	IS_INT(p.line, 8, "its line");
	IS_INT(properties_next(&p), PROPERTY_NONE, "the end");
	IS_INT(properties_next(&p), PROPERTY_NONE, "it stays the end");
}

int main(void)
{
	test_addresses();
	test_refused();
	test_properties();
	return tap_done();
}
