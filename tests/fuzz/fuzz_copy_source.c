/* SPDX-License-Identifier: Apache-2.0 */
/* The header x-oss-copy-source: what comes out are valid names, or a refusal that says why. */
#include <assert.h>

#include "base/limits.h"
#include "oss/copy_source.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	struct copy_source source;
	struct bucket_name bucket;
	struct object_key key;
	struct arena arena;
	SCOPED_STRBUF(reason, 1000);
	if (len > LIMIT_HEAD_BYTES)
		return 0;
	arena_init(&arena, NULL, 0, LIMIT_REQUEST_ARENA_BYTES);
	enum err e = copy_source_parse(slice_of(bytes, len), &arena, &source, &reason);
	assert((e == ERR_INVALID_ARGUMENT) == (reason.len > 0));
	if (e == ERR_OK) {
		assert(bucket_name_parse(source.bucket.text, &bucket) == ERR_OK);
		assert(object_key_parse(source.key.text, &key) == ERR_OK);
	}
	arena_reset(&arena);
	return 0;
}
