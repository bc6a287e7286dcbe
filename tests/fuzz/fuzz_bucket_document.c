/* SPDX-License-Identifier: Apache-2.0 */
/* The document of PutBucket: what is taken has a class that we know, and is where we are. */
#include <assert.h>

#include "base/limits.h"
#include "ops/bucket/bucket_document.h"
#include "oss/storage_class.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	char first[256];
	struct arena arena;
	SCOPED_STRBUF(reason, 512);
	if (len > LIMIT_CORS_BODY_BYTES)
		return 0;
	arena_init(&arena, first, sizeof(first), LIMIT_REQUEST_ARENA_BYTES);
	struct bucket_document asked = {.location = S("oss-cn-hangzhou"), .arena = &arena};
	enum err e = bucket_document_read(&asked, slice_of(bytes, len), &reason);
	if (e == ERR_OK)
		assert(asked.storage_class.len == 0 || storage_class_is_known(asked.storage_class));
	else
		assert(reason.len > 0 || e == ERR_UNAVAILABLE);
	arena_reset(&arena);
	return 0;
}
