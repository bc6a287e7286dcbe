/* SPDX-License-Identifier: Apache-2.0 */
#include "http/cookie.h"

static size_t find_in(struct slice rest, struct slice name, struct slice *ret)
{
	size_t count = 0;
	while (rest.len > 0) {
		struct slice pair, key;
		(void)slice_cut(&rest, ';', &pair);
		if (!slice_cut(&pair, '=', &key) || !slice_eq(slice_trim(key), name))
			continue;
		*ret = slice_trim(pair);
		count++;
	}
	return count;
}

enum cookie_result cookie_find(
	const struct request_head *head, struct slice name, struct slice *ret)
{
	size_t count = 0;
	struct slice value = S("");
	for (size_t i = 0; i < head->header_count; i++)
		if (slice_eq_nocase(head->headers[i].name, S("Cookie")))
			count += find_in(head->headers[i].value, name, &value);
	if (count == 1)
		*ret = value;
	return count == 0 ? COOKIE_NONE : count == 1 ? COOKIE_FOUND : COOKIE_SEVERAL;
}
