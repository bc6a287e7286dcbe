/* SPDX-License-Identifier: Apache-2.0 */
/* Ids of versions: each version has one spelling, and nothing else is taken. */
#include <assert.h>

#include "ops/arguments/version.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	SCOPED_STRBUF(again, 32);
	struct store_version version;
	struct slice id = slice_of(bytes, len);
	if (version_parse(id, &version)) {
		assert(version.is_null != (version.number != 0));
		version_add_id(&again, version.is_null, version.number);
		assert(slice_eq(strbuf_slice(&again), id));
	}
	return 0;
}
