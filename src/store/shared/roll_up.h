/* SPDX-License-Identifier: Apache-2.0 */
/* How the lists of all back ends make common prefixes. */
#ifndef STORE_SHARED_ROLL_UP_H
#define STORE_SHARED_ROLL_UP_H

#include "base/slice.h"

/*
 * What `key`, which begins with the prefix, is rolled up into: it up to and including the first
 * delimiter behind the prefix. Empty if there is none, or no delimiter is asked for.
 */
static inline struct slice roll_up(struct slice prefix, struct slice delimiter, struct slice key)
{
	struct slice rest = slice_from(key, prefix.len);
	if (delimiter.len == 0)
		return S("");
	size_t at = slice_find_slice(rest, delimiter);
	return at == rest.len ? S("") : slice_head(key, prefix.len + at + delimiter.len);
}

#endif
