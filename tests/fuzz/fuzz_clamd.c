/* SPDX-License-Identifier: Apache-2.0 */
/* clamd's answer and address: what was found is a part of the answer. */
#include <assert.h>

#include "app/checks/clamd.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice text = slice_of(data, size), name;
	struct clamd_address address;
	if (clamd_answer_parse(text, &name) == CLAMD_FOUND)
		assert(name.len < size);
	else
		assert(name.len == 0);
	assert(clamd_address_parse(text, &address) == (address.length > 0));
	return 0;
}
