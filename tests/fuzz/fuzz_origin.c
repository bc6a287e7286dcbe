/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Origins and host names, from anybody: two lines, a pattern and an origin. What is echoed is
 * visible; a pattern that can match at all matches itself, if it has no `*`; a name that is listed
 * is admitted.
 */
#include <assert.h>

#include "http/hosts.h"
#include "oss/rules/origin.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice origin = slice_of(data, size), pattern;
	struct hosts hosts = {.count = 0};
	(void)slice_cut(&origin, '\n', &pattern);
	const char *fault = origin_pattern_fault(pattern);
	if (!fault && origin_matches(pattern, origin))
		for (size_t i = 0; i < origin.len; i++)
			assert(origin.ptr[i] > ' ' && origin.ptr[i] <= '~');
	if (!fault && slice_find(pattern, '*') == pattern.len)
		assert(origin_matches(pattern, pattern));
	hosts_add_url(&hosts, origin);
	bool added = hosts_add(&hosts, pattern);
	(void)!hosts_admit(&hosts, origin);
	if (added)
		assert(hosts_admit(&hosts, pattern));
	return 0;
}
