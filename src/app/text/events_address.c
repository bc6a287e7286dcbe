/* SPDX-License-Identifier: Apache-2.0 */
#include "app/text/events_address.h"

#include <sys/un.h>

#include "base/host.h"

#define KINDS                                                                               \
	"must be http://..., https://..., redis://HOST:PORT/DATABASE, redis+unix:/PATH or " \
	"kafka://HOST:PORT,..."

static bool parse_number(struct slice text, uint64_t min, uint16_t *ret)
{
	uint64_t number;
	if (!slice_to_u64(text, &number) || number < min || number > UINT16_MAX)
		return false;
	*ret = (uint16_t)number;
	return true;
}

/* Printable, and nothing that would end a host's name. */
static bool is_host(struct slice text)
{
	for (size_t i = 0; i < text.len; i++)
		if (text.ptr[i] <= ' ' || text.ptr[i] > '~' ||
			slice_find(S("@/?#,[]"), text.ptr[i]) < S("@/?#,[]").len)
			return false;
	return text.len > 0;
}

/* HOST[:PORT]; without a port *ret_port is as it was. */
static bool parse_authority(struct slice text, struct slice *ret_host, uint16_t *ret_port)
{
	bool brackets = slice_starts(text, S("["));
	size_t end = slice_find(text, brackets ? ']' : ':');
	struct slice host = slice_head(slice_from(text, brackets), end - brackets);
	struct slice rest = slice_from(text, end);
	if (brackets && !slice_starts(rest, S("]")))
		return false;
	rest = slice_from(rest, brackets);
	*ret_host = host;
	return is_host(host) &&
	       (rest.len == 0 || (slice_starts(rest, S(":")) &&
					 parse_number(slice_from(rest, 1), 1, ret_port)));
}

static bool parse_redis(struct slice rest, struct events_address *ret, const char **ret_why)
{
	size_t slash = slice_find(rest, '/');
	struct slice database = slice_from(rest, slash);
	ret->kind = EVENTS_REDIS;
	ret->port = EVENTS_REDIS_PORT;
	*ret_why = "must be redis://HOST:PORT/DATABASE, the database a number";
	return parse_authority(slice_head(rest, slash), &ret->host, &ret->port) &&
	       (database.len <= 1 || parse_number(slice_from(database, 1), 0, &ret->database));
}

static bool parse_redis_unix(struct slice rest, struct events_address *ret, const char **ret_why)
{
	size_t question = slice_find(rest, '?');
	struct slice path = slice_head(rest, question);
	struct slice query = slice_from(rest, question);
	if (slice_starts(path, S("///")))
		path = slice_from(path, 2);
	ret->kind = EVENTS_REDIS;
	ret->path = path;
	*ret_why = "must be redis+unix:/PATH or redis+unix:/PATH?db=DATABASE, with a path that is "
		   "absolute and that a socket can have";
	return slice_starts(path, S("/")) && !slice_starts(path, S("//")) &&
	       slice_find(path, '\0') == path.len &&
	       path.len < sizeof(((struct sockaddr_un *)NULL)->sun_path) &&
	       (query.len == 0 || (slice_starts(query, S("?db=")) &&
					  parse_number(slice_from(query, 4), 0, &ret->database)));
}

static bool parse_kafka(struct slice rest, struct events_address *ret, const char **ret_why)
{
	struct slice broker, host;
	uint16_t port;
	if (slice_ends(rest, S("/")))
		rest.len--;
	ret->kind = EVENTS_KAFKA;
	ret->brokers = rest;
	*ret_why = "must be kafka://HOST:PORT,HOST:PORT,...; the topic is events_stream";
	while (slice_cut(&rest, ',', &broker))
		if (!parse_authority(broker, &host, &port))
			return false;
	return parse_authority(broker, &host, &port);
}

bool events_address_parse(struct slice url, struct events_address *ret, const char **ret_why)
{
	static const struct {
		struct slice scheme;
		bool (*parse)(struct slice rest, struct events_address *ret, const char **ret_why);
	} kinds[] = {{SLICE_LIT("redis://"), parse_redis},
		{SLICE_LIT("redis+unix:"), parse_redis_unix}, {SLICE_LIT("kafka://"), parse_kafka}};
	*ret = (struct events_address){.kind = EVENTS_NOWHERE};
	*ret_why = KINDS;
	if (slice_starts(url, S("rediss://"))) {
		*ret_why =
			"there is no TLS to Redis: let stunnel, or a proxy beside postern, do it, "
			"and name that";
		return false;
	}
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
		if (slice_starts(url, kinds[i].scheme))
			return kinds[i].parse(slice_from(url, kinds[i].scheme.len), ret, ret_why);
	ret->kind = EVENTS_HTTP;
	return slice_eq_nocase(slice_head(url, 7), S("http://")) ||
	       slice_eq_nocase(slice_head(url, 8), S("https://"));
}
