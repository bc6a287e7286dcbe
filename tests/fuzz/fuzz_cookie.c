/* SPDX-License-Identifier: Apache-2.0 */
/* Cookies: what is found is a part of the header, and holds no `;`. */
#include <assert.h>

#include "http/cookie.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct request_head head;
	struct slice value = S("");
	head.header_count = 1;
	head.headers[0] = (struct http_header){S("Cookie"), slice_of(data, size)};
	if (cookie_find(&head, S("a"), &value) == COOKIE_FOUND)
		assert(value.len < size && slice_find(value, ';') == value.len);
	return 0;
}
