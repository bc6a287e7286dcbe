/* SPDX-License-Identifier: Apache-2.0 */
#include "app/auth/client_address.h"

#include <arpa/inet.h>
#include <netinet/in.h>

_Static_assert(CLIENT_NETWORK_SIZE == INET6_ADDRSTRLEN, "an address fits");

static bool is_trusted(const struct allow_list *trusted, struct slice text, bool *ret_valid)
{
	char name[INET6_ADDRSTRLEN];
	struct sockaddr_in v4 = {.sin_family = AF_INET};
	struct sockaddr_in6 v6 = {.sin6_family = AF_INET6};
	*ret_valid = false;
	if (text.len == 0 || text.len >= sizeof(name))
		return false;
	memcpy(name, text.ptr, text.len);
	name[text.len] = '\0';
	if (inet_pton(AF_INET, name, &v4.sin_addr) == 1) {
		*ret_valid = true;
		return allow_list_has(trusted, text, (const struct sockaddr *)&v4);
	}
	*ret_valid = inet_pton(AF_INET6, name, &v6.sin6_addr) == 1;
	return *ret_valid && allow_list_has(trusted, text, (const struct sockaddr *)&v6);
}

/* What is behind the last comma, which is taken off. */
static struct slice take_last(struct slice *rest)
{
	size_t at = rest->len;
	while (at > 0 && rest->ptr[at - 1] != ',')
		at--;
	struct slice last = slice_trim(slice_from(*rest, at));
	*rest = slice_head(*rest, at > 0 ? at - 1 : 0);
	return last;
}

struct slice client_address(
	const struct allow_list *trusted, struct slice peer, const struct request_head *head)
{
	bool valid = false;
	struct slice client = peer;
	if (!trusted || !is_trusted(trusted, peer, &valid))
		return client;
	for (size_t i = head->header_count; i > 0; i--) {
		struct slice rest = head->headers[i - 1].value;
		if (!slice_eq_nocase(head->headers[i - 1].name, S("X-Forwarded-For")))
			continue;
		while (rest.len > 0) {
			struct slice next = take_last(&rest);
			bool goes_on = is_trusted(trusted, next, &valid);
			if (valid)
				client = next;
			if (!goes_on)
				return client;
		}
	}
	return client;
}

struct slice client_network(struct slice address, char buffer[CLIENT_NETWORK_SIZE])
{
	struct in6_addr v6;
	if (address.len == 0 || address.len >= CLIENT_NETWORK_SIZE)
		return address;
	memcpy(buffer, address.ptr, address.len);
	buffer[address.len] = '\0';
	if (inet_pton(AF_INET6, buffer, &v6) != 1)
		return address;
	const char *text;
	if (IN6_IS_ADDR_V4MAPPED(&v6)) {
		text = inet_ntop(AF_INET, &v6.s6_addr[12], buffer, CLIENT_NETWORK_SIZE);
	} else {
		memset(&v6.s6_addr[8], 0, 8);
		text = inet_ntop(AF_INET6, &v6, buffer, CLIENT_NETWORK_SIZE);
	}
	return text ? slice_str(text) : address;
}
