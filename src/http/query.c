/* SPDX-License-Identifier: Apache-2.0 */
#include "http/query.h"

bool query_next(struct slice *rest, struct query_param *ret)
{
	while (rest->len > 0) {
		struct slice piece;
		(void)slice_cut(rest, '&', &piece);
		if (piece.len == 0)
			continue;
		ret->value = piece;
		ret->has_value = slice_cut(&ret->value, '=', &ret->name);
		return true;
	}
	return false;
}

bool query_find(struct slice query, struct slice name, struct query_param *ret)
{
	struct query_param param;
	while (query_next(&query, &param)) {
		if (slice_eq(param.name, name)) {
			*ret = param;
			return true;
		}
	}
	return false;
}

size_t query_count(struct slice query, struct slice name)
{
	size_t count = 0;
	struct query_param param;
	while (query_next(&query, &param))
		count += slice_eq(param.name, name);
	return count;
}
