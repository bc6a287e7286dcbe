/* SPDX-License-Identifier: Apache-2.0 */
#include "app/text/json.h"

#include <jansson.h>

bool json_is_valid(struct slice text)
{
	/* Integers as reals: one that fits no machine word is JSON all the same. */
	json_t *value = json_loadb(text.ptr, text.len,
		JSON_DECODE_ANY | JSON_ALLOW_NUL | JSON_DECODE_INT_AS_REAL, NULL);
	json_decref(value);
	return value != NULL;
}
