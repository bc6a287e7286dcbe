/* SPDX-License-Identifier: Apache-2.0 */
/* Wildcards: a pattern and a text, separated by a NUL, against a slower matcher. */
#include <assert.h>
#include <stdint.h>

#include "oss/text/wildcard.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

static size_t character(struct slice text)
{
	size_t len = 1;
	while (len < text.len && ((unsigned char)text.ptr[len] & 0xc0) == 0x80)
		len++;
	return len;
}

/* Says it as the definition does; exponential, so for short inputs. */
static bool slow(struct slice pattern, struct slice text)
{
	if (pattern.len == 0)
		return text.len == 0;
	if (pattern.ptr[0] == '*')
		return slow(slice_from(pattern, 1), text) ||
		       (text.len > 0 && slow(pattern, slice_from(text, 1)));
	if (text.len == 0)
		return false;
	if (pattern.ptr[0] == '?')
		return slow(slice_from(pattern, 1), slice_from(text, character(text)));
	return pattern.ptr[0] == text.ptr[0] && slow(slice_from(pattern, 1), slice_from(text, 1));
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	struct slice text = slice_of(bytes, len);
	struct slice pattern;
	(void)slice_cut(&text, '\0', &pattern);
	bool matches = wildcard_match(pattern, text);
	if (len < 20)
		assert(matches == slow(pattern, text));
	return 0;
}
