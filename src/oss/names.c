/* SPDX-License-Identifier: Apache-2.0 */
#include "oss/names.h"

#include <arpa/inet.h>

#include "base/encode.h"
#include "base/host.h"
#include "base/limits.h"

#define BUCKET_NAME_MIN 3
#define BUCKET_NAME_MAX 63
#define HOST_BYTES 253 /* RFC 1035, and longer than any bucket with its domain */

static bool lower_or_digit(char c)
{
	return (c >= 'a' && c <= 'z') || ascii_digit(c);
}

enum err bucket_name_parse(struct slice text, struct bucket_name *ret)
{
	if (text.len < BUCKET_NAME_MIN || text.len > BUCKET_NAME_MAX)
		return ERR_INVALID_BUCKET_NAME;
	if (!lower_or_digit(text.ptr[0]) || !lower_or_digit(text.ptr[text.len - 1]))
		return ERR_INVALID_BUCKET_NAME;
	for (size_t i = 0; i < text.len; i++)
		if (!lower_or_digit(text.ptr[i]) && text.ptr[i] != '-')
			return ERR_INVALID_BUCKET_NAME;
	ret->text = text;
	return ERR_OK;
}

enum err object_key_parse(struct slice text, struct object_key *ret)
{
	if (!utf8_valid(text))
		return ERR_INVALID_ARGUMENT;
	if (text.len == 0 || text.len > LIMIT_KEY_BYTES || text.ptr[0] == '/' ||
		text.ptr[0] == '\\' || slice_find(text, '\0') < text.len)
		return ERR_INVALID_OBJECT_NAME;
	ret->text = text;
	return ERR_OK;
}

bool user_meta_name_valid(struct slice name)
{
	for (size_t i = 0; i < name.len; i++)
		if (!lower_or_digit(ascii_lower(name.ptr[i])) && name.ptr[i] != '-')
			return false;
	return name.len > 0;
}

/*
 * Takes the port off a host, which may be an IPv6 address in brackets. False if what is left could
 * not be a host.
 */
static bool strip_port(struct slice *host)
{
	struct slice name = *host;
	struct slice port = {NULL, 0};
	if (name.len && name.ptr[0] == '[') {
		size_t close = slice_find(name, ']');
		if (close == name.len)
			return false;
		port = slice_from(name, close + 1);
		name = slice_head(name, close + 1);
		if (port.len && port.ptr[0] != ':')
			return false;
		port = slice_from(port, 1);
	} else {
		size_t colon = slice_find(name, ':');
		port = slice_from(name, colon + 1);
		name = slice_head(name, colon);
	}
	for (size_t i = 0; i < port.len; i++)
		if (!ascii_digit(port.ptr[i]))
			return false;
	*host = name;
	return port.len <= 5;
}

static bool is_ip_address(struct slice host)
{
	unsigned char address[16];
	bool v6 = host.len > 2 && host.ptr[0] == '[';
	if (v6)
		host = slice_of(host.ptr + 1, host.len - 2);
	return host_parse_address(v6 ? AF_INET6 : AF_INET, host, address);
}

/*
 * Whether `host` is `domain` or lies below it; then *ret_below is what stands before the dot, or
 * empty. An empty label before the dot is what ali-oss sends, to an IP address, for the service.
 */
static bool in_domain(struct slice host, struct slice domain, struct slice *ret_below)
{
	if (!slice_ends(host, domain))
		return false;
	size_t before = host.len - domain.len;
	if (before == 0)
		*ret_below = slice_head(host, 0);
	else if (host.ptr[before - 1] == '.')
		*ret_below = slice_head(host, before - 1);
	else
		return false;
	return true;
}

/* The same for `oss-<region>.aliyuncs.com`, whatever the region. */
static bool in_aliyun_domain(struct slice host, struct slice *ret_below)
{
	static const struct slice end = SLICE_LIT(".aliyuncs.com");
	if (!slice_ends(host, end))
		return false;
	size_t from = host.len - end.len;
	while (from > 0 && host.ptr[from - 1] != '.')
		from--;
	struct slice endpoint = slice_from(host, from);
	return slice_starts(endpoint, S("oss-")) && in_domain(host, endpoint, ret_below);
}

/*
 * What the host says: *ret_below is the text before a service domain, empty if the host stands for
 * the service itself. False for a host that is none of ours.
 */
static bool classify_host(
	struct slice host, const struct slice *domains, size_t count, struct slice *ret_below)
{
	*ret_below = slice_head(host, 0);
	if (host.len == 0 || is_ip_address(host))
		return true;
	for (size_t i = 0; i < count; i++)
		if (domains[i].len && in_domain(host, domains[i], ret_below))
			return true;
	return in_domain(host, S("localhost"), ret_below) || in_aliyun_domain(host, ret_below);
}

