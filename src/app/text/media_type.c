/* SPDX-License-Identifier: Apache-2.0 */
#include "app/text/media_type.h"

bool media_type_eq(struct slice one, struct slice other)
{
	size_t end = slice_find(one, ';');
	return slice_eq_nocase(slice_head(one, end), slice_head(other, end)) &&
	       slice_eq(slice_from(one, end), slice_from(other, end));
}

struct slice media_type_lower(struct arena *arena, struct slice type)
{
	size_t end = slice_find(type, ';');
	char *copy = arena_alloc(arena, type.len);
	if (!copy)
		return (struct slice){NULL, 0};
	for (size_t i = 0; i < type.len; i++)
		copy[i] = i < end ? ascii_lower(type.ptr[i]) : type.ptr[i];
	return slice_of(copy, type.len);
}
