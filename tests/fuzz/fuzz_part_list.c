/* SPDX-License-Identifier: Apache-2.0 */
/* The document of CompleteMultipartUpload: numbers that ascend, within their bounds. */
#include <assert.h>

#include "base/limits.h"
#include "ops/multipart/part_list.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	struct part_list list = {.parts = NULL};
	SCOPED_STRBUF(reason, 512);
	enum err e = part_list_read(&list, slice_of(bytes, len), &reason);
	assert(list.count <= LIMIT_PARTS && list.count <= list.room);
	for (size_t i = 0; e == ERR_OK && i < list.count; i++) {
		assert(list.parts[i].number >= 1 && list.parts[i].number <= LIMIT_PARTS);
		assert(i == 0 || list.parts[i].number > list.parts[i - 1].number);
	}
	part_list_release(&list);
	return 0;
}
