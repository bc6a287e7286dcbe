/* SPDX-License-Identifier: Apache-2.0 */
/* The answer of a back end: whatever it says, no more than is configured comes of it. */
#include <assert.h>

#include "app/auth/forward.h"
#include "app/text/json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct rules rules = {.expire_seconds = 300,
		.jwt_rules = {.claim_count = 1, .claims = {SLICE_LIT("org")}}};
	struct arena arena;
	struct caller caller;
	arena_init(&arena, NULL, 0, MIB(1));
	if (!forward_answer_parse(&rules, slice_of(data, size), &arena, &caller)) {
		assert(caller.max_size >= 1);
		assert(caller.expire_seconds >= 1 && caller.expire_seconds <= 300);
		for (size_t i = 0; i < caller.type_count; i++)
			assert(slice_find(caller.types[i], '*') == caller.types[i].len);
		assert(caller.variables.len == 0 || json_is_valid(caller.variables));
		assert(caller.variables.len <= LIMIT_VARIABLES_BYTES);
		assert(!slice_starts(caller.prefix, S("/")));
		assert(!slice_starts(caller.prefix, S("../")));
		assert(slice_find_slice(caller.prefix, S("/../")) == caller.prefix.len);
	}
	arena_reset(&arena);
	return 0;
}
