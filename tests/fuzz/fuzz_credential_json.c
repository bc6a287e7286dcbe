/* SPDX-License-Identifier: Apache-2.0 */
/* Credentials as JSON, from whoever answers: what is taken has an id and a secret. */
#include <assert.h>

#include "app/credentials/credential_json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena arena;
	struct credential_values values;
	struct slice input = slice_of(data, size);
	SCOPED_STRBUF(fault, KIB(1));
	arena_init(&arena, NULL, 0, MIB(1));
	if (!credential_json_parse(input, &arena, &values)) {
		assert(values.id.len > 0 && values.secret.len > 0);
		assert(values.id.len + values.secret.len + values.token.len <= size);
		assert(slice_find(values.token, '\0') == values.token.len);
	}
	credential_json_fault(input, &fault);
	arena_reset(&arena);
	return 0;
}
