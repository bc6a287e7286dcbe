/* SPDX-License-Identifier: Apache-2.0 */
#include "http/conditional.h"

#include <assert.h>

#include "http/date.h"

#define PREFIX_BYTES 32 /* longest prefix that conditional_from_head() takes */

static struct slice get(const struct request_head *head, struct slice prefix, struct slice name)
{
	char full[PREFIX_BYTES + 32];
	memcpy(full, prefix.ptr, prefix.len);
	memcpy(full + prefix.len, name.ptr, name.len);
	return request_head_get(head, slice_of(full, prefix.len + name.len));
}

struct conditional conditional_from_head(const struct request_head *head, struct slice prefix)
{
	assert(prefix.len <= PREFIX_BYTES);
	return (struct conditional){
		.if_match = get(head, prefix, S("If-Match")),
		.if_none_match = get(head, prefix, S("If-None-Match")),
		.if_modified_since = get(head, prefix, S("If-Modified-Since")),
		.if_unmodified_since = get(head, prefix, S("If-Unmodified-Since")),
	};
}

/*
 * Whether the list of tags has `etag` in it or is `*`. A weak tag ("W/...") is never equal in the
 * strong comparison (RFC 9110 section 8.8.3.2); ours are strong.
 */
static bool has_tag(struct slice list, struct slice etag, bool weak_too)
{
	while (list.len > 0) {
		struct slice tag;
		(void)slice_cut(&list, ',', &tag);
		tag = slice_trim(tag);
		if (slice_eq(tag, S("*")))
			return true;
		if (slice_starts(tag, S("W/"))) {
			if (!weak_too)
				continue;
			tag = slice_from(tag, 2);
		}
		if (tag.len >= 2 && tag.ptr[0] == '"' && tag.ptr[tag.len - 1] == '"')
			tag = slice_of(tag.ptr + 1, tag.len - 2);
		if (slice_eq_nocase(tag, etag))
			return true;
	}
	return false;
}

bool conditional_if_range(struct slice value, struct slice etag)
{
	if (!value.ptr)
		return true;
	value = slice_trim(value);
	return value.len && !slice_eq(value, S("*")) && slice_find(value, ',') == value.len &&
	       has_tag(value, etag, false);
}

enum conditional_result conditional_check(const struct conditional *c, struct slice etag,
	int64_t modified_s, bool is_read, const char **ret_name)
{
	int64_t date;
	*ret_name = NULL;
	if (c->if_match.ptr) {
		if (!has_tag(c->if_match, etag, false)) {
			*ret_name = "If-Match";
			return CONDITIONAL_FAILED;
		}
	} else if (date_parse(c->if_unmodified_since, &date) && modified_s > date) {
		*ret_name = "If-Unmodified-Since";
		return CONDITIONAL_FAILED;
	}
	if (c->if_none_match.ptr) {
		if (has_tag(c->if_none_match, etag, true)) {
			*ret_name = "If-None-Match";
			return is_read ? CONDITIONAL_NOT_MODIFIED : CONDITIONAL_FAILED;
		}
	} else if (is_read && date_parse(c->if_modified_since, &date) && modified_s <= date) {
		*ret_name = "If-Modified-Since";
		return CONDITIONAL_NOT_MODIFIED;
	}
	return CONDITIONAL_PROCEED;
}
