/* SPDX-License-Identifier: Apache-2.0 */
#include "app/text/content_hash.h"

#define DIGITS 64

bool content_hash_is_valid(struct slice text)
{
	for (size_t i = 0; i < text.len; i++)
		if (!ascii_digit(text.ptr[i]) && (text.ptr[i] < 'a' || text.ptr[i] > 'f'))
			return false;
	return text.len == DIGITS;
}
