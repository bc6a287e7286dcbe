/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A form must mean the same however it arrives. The first line of the input is the Content-Type;
 * what follows is the body.
 */
#include "http_trace.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	struct slice input = slice_of(bytes, len), type, boundary;
	(void)slice_cut(&input, '\n', &type);
	if (form_boundary_parse(type, &boundary) != FORM_BOUNDARY_FOUND)
		return 0;
	SCOPED_STRBUF(whole, TRACE_BYTES);
	SCOPED_STRBUF(bytewise, TRACE_BYTES);
	SCOPED_STRBUF(mixed, TRACE_BYTES);
	trace_form(boundary, input, CUT_NOT, &whole);
	trace_form(boundary, input, CUT_EVERY(1), &bytewise);
	trace_form(boundary, input, CUT_BY(len * 2654435761u), &mixed);
	assert(slice_eq(strbuf_slice(&whole), strbuf_slice(&bytewise)));
	assert(slice_eq(strbuf_slice(&whole), strbuf_slice(&mixed)));
	return 0;
}