/* Copies the host without port and final dot, in lower case. */
static enum err normal_host(
	struct slice host, struct arena *arena, struct slice *ret, struct strbuf *reason)
{
	if (!strip_port(&host) || host.len > HOST_BYTES + 1) {
		strbuf_adds(reason, "The Host header is malformed.");
		return ERR_INVALID_REQUEST;
	}
	if (host.len > 1 && host.ptr[host.len - 1] == '.')
		host.len--;
	char *text = arena_alloc(arena, host.len + 1);
	if (!text)
		return ERR_UNAVAILABLE;
	for (size_t i = 0; i < host.len; i++)
		text[i] = ascii_lower(host.ptr[i]);
	*ret = slice_of(text, host.len);
	return ERR_OK;
}

bool host_is(struct slice header, struct slice name)
{
	if (!strip_port(&header))
		return false;
	if (header.len > 1 && header.ptr[header.len - 1] == '.')
		header.len--;
	return name.len && slice_eq_nocase(header, name);
}

static enum err decode_into(
	struct arena *arena, struct slice text, struct slice *ret, struct strbuf *reason)
{
	SCOPED_STRBUF(decoded, LIMIT_TARGET_BYTES);
	if (!plus_decode(&decoded, text)) {
		if (strbuf_broken(&decoded) && text.len <= decoded.max)
			return ERR_UNAVAILABLE;
		strbuf_adds(reason, "The path holds a malformed percent-escape or is too long.");
		return ERR_INVALID_REQUEST;
	}
	*ret = arena_copy(arena, strbuf_slice(&decoded));
	return ret->ptr ? ERR_OK : ERR_UNAVAILABLE;
}

static enum err parse_bucket(struct slice text, struct address *ret)
{
	enum err e = bucket_name_parse(text, &ret->bucket);
	ret->has_bucket = e == ERR_OK;
	return e;
}

/* `text` is what stands behind the slash that ends the bucket, decoded. */
static enum err parse_key(struct slice text, struct address *ret, struct strbuf *reason)
{
	if (text.len == 0)
		return ERR_OK;
	enum err e = object_key_parse(text, &ret->key);
	if (e == ERR_INVALID_ARGUMENT)
		strbuf_adds(reason, "The name of the object is not UTF-8.");
	ret->has_key = e == ERR_OK;
	return e;
}

bool bound_host_parse(struct slice text, struct bound_host *ret)
{
	struct bucket_name bucket;
	struct slice host;
	if (!slice_cut(&text, '=', &host) || bucket_name_parse(text, &bucket) != ERR_OK ||
		host.len == 0 || host.len > HOST_BYTES || host.ptr[0] == '.' ||
		host.ptr[host.len - 1] == '.')
		return false;
	for (size_t i = 0; i < host.len; i++)
		if (!lower_or_digit(host.ptr[i]) && host.ptr[i] != '-' && host.ptr[i] != '.' &&
			host.ptr[i] != '_')
			return false;
	*ret = (struct bound_host){.host = host, .bucket = text};
	return true;
}

static const struct bound_host *find_bound(const struct host_rules *rules, struct slice host)
{
	for (size_t i = 0; i < rules->bound_count; i++)
		if (slice_eq(rules->bound[i].host, host))
			return &rules->bound[i];
	return NULL;
}

/* The bucket that the host stands for, empty if for the service. */
static enum err find_bucket(const struct host_rules *rules, struct slice host,
	struct address *address, struct slice *ret, struct strbuf *reason)
{
	const struct bound_host *bound = find_bound(rules, host);
	if (bound) {
		address->style = ADDRESS_BOUND;
		*ret = bound->bucket;
		return ERR_OK;
	}
	if (!classify_host(host, rules->domains, rules->domain_count, ret)) {
		strbuf_adds(reason, "The Host header names no service domain of this store. Use an "
				    "IP address, localhost, or a configured service domain.");
		return ERR_INVALID_REQUEST;
	}
	address->style = ret->len ? ADDRESS_HOST : ADDRESS_PATH;
	return ERR_OK;
}

enum err address_parse(struct slice host, struct slice path, const struct host_rules *rules,
	struct arena *arena, struct address *ret, struct strbuf *reason)
{
	struct address address = {.style = ADDRESS_PATH};
	struct slice bucket;
	enum err e = normal_host(host, arena, &host, reason);
	if (e == ERR_OK)
		e = find_bucket(rules, host, &address, &bucket, reason);
	if (e != ERR_OK)
		return e;
	if (path.len == 0 || path.ptr[0] != '/') {
		strbuf_adds(reason, "The request target must begin with a slash.");
		return ERR_INVALID_REQUEST;
	}
	e = decode_into(arena, slice_from(path, 1), &path, reason);
	if (e == ERR_OK && (bucket.len || path.len)) {
		if (address.style == ADDRESS_PATH)
			(void)slice_cut(&path, '/', &bucket);
		e = parse_bucket(bucket, &address);
	}
	if (e == ERR_OK)
		e = parse_key(path, &address, reason);
	if (e == ERR_OK)
		*ret = address;
	return e;
}
