/* SPDX-License-Identifier: Apache-2.0 */
#include "net/address.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdlib.h>

#include "base/host.h"

#define NAME_MAX_BYTES 253 /* RFC 1035: of a host name in text */

struct range4 {
	uint8_t bytes[4];
	unsigned bits;
};

/* IANA's special-purpose registry, and two platform services with public numbers. */
static const struct range4 refused4[] = {
	{{0, 0, 0, 0}, 8},        /* this network, unspecified */
	{{10, 0, 0, 0}, 8},       /* private */
	{{100, 64, 0, 0}, 10},    /* carrier-grade NAT; 100.100.100.200 is metadata */
	{{127, 0, 0, 0}, 8},      /* loopback */
	{{168, 63, 129, 16}, 32}, /* a cloud platform's service address */
	{{169, 254, 0, 0}, 16},   /* link-local; 169.254.169.254 is metadata */
	{{172, 16, 0, 0}, 12},    /* private */
	{{192, 0, 0, 0}, 24},     /* IETF protocol assignments */
	{{192, 0, 2, 0}, 24},     /* documentation */
	{{192, 88, 99, 0}, 24},   /* 6to4 relays, deprecated */
	{{192, 168, 0, 0}, 16},   /* private */
	{{198, 18, 0, 0}, 15},    /* benchmarks */
	{{198, 51, 100, 0}, 24},  /* documentation */
	{{203, 0, 113, 0}, 24},   /* documentation */
	{{224, 0, 0, 0}, 4},      /* multicast */
	{{240, 0, 0, 0}, 4},      /* reserved, broadcast */
};

struct range6 {
	uint8_t bytes[16];
	unsigned bits;
};

/* Of 2000::/3; everything outside it is refused anyway. */
static const struct range6 refused6[] = {
	{{0x20, 0x01}, 23},             /* IETF protocol assignments, with Teredo 2001::/32 */
	{{0x20, 0x01, 0x0d, 0xb8}, 32}, /* documentation */
	{{0x3f, 0xff}, 20},             /* documentation */
};

struct allow_entry {
	int family;    /* AF_INET, AF_INET6, or AF_UNSPEC for a name */
	uint16_t port; /* 0: any */
	unsigned bits;
	uint8_t bytes[16];
	char name[NAME_MAX_BYTES + 1];
	size_t name_len;
};

struct allow_list {
	size_t count;
	struct allow_entry entries[];
};

static bool same_bits(const uint8_t *a, const uint8_t *b, unsigned bits)
{
	unsigned whole = bits / 8, rest = bits % 8;
	if (memcmp(a, b, whole) != 0)
		return false;
	return rest == 0 || (a[whole] >> (8 - rest)) == (b[whole] >> (8 - rest));
}

static bool refused_v4(const uint8_t *bytes)
{
	for (size_t i = 0; i < ARRAY_LEN(refused4); i++)
		if (same_bits(bytes, refused4[i].bytes, refused4[i].bits))
			return true;
	return false;
}

static bool refused_v6(const uint8_t *bytes)
{
	static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff}; /* RFC 4291 2.5.5.2 */
	static const uint8_t nat64[12] = {0x00, 0x64, 0xff, 0x9b};    /* RFC 6052 2.1 */
	static const uint8_t six_to_four[2] = {0x20, 0x02};           /* RFC 3056 2 */
	static const uint8_t global[1] = {0x20};                      /* RFC 4291 2.5.4 */
	static const uint8_t isatap[3] = {0x00, 0x5e, 0xfe};          /* RFC 5214 6.1 */
	if (same_bits(bytes, mapped, 96) || same_bits(bytes, nat64, 96))
		return refused_v4(bytes + 12);
	if (!same_bits(bytes, global, 3))
		return true;
	if (same_bits(bytes, six_to_four, 16) && refused_v4(bytes + 2))
		return true;
	if ((bytes[8] & 0xfd) == 0 && memcmp(bytes + 9, isatap, sizeof(isatap)) == 0 &&
		refused_v4(bytes + 12))
		return true;
	for (size_t i = 0; i < ARRAY_LEN(refused6); i++)
		if (same_bits(bytes, refused6[i].bytes, refused6[i].bits))
			return true;
	return false;
}

bool address_refused(const struct sockaddr *address)
{
	uint8_t bytes[16];
	if (address->sa_family == AF_INET) {
		const struct sockaddr_in *in = (const void *)address;
		memcpy(bytes, &in->sin_addr, 4);
		return refused_v4(bytes);
	}
	if (address->sa_family == AF_INET6) {
		const struct sockaddr_in6 *in6 = (const void *)address;
		memcpy(bytes, &in6->sin6_addr, 16);
		return refused_v6(bytes);
	}
	return true;
}

/* Reads an address without port into the entry. */
static bool parse_address(struct slice text, struct allow_entry *entry)
{
	if (host_parse_address(AF_INET, text, entry->bytes)) {
		entry->family = AF_INET;
		entry->bits = 32;
		return true;
	}
	if (host_parse_address(AF_INET6, text, entry->bytes)) {
		entry->family = AF_INET6;
		entry->bits = 128;
		return true;
	}
	return false;
}

static bool parse_port(struct slice text, struct allow_entry *entry)
{
	uint64_t port;
	if (!slice_to_u64(text, &port) || port == 0 || port > 65535)
		return false;
	entry->port = (uint16_t)port;
	return true;
}

