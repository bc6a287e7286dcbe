/* SPDX-License-Identifier: Apache-2.0 */
/* What a put takes of the budget for memory (base/budget.h), all at once when it begins. */
#ifndef OPS_DATA_PUT_MEMORY_H
#define OPS_DATA_PUT_MEMORY_H

#include "ops/request.h"
#include "store/store.h"

/*
 * Reserves in spec->memory what a put of at most `size` bytes needs to finish (UINT64_MAX: unknown
 * size), and sets spec->buffers to the number of buffers it may use. False if there is not enough.
 * If the put does not begin, the caller closes spec->memory.
 */
bool put_memory_take(struct request *r, struct store_put_spec *spec, uint64_t size) MUST_USE;

#endif
