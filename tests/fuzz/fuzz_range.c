/* SPDX-License-Identifier: Apache-2.0 */
/* A Range header, behind eight bytes that are the size of the object: a part lies inside. */
#include <assert.h>

#include "http/range.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	struct byte_range oss, standard;
	uint64_t size = 0;
	if (len < sizeof(size))
		return 0;
	memcpy(&size, bytes, sizeof(size));
	struct slice value = slice_of(bytes + sizeof(size), len - sizeof(size));
	size &= INT64_MAX;
	enum range_result by_oss = range_parse(value, size, false, &oss);
	enum range_result by_standard = range_parse(value, size, true, &standard);
	/* The last 0 bytes are none to both. */
	assert(by_oss != RANGE_UNSATISFIABLE || by_standard == RANGE_UNSATISFIABLE);
	if (by_standard == RANGE_PART) {
		assert(standard.size >= 1 && standard.first < size);
		assert(standard.size <= size - standard.first);
	}
	/* What is wholly inside means the same to both. */
	if (by_oss == RANGE_PART)
		assert(by_standard == RANGE_PART && oss.first == standard.first &&
			oss.size == standard.size);
	return 0;
}