static bool parse_name(struct slice text, struct allow_entry *entry)
{
	if (text.len == 0 || text.len > NAME_MAX_BYTES)
		return false;
	bool letter = false;
	for (size_t i = 0; i < text.len; i++) {
		char c = ascii_lower(text.ptr[i]);
		bool alpha = c >= 'a' && c <= 'z';
		if (!alpha && !ascii_digit(c) && c != '.' && c != '-' && c != '_')
			return false;
		letter = letter || alpha;
		entry->name[i] = c;
	}
	entry->family = AF_UNSPEC;
	entry->name_len = text.len;
	/* Digits and dots alone are a mistyped address. */
	return letter;
}

static bool parse_network(struct slice text, struct allow_entry *entry)
{
	struct slice address;
	uint64_t bits;
	(void)slice_cut(&text, '/', &address);
	if (!parse_address(address, entry) || !slice_to_u64(text, &bits) || bits > entry->bits)
		return false;
	entry->bits = (unsigned)bits;
	return true;
}

static bool parse_entry(struct slice text, struct allow_entry *entry)
{
	if (slice_find(text, '/') < text.len)
		return parse_network(text, entry);
	if (text.ptr[0] == '[') {
		size_t close = slice_find(text, ']');
		if (close == text.len || !parse_address(slice_of(text.ptr + 1, close - 1), entry) ||
			entry->family != AF_INET6)
			return false;
		struct slice rest = slice_from(text, close + 1);
		return rest.len == 0 ||
		       (rest.ptr[0] == ':' && parse_port(slice_from(rest, 1), entry));
	}
	if (parse_address(text, entry))
		return true;
	struct slice host, port = text;
	if (slice_cut(&port, ':', &host) && !parse_port(port, entry))
		return false;
	return parse_address(host, entry) || parse_name(host, entry);
}

enum err allow_list_parse(struct slice text, struct allow_list **ret, struct slice *ret_bad)
{
	size_t count = 0;
	struct slice word;
	for (struct slice rest = text; slice_next_word(&rest, &word);)
		count++;
	struct allow_list *list = calloc(1, sizeof(*list) + count * sizeof(struct allow_entry));
	if (!list)
		return ERR_UNAVAILABLE;
	for (; list->count < count; list->count++) {
		(void)slice_next_word(&text, &word);
		if (!parse_entry(word, &list->entries[list->count])) {
			if (ret_bad)
				*ret_bad = word;
			allow_list_free(list);
			return ERR_INVALID_ARGUMENT;
		}
	}
	*ret = list;
	return ERR_OK;
}

void allow_list_free(struct allow_list *list)
{
	free(list);
}

struct target {
	int family;
	uint16_t port;
	uint8_t bytes[16];
};

/* An IPv4-mapped address is the IPv4 address: that is what the kernel connects to. */
static bool target_of(const struct sockaddr *address, struct target *ret)
{
	static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
	ret->family = address->sa_family;
	if (address->sa_family == AF_INET) {
		const struct sockaddr_in *in = (const void *)address;
		memcpy(ret->bytes, &in->sin_addr, 4);
		ret->port = ntohs(in->sin_port);
		return true;
	}
	if (address->sa_family != AF_INET6)
		return false;
	const struct sockaddr_in6 *in6 = (const void *)address;
	memcpy(ret->bytes, &in6->sin6_addr, 16);
	ret->port = ntohs(in6->sin6_port);
	if (same_bits(ret->bytes, mapped, 96)) {
		ret->family = AF_INET;
		memmove(ret->bytes, ret->bytes + 12, 4);
	}
	return true;
}

bool allow_list_has(
	const struct allow_list *list, struct slice host, const struct sockaddr *address)
{
	struct target target;
	if (!list || !target_of(address, &target))
		return false;
	for (size_t i = 0; i < list->count; i++) {
		const struct allow_entry *entry = &list->entries[i];
		if (entry->port != 0 && entry->port != target.port)
			continue;
		if (entry->family == AF_UNSPEC
				? slice_eq_nocase(slice_of(entry->name, entry->name_len), host)
				: entry->family == target.family &&
					  same_bits(entry->bytes, target.bytes, entry->bits))
			return true;
	}
	return false;
}

/* An IPv6 address in brackets. */
static bool v6_literal(struct slice host, struct sockaddr_in6 *ret)
{
	return host.len >= 3 && host.ptr[0] == '[' &&
	       host_parse_address(AF_INET6, slice_of(host.ptr + 1, host.len - 2), &ret->sin6_addr);
}

bool address_literal_refused(struct slice host, uint16_t port, const struct allow_list *list)
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
	struct sockaddr_in6 v6 = {.sin6_family = AF_INET6, .sin6_port = htons(port)};
	if (v6_literal(host, &v6)) {
		const struct sockaddr *six = (const struct sockaddr *)(const void *)&v6;
		return address_refused(six) &&
		       !allow_list_has(list, slice_of(host.ptr + 1, host.len - 2), six);
	}
	if (host_is_localhost(host))
		address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	else if (!host_parse_address(AF_INET, host, &address.sin_addr))
		return false;
	const struct sockaddr *any = (const struct sockaddr *)(const void *)&address;
	return address_refused(any) && !allow_list_has(list, host, any);
}
