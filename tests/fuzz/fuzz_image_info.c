/* SPDX-License-Identifier: Apache-2.0 */
/* A file: whole, byte by byte, and in pieces of a length taken from it, all must say the same. */
#include <assert.h>

#include "oss/image_info.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

static struct image_info run(struct slice file, size_t piece)
{
	struct image_info m;
	image_info_init(&m);
	while (file.len) {
		size_t take = piece < file.len ? piece : file.len;
		SCOPED_FREE char *copy = malloc(take);
		memcpy(copy, file.ptr, take);
		(void)image_info_feed(&m, slice_of(copy, take));
		file = slice_from(file, take);
	}
	(void)image_info_end(&m);
	return m;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	struct slice file = slice_of(bytes, len);
	struct image_info whole = run(file, SIZE_MAX);
	const struct image_info others[] = {
		run(file, 1), run(file, 1u + (len ? bytes[len - 1] : 0u))};
	assert(whole.state == IMAGE_FOUND || whole.state == IMAGE_NONE ||
		whole.state == IMAGE_DAMAGED);
	assert((whole.state == IMAGE_FOUND) == (whole.width > 0 && whole.height > 0));
	for (size_t i = 0; i < ARRAY_LEN(others); i++)
		assert(others[i].state == whole.state && others[i].width == whole.width &&
			others[i].height == whole.height && others[i].format == whole.format);
	return 0;
}
