/* SPDX-License-Identifier: Apache-2.0 */
#include "http/trace.h"

static bool is_hex(struct slice text)
{
	for (size_t i = 0; i < text.len; i++)
		if (!(text.ptr[i] >= '0' && text.ptr[i] <= '9') &&
			!(text.ptr[i] >= 'a' && text.ptr[i] <= 'f'))
			return false;
	return true;
}

static bool is_zero(struct slice text)
{
	for (size_t i = 0; i < text.len; i++)
		if (text.ptr[i] != '0')
			return false;
	return true;
}

/* version-traceid-parentid-flags: 2, 32, 16 and 2 digits. Version ff is none, nor are ids of zeros.
 */
bool trace_is_parent(struct slice value)
{
	struct slice version, trace, parent, rest = value;
	return value.len == TRACE_PARENT_LENGTH && slice_cut(&rest, '-', &version) &&
	       slice_cut(&rest, '-', &trace) && slice_cut(&rest, '-', &parent) &&
	       version.len == 2 && trace.len == 32 && parent.len == 16 && rest.len == 2 &&
	       is_hex(version) && is_hex(trace) && is_hex(parent) && is_hex(rest) &&
	       !slice_eq(version, S("ff")) && !is_zero(trace) && !is_zero(parent);
}

struct slice trace_parent(const struct request_head *head)
{
	struct slice value = request_head_get(head, S("traceparent"));
	return value.ptr && trace_is_parent(value) ? value : S("");
}
