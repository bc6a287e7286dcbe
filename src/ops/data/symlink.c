/* SPDX-License-Identifier: Apache-2.0 */
#include "ops/data/symlink.h"

#include "base/encode.h"
#include "base/limits.h"
#include "ops/data/object_headers.h"

bool symlink_target(const struct store_object *link, struct arena *arena, struct slice *ret)
{
	SCOPED_STRBUF(key, LIMIT_KEY_BYTES);
	struct slice text = object_headers_find(link->headers, S(SYMLINK_TARGET));
	if (!text.len || !plus_decode(&key, text) || strbuf_broken(&key))
		return false;
	*ret = arena_copy(arena, strbuf_slice(&key));
	return ret->ptr != NULL;
}

struct slice symlink_target_line(const struct store_object *object)
{
	struct slice headers = object->headers;
	if (object->type != STORE_SYMLINK)
		return S("");
	return slice_head(headers, slice_find(headers, '\n') + 1);
}

struct slice symlink_other_headers(const struct store_object *object)
{
	return slice_from(object->headers, symlink_target_line(object).len);
}
