/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Parameters of a disposition: each value lies in the text, and unescaping it takes away
 * backslashes and nothing else.
 */
#include <assert.h>

#include "http/param.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

static size_t quotes_in(struct slice text)
{
	size_t count = 0;
	for (size_t i = 0; i < text.len; i++)
		count += text.ptr[i] == '"';
	return count;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	struct slice text = slice_of(bytes, len), rest = text;
	struct param param;
	while (param_next(&rest, &param) == PARAM_FOUND) {
		SCOPED_STRBUF(meant, len + 1);
		assert(param.value.ptr >= text.ptr &&
			param.value.ptr + param.value.len <= text.ptr + text.len);
		param_unescape(param.value, &meant);
		struct slice got = strbuf_slice(&meant);
		assert(quotes_in(got) == quotes_in(param.value));
		assert(2 * got.len >= param.value.len && got.len <= param.value.len);
		if (slice_find(param.value, '\\') == param.value.len)
			assert(slice_eq(got, param.value));
	}
	return 0;
}
