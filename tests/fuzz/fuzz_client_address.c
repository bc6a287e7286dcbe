/* SPDX-License-Identifier: Apache-2.0 */
/* X-Forwarded-For from anybody: what comes of it is an address, and never that of a proxy's list
 * unless nothing else is there. */
#include <arpa/inet.h>
#include <assert.h>
#include <stdlib.h>

#include "app/auth/client_address.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool is_address(struct slice text)
{
	char name[INET6_ADDRSTRLEN] = "";
	unsigned char bytes[16];
	if (text.len >= sizeof(name))
		return false;
	memcpy(name, text.ptr, text.len);
	return inet_pton(AF_INET, name, bytes) == 1 || inet_pton(AF_INET6, name, bytes) == 1;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct request_head head;
	struct allow_list *trusted = NULL;
	if (allow_list_parse(S("127.0.0.1 10.0.0.0/8 fd00::/8"), &trusted, NULL) != ERR_OK)
		abort();
	struct slice rest = slice_of(data, size), line;
	head.header_count = 0;
	while (rest.len > 0 && head.header_count < 4) {
		(void)slice_cut(&rest, '\n', &line);
		head.headers[head.header_count++] =
			(struct http_header){S("x-forwarded-for"), line};
	}
	assert(slice_eq(client_address(trusted, S("192.0.2.1"), &head), S("192.0.2.1")));
	struct slice client = client_address(trusted, S("127.0.0.1"), &head);
	char network[CLIENT_NETWORK_SIZE];
	assert(is_address(client));
	assert(is_address(client_network(client, network)));
	allow_list_free(trusted);
	return 0;
}
