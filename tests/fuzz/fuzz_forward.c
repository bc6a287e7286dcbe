/* SPDX-License-Identifier: Apache-2.0 */
/* The answer of a back end: whatever it says, no more than is configured comes of it. */
#include <assert.h>

#include "app/forward.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct settings settings = {.max_size = 1000,
		.expire_seconds = 300,
		.types = {.count = 2, .words = {SLICE_LIT("text/plain"), SLICE_LIT("image/png")}},
		.jwt_rules = {.claim_count = 1, .claims = {SLICE_LIT("org")}}};
	struct arena arena;
	struct caller caller;
	arena_init(&arena, NULL, 0, MIB(1));
	if (!forward_answer_parse(&settings, slice_of(data, size), &arena, &caller)) {
		assert(caller.max_size >= 1 && caller.max_size <= 1000);
		assert(caller.expire_seconds >= 1 && caller.expire_seconds <= 300);
		assert(caller.type_count >= 1);
		for (size_t i = 0; i < caller.type_count; i++)
			assert(slice_eq(caller.types[i], S("text/plain")) ||
				slice_eq(caller.types[i], S("image/png")));
		assert(!slice_starts(caller.prefix, S("/")));
		assert(!slice_starts(caller.prefix, S("../")));
		assert(slice_find_slice(caller.prefix, S("/../")) == caller.prefix.len);
	}
	arena_reset(&arena);
	return 0;
}
