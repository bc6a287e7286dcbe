/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The sets of parts that somebody reads. A set outlives the object that named it until the
 * collector takes it apart, which it does not do while the set is held. Who reads holds the set
 * first, and then sees whether the object still names it: only then is it safe.
 *
 * Any thread.
 */
#ifndef STORE_LOCAL_STATE_SETS_H
#define STORE_LOCAL_STATE_SETS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/compiler.h"

struct sets;

struct sets *sets_new(void) MUST_USE;
/* Nothing may be held. NULL is allowed. */
void sets_free(struct sets *sets);

/* False without memory. */
bool sets_hold(struct sets *sets, uint64_t set) MUST_USE;
void sets_release(struct sets *sets, uint64_t set);
bool sets_held(struct sets *sets, uint64_t set);

#endif
