/* SPDX-License-Identifier: Apache-2.0 */
/* What a put takes of the budget for memory (base/budget.h), all at once when it begins. */
#ifndef OPS_DATA_PUT_MEMORY_H
#define OPS_DATA_PUT_MEMORY_H

#include "ops/request.h"
#include "store/store.h"

/*
 * Counts what a put of at most `size` bytes needs to come to its end (UINT64_MAX: nobody knows) in
 * spec->memory, and says in spec->buffers how quick it may be for that. False if there is not
 * enough. If the put does not begin the caller closes spec->memory.
 */
bool put_memory_take(struct request *r, struct store_put_spec *spec, uint64_t size) MUST_USE;

#endif
