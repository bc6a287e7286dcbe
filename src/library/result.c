/* SPDX-License-Identifier: Apache-2.0 */
#include "library/internal.h"

const char *postern_result_text(int result)
{
	static const char *const texts[] = {
		[POSTERN_OK] = "It worked.",
		[POSTERN_INVALID] = "An argument cannot be.",
		[POSTERN_TOO_SMALL] = "A buffer of the caller is too small.",
		[POSTERN_NO_MEMORY] = "There is not enough memory.",
		[POSTERN_NOT_AUTHENTIC] = "The callback is not what the store signed.",
		[POSTERN_NOT_TRUSTED] = "The URL of the callback's key is not trusted.",
		[POSTERN_NO_KEY] = "The key of the callback could not be had.",
	};
	if (result < 0 || (size_t)result >= ARRAY_LEN(texts))
		return "There is no such result.";
	return texts[result];
}

const char *postern_version(void)
{
	return POSTERN_VERSION;
}
