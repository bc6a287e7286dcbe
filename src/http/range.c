/* SPDX-License-Identifier: Apache-2.0 */
#include "http/range.h"

/* "bytes=" and one range: fills the two numbers as slices. False if it is something else. */
static bool split(struct slice value, struct slice *ret_first, struct slice *ret_last)
{
	struct slice unit;
	*ret_first = *ret_last = S("");
	if (!slice_cut(&value, '=', &unit))
		return false;
	value = slice_trim(value);
	if (!slice_cut(&value, '-', ret_first))
		return false;
	*ret_last = value;
	return true;
}

/* Whether the header speaks of one range of bytes at all, well-formed or not. */
static bool is_single_bytes(struct slice value)
{
	return value.len >= 6 && slice_eq_nocase(slice_head(value, 6), S("bytes=")) &&
	       slice_find(value, ',') == value.len;
}

/* "-N": the last N bytes. */
static bool suffix(struct slice count, uint64_t size, bool standard, struct byte_range *ret)
{
	uint64_t n;
	if (!slice_to_u64(count, &n) || n == 0 || size == 0)
		return false;
	if (n > size) {
		if (!standard)
			return false;
		n = size;
	}
	*ret = (struct byte_range){size - n, n};
	return true;
}

/* "A-" and "A-B". */
static bool from_first(struct slice first_text, struct slice last_text, uint64_t size,
	bool standard, struct byte_range *ret)
{
	uint64_t first;
	if (!slice_to_u64(first_text, &first) || first >= size)
		return false;
	uint64_t last = size - 1;
	if (last_text.len > 0 && (!slice_to_u64(last_text, &last) || last < first))
		return false;
	if (last >= size) {
		if (!standard)
			return false;
		last = size - 1;
	}
	*ret = (struct byte_range){first, last - first + 1};
	return true;
}

enum range_result range_parse(
	struct slice value, uint64_t size, bool standard, struct byte_range *ret)
{
	struct slice first, last;
	if (!is_single_bytes(value))
		return RANGE_WHOLE;
	if (split(value, &first, &last) &&
		(first.len == 0 ? suffix(last, size, standard, ret)
				: from_first(first, last, size, standard, ret)))
		return RANGE_PART;
	/* The last 0 bytes. */
	uint64_t n;
	bool no_bytes = first.len == 0 && slice_to_u64(last, &n) && n == 0;
	return standard || no_bytes ? RANGE_UNSATISFIABLE : RANGE_WHOLE;
}
