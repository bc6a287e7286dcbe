/* SPDX-License-Identifier: Apache-2.0 */
#include "oss/rules/origin.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "base/host.h"
#include "oss/text/wildcard.h"

/* ---- What can never match ---------------------------------------------------------------------
 */

static size_t count_stars(struct slice text)
{
	size_t stars = 0;
	for (size_t i = 0; i < text.len; i++)
		stars += text.ptr[i] == '*';
	return stars;
}

static bool has_star(struct slice text)
{
	return slice_find(text, '*') < text.len;
}

/* Visible ASCII, not empty, and none of `except`. */
static bool is_visible(struct slice text, const char *except)
{
	for (size_t i = 0; i < text.len; i++)
		if (text.ptr[i] <= ' ' || text.ptr[i] > '~' || strchr(except, text.ptr[i]))
			return false;
	return text.len > 0;
}

static const char *port_fault(struct slice port)
{
	uint64_t number;
	if (slice_eq(port, S("*")))
		return NULL;
	if (!slice_to_u64(port, &number) || number < 1 || number > 65535)
		return "its port must be a number from 1 to 65535, or *";
	if (port.ptr[0] == '0')
		return "browsers write a port without zeros in front";
	return NULL;
}

/* An address as browsers write it: without dots
 * (https://url.spec.whatwg.org/#concept-ipv6-serializer).
 */
static void write_v6(const struct in6_addr *address, char *out, size_t size)
{
	char dotted[INET6_ADDRSTRLEN] = "";
	(void)inet_ntop(AF_INET6, address, dotted, sizeof(dotted));
	const uint8_t *bytes = address->s6_addr;
	int kept = (int)strlen(dotted);
	if (strchr(dotted, '.')) {
		kept = (int)(strrchr(dotted, ':') + 1 - dotted);
		(void)snprintf(out, size, "%.*s%x:%x", kept, dotted, bytes[12] << 8 | bytes[13],
			bytes[14] << 8 | bytes[15]);
	} else {
		(void)snprintf(out, size, "%s", dotted);
	}
}

/* Browsers write an address in one way; another way of writing it is never sent. */
static const char *v6_fault(struct slice text)
{
	struct in6_addr address;
	char canonical[INET6_ADDRSTRLEN];
	if (has_star(text))
		return NULL;
	if (!host_parse_address(AF_INET6, text, &address))
		return "its IPv6 address is malformed";
	write_v6(&address, canonical, sizeof(canonical));
	if (!slice_eq_nocase(text, slice_str(canonical)))
		return "browsers write that IPv6 address in another way";
	return NULL;
}

/* Decimal, or hexadecimal behind 0x, of which nothing may follow. */
static bool is_number(struct slice label)
{
	uint64_t number;
	if (label.len < 2 || label.ptr[0] != '0' || ascii_lower(label.ptr[1]) != 'x')
		return slice_to_u64(label, &number);
	for (size_t i = 2; i < label.len; i++)
		if (!strchr("0123456789abcdef", ascii_lower(label.ptr[i])))
			return false;
	return true;
}

/* A host whose last label is a number is an IPv4 address to a browser. */
static const char *v4_fault(struct slice host)
{
	struct in_addr address;
	struct slice labels = slice_ends(host, S(".")) ? slice_head(host, host.len - 1) : host;
	size_t at = labels.len;
	while (at > 0 && labels.ptr[at - 1] != '.')
		at--;
	if (has_star(host) || !is_number(slice_from(labels, at)))
		return NULL;
	return host_parse_address(AF_INET, host, &address)
		       ? NULL
		       : "browsers write an IPv4 address as four numbers";
}

static const char *host_fault(struct slice host)
{
	if (host.len == 0)
		return "it has no host";
	if (slice_eq(host, S("*")))
		return "its host must be more than *; use * alone to allow every origin";
	if (host.ptr[0] == '[')
		return v6_fault(slice_of(host.ptr + 1, host.len - 2));
	if (!is_visible(host, "[]\\^|%"))
		return "its host holds a character that no host has";
	return v4_fault(host);
}

static const char *authority_fault(struct slice host)
{
	if (slice_find(host, '/') < host.len)
		return "an origin ends with its host or port; leave out what follows, also a lone "
		       "/";
	if (slice_find(host, '@') < host.len || slice_find(host, '?') < host.len ||
		slice_find(host, '#') < host.len)
		return "it must be scheme://host[:port], or *";
	size_t bracket = host.len && host.ptr[0] == '[' ? slice_find(host, ']') : 0;
	if (bracket == host.len && host.len > 0)
		return "its IPv6 address is malformed";
	size_t colon = bracket + slice_find(slice_from(host, bracket), ':');
	if (bracket > 0 && colon != bracket + 1 && bracket + 1 != host.len)
		return "its IPv6 address is malformed";
	const char *fault = host_fault(slice_head(host, colon));
	if (!fault && colon < host.len)
		fault = port_fault(slice_from(host, colon + 1));
	return fault;
}

/* RFC 3986 section 3.1. */
static const char *scheme_fault(struct slice scheme)
{
	for (size_t i = 0; i < scheme.len; i++) {
		char c = ascii_lower(scheme.ptr[i]);
		bool letter = (c >= 'a' && c <= 'z') || c == '*';
		if (!letter && (i == 0 || (!ascii_digit(c) && c != '+' && c != '-' && c != '.')))
			return "its scheme is none";
	}
	return NULL;
}

const char *origin_pattern_fault(struct slice pattern)
{
	if (!is_visible(pattern, "<>&'\""))
		return "it is empty or holds a character that no origin has";
	if (count_stars(pattern) > 1)
		return "it holds more than one *";
	if (slice_eq(pattern, S("*")))
		return NULL;
	size_t scheme = slice_find_slice(pattern, S("://"));
	if (scheme == pattern.len || scheme == 0)
		return "it must be scheme://host[:port], or *";
	const char *fault = scheme_fault(slice_head(pattern, scheme));
	return fault ? fault : authority_fault(slice_from(pattern, scheme + 3));
}

/* ---- Matching ---------------------------------------------------------------------------------
 */

/* Takes the scheme's own port off the end, if it is there. */
static bool take_port(struct slice *origin)
{
	static const struct slice schemes[] = {SLICE_LIT("http://"), SLICE_LIT("https://")};
	static const struct slice ports[] = {SLICE_LIT(":80"), SLICE_LIT(":443")};
	for (size_t i = 0; i < ARRAY_LEN(schemes); i++) {
		if (origin->len > schemes[i].len + ports[i].len &&
			slice_eq_nocase(slice_head(*origin, schemes[i].len), schemes[i]) &&
			slice_ends(*origin, ports[i])) {
			origin->len -= ports[i].len;
			return true;
		}
	}
	return false;
}

/* Whether an origin ends in a port. */
static bool has_port(struct slice origin)
{
	size_t at = origin.len;
	while (at > 0 && ascii_digit(origin.ptr[at - 1]))
		at--;
	return at > 0 && at < origin.len && origin.ptr[at - 1] == ':';
}

bool origin_matches(struct slice pattern, struct slice origin)
{
	/* It is echoed. */
	if (!is_visible(origin, "\""))
		return false;
	if (wildcard_match_star(pattern, origin))
		return true;
	(void)take_port(&origin);
	/* `*` in the rest of the pattern must not stand for another port. */
	return (!take_port(&pattern) || !has_port(origin)) && wildcard_match_star(pattern, origin);
}
