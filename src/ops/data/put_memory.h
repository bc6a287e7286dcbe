/* SPDX-License-Identifier: Apache-2.0 */
/* What a put takes of the budget for memory (base/budget.h) when it begins. */
#ifndef OPS_DATA_PUT_MEMORY_H
#define OPS_DATA_PUT_MEMORY_H

#include "ops/request.h"
#include "store/store.h"

/*
 * Reserves in spec->memory what a put of at most `size` bytes needs to finish (UINT64_MAX: unknown
 * size) while half of the pool is free, else only what it needs for its first bytes: the rest is
 * taken as they come, and the put fails with ERR_UNAVAILABLE if it is not there then. Sets
 * spec->buffers to the number of buffers it may use. False if there is not enough now. If the put
 * does not begin, the caller closes spec->memory.
 */
bool put_memory_take(struct request *r, struct store_put_spec *spec, uint64_t size) MUST_USE;

#endif
