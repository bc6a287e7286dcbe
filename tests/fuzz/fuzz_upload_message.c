/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Bodies of callbacks, from anybody. The first byte chooses form or JSON. What is read must be
 * UTF-8, and numbers must be numbers.
 */
#include <assert.h>

#include "base/encode.h"
#include "base/limits.h"
#include "oss/callback/upload_message.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct upload_message m;
	struct arena arena;
	if (size == 0 || size > LIMIT_APP_BODY_BYTES)
		return 0;
	arena_init(&arena, NULL, 0, 4 * LIMIT_APP_BODY_BYTES);
	struct slice type = data[0] == 'j' ? S("application/json") : S("text/plain");
	if (!upload_message_parse(type, slice_of(data + 1, size - 1), &arena, &m)) {
		const struct slice texts[] = {m.bucket, m.object, m.etag, m.mime_type,
			m.image_format, m.request_id, m.client_ip, m.ticket};
		for (size_t i = 0; i < ARRAY_LEN(texts); i++)
			assert(utf8_valid(texts[i]));
		assert(m.size >= -1 && m.width >= -1 && m.height >= -1);
	}
	arena_reset(&arena);
	return 0;
}
