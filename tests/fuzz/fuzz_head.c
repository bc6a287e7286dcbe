/* SPDX-License-Identifier: Apache-2.0 */
/* A request head must mean the same however it arrives. */
#include "http_trace.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	struct slice input = slice_of(bytes, len);
	SCOPED_STRBUF(whole, TRACE_BYTES);
	SCOPED_STRBUF(bytewise, TRACE_BYTES);
	SCOPED_STRBUF(mixed, TRACE_BYTES);
	trace_head(input, CUT_NOT, &whole);
	trace_head(input, CUT_EVERY(len < 2000 ? 1 : 61), &bytewise);
	trace_head(input, CUT_BY(len * 2654435761u), &mixed);
	assert(slice_eq(strbuf_slice(&whole), strbuf_slice(&bytewise)));
	assert(slice_eq(strbuf_slice(&whole), strbuf_slice(&mixed)));
	return 0;
}
