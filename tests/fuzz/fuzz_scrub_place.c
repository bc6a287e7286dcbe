/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The file that says how far the scrub is. Its checksum is made right, or nothing behind it would
 * ever be reached.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/crc64.h"
#include "store/local/disk/bytes.h"
#include "store/local/scrub/place.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct scrub_place place;
	static unsigned char again[SCRUB_PLACE_MAX];
	char *copy = malloc(size + 1);
	if (!copy)
		abort();
	if (size)
		memcpy(copy, data, size);
	if (size >= 8)
		le64_put(copy + size - 8, crc64_update(0, slice_of(copy, size - 8)));
	if (scrub_place_parse(slice_of(copy, size), &place)) {
		assert(place.count <= LIMIT_SCRUB_PLACES);
		assert(scrub_place_write(&place, again) == size && memcmp(copy, again, size) == 0);
		/* Whatever it says, it can be gone on with. */
		(void)scrub_place_knows(&place, true, 1, 2);
		(void)scrub_place_add(&place, true, 1, 2);
		scrub_place_forget(&place);
		assert(place.count <= LIMIT_SCRUB_PLACES);
	}
	free(copy);
	return 0;
}
