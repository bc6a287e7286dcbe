/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Conditions of a request, a line each: If-Match, If-None-Match, If-Modified-Since,
 * If-Unmodified-Since, If-Range. A line that is not there is a header that is not.
 */
#include <assert.h>

#include "http/conditional.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	static const struct slice etag = SLICE_LIT("5D41402ABC4B2A76B9719D911017C592");
	const int64_t modified_s = 784111777;
	struct slice lines[5] = {{NULL, 0}};
	struct slice rest = slice_of(bytes, len);
	for (size_t i = 0; i < ARRAY_LEN(lines) && rest.len > 0; i++)
		(void)slice_cut(&rest, '\n', &lines[i]);
	const struct conditional c = {lines[0], lines[1], lines[2], lines[3]};
	const char *read_name, *write_name;
	enum conditional_result reading = conditional_check(&c, etag, modified_s, true, &read_name);
	enum conditional_result writing =
		conditional_check(&c, etag, modified_s, false, &write_name);
	assert((reading == CONDITIONAL_PROCEED) == (read_name == NULL));
	assert((writing == CONDITIONAL_PROCEED) == (write_name == NULL));
	assert(writing != CONDITIONAL_NOT_MODIFIED);
	/* A tag that fails a change is one that a reader has already. */
	if (reading == CONDITIONAL_NOT_MODIFIED && c.if_none_match.ptr)
		assert(writing == CONDITIONAL_FAILED);
	if (reading == CONDITIONAL_FAILED)
		assert(writing == CONDITIONAL_FAILED && strcmp(read_name, write_name) == 0);
	if (!c.if_match.ptr && !c.if_none_match.ptr && !c.if_unmodified_since.ptr)
		assert(writing == CONDITIONAL_PROCEED);
	/* If-Range is one tag, and never a weak one. */
	struct slice range = lines[4];
	if (range.ptr && conditional_if_range(range, etag)) {
		struct slice tag = slice_trim(range);
		assert(tag.len == etag.len || tag.len == etag.len + 2);
		assert(slice_eq_nocase(
			slice_of(tag.ptr + (tag.len - etag.len) / 2, etag.len), etag));
	}
	return 0;
}
